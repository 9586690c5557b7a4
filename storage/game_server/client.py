"""The running game server's HTTP API and pages: who is asked, how long, and what counts as an answer."""

import errno
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from domain.errors import ErrorSpec, Unavailable
from storage.observer import Observer

T = TypeVar("T")

GAME_SERVER_AWAY = ErrorSpec(503, "Game server did not answer.")

# The path forms of today's game servers and of older ones.
GENERATIONS = ("/v1/", "/")
# Game servers listen to their own domain and to this one, where theirs is not known here.
ANY_DOMAIN = "ppy.sh"
LONGEST_ANSWER = 1 << 20
# What it is called in figures.
NAME = "game_server"
# uvicorn, which game servers run on, closes idle connections after five seconds.
KEEP_ALIVE = 4.0


class Down(Exception):
    """The game server refuses connections: it does not run."""


class NoAnswer(Unavailable):
    """The game server runs, as far as is known, and did not answer with anything of use."""

    def __init__(self, reason: str) -> None:
        super().__init__(GAME_SERVER_AWAY.message)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class TooLate(NoAnswer):
    """The game server took longer than it may."""


class NoPage(NoAnswer):
    """The game server answered, and what it answered is not the page asked for."""


class _Reason(msgspec.Struct):
    """The body of a 404 that says what was not found, unlike one for an unknown path."""

    status: str


def refused(error: BaseException) -> bool:
    """Whether `error` says that nothing listens where the game server should."""
    return isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.ECONNREFUSED


def connector(connections: int) -> aiohttp.TCPConnector:
    """A pool of at most so many connections."""
    return aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE)


class GameServer:
    """Asks the game server one thing at a time; `url` is where it listens."""

    def __init__(
        self,
        url: str,
        *,
        domain: str,
        timeout: float,
        connect_timeout: float,
        observer: Observer | None = None,
    ) -> None:
        """`timeout` and `connect_timeout` are in seconds: for a whole answer, and for a connection."""
        self.url = URL(url)
        self.observer = observer or Observer()
        self._domain = domain or ANY_DOMAIN
        self._generation = GENERATIONS[0]
        self._session = aiohttp.ClientSession(
            connector=connector(16),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout),
            headers={"Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def reach(self) -> None:
        """Raises Down and NoAnswer unless the API is there."""
        await self.ask("get_player_count", dict[str, object])

    async def page(self, path: str) -> str:
        """A page for browsers. Raises Down, NoAnswer, and NoPage for a path the game server lacks."""
        with self.observer.call(NAME, path):
            status, body = await self._get(path, f"c.{self._domain}")
            if status != 200:
                raise NoPage(f"{path}: status {status}")
        return body.decode("utf-8", "replace")

    async def ask(self, name: str, shape: type[T], query: tuple[str, str | int] | None = None) -> T | None:
        """The answer of the API's endpoint `name` to one parameter; None when it says there is no such thing.

        Raises Down, and NoAnswer for what is not of that shape.
        """
        with self.observer.call(NAME, name):
            return await self._ask(name, shape, f"?{urlencode([query])}" if query else "")

    async def _ask(self, name: str, shape: type[T], arguments: str) -> T | None:
        status, body = await self._call(self._generation, name + arguments)
        if status == 404 and not _says_why(body):
            other = GENERATIONS[self._generation == GENERATIONS[0]]
            status, body = await self._call(other, name + arguments)
            if status != 404 or _says_why(body):
                self._generation = other
        if status == 404 and _says_why(body):
            return None
        answer = _read(body, shape) if status == 200 else None
        if answer is None:
            raise NoAnswer(f"{name}{arguments}: status {status}, {body[:60]!r}")
        return answer

    async def _call(self, generation: str, target: str) -> tuple[int, bytes]:
        return await self._get(generation + target, f"api.{self._domain}")

    async def _get(self, path: str, host: str) -> tuple[int, bytes]:
        url = self.url.join(URL(path))
        try:
            async with self._session.get(url, headers={"Host": host}, allow_redirects=False) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LONGEST_ANSWER:
                        raise NoAnswer(f"{path}: more than {LONGEST_ANSWER} bytes")
        except TimeoutError:
            raise TooLate(f"{path}: no answer in time") from None
        except aiohttp.ClientError as error:
            if refused(error):
                raise Down("connection refused") from None
            raise NoAnswer(f"{path}: {type(error).__name__} {error}") from None
        if response.status >= 500:
            raise NoAnswer(f"{path}: status {response.status}")
        return response.status, bytes(body)


def _says_why(body: bytes) -> bool:
    return _read(body, _Reason) is not None


def _read(body: bytes, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(body, type=shape)
    # Among them texts that are not UTF-8, and nesting without an end.
    except (ValueError, RecursionError):
        return None
