"""The client of the game server's HTTP API and pages."""

import errno
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import msgspec
from yarl import URL

from config.hosts import socket_path
from domain.errors import ErrorSpec, Unavailable
from storage.observer import Observer

# Functions import it: that takes a fifth of the time of a start, and without a game server nothing needs it.
if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

GAME_SERVER_AWAY = ErrorSpec(503, "Game server did not answer.")

# Path prefixes of the API: of game servers since 2023, and of older ones.
PREFIXES = ("/v1/", "/")
# Game servers listen on this domain too, beside their own.
DEFAULT_DOMAIN = "ppy.sh"
MAX_BODY_BYTES = 1 << 20
# The game server's description of its API, which it generates when it is first asked for it.
MAX_DESCRIPTION_BYTES = 4 << 20
DESCRIPTION_SECONDS = 10.0
# The longest header in a response, and the longest status line: aiohttp's own limit of 8190 bytes is below that of
# the headers that game servers set, cookies among them.
MAX_HEADER_BYTES = 1 << 16
# Its name in the metrics.
NAME = "game_server"
# uvicorn, on which game servers run, closes idle connections after five seconds.
KEEP_ALIVE_SECONDS = 4.0


# Errors of a connection that say that nobody listens.
NOT_RUNNING = {errno.ECONNREFUSED: "connection refused", errno.ENOENT: "there is no such socket"}
NOT_PERMITTED = (errno.EACCES, errno.EPERM)


class Down(Exception):
    """The game server refuses connections, or its socket does not exist, so it is not running."""


class NoAnswer(Unavailable):
    """The game server may be running, but did not send a usable response."""

    def __init__(self, reason: str) -> None:
        super().__init__(GAME_SERVER_AWAY.message)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class TooLate(NoAnswer):
    """The game server did not respond within the timeout."""


class NotPermitted(NoAnswer):
    """The operating system does not permit connections to the game server's socket."""


class NoPage(NoAnswer):
    """The game server responded, but does not have the page."""


class OtherPage(NoPage):
    """The game server responded with something else than the page, so what the page lists is unknown."""


class _NotFound(msgspec.Struct):
    """The body of a 404 for a missing player or match. That for an unknown path has another form."""

    status: str


def connector(url: str, connections: int) -> "aiohttp.BaseConnector":
    """Return a pool of at most `connections` connections to the game server at `url`."""
    import aiohttp

    if path := socket_path(url):
        return aiohttp.UnixConnector(path, limit=connections, keepalive_timeout=KEEP_ALIVE_SECONDS)
    return aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_SECONDS)


def origin_of(url: str) -> URL:
    """Return the URL below which the paths of the game server at `url` are, for a pool of connections to it."""
    return URL("http://localhost" if socket_path(url) else url)


class GameServerClient:
    """Calls the game server at `url`, which is unix: and a path for a socket."""

    def __init__(
        self,
        url: str,
        *,
        domain: str,
        timeout: float,
        connect_timeout: float,
        observer: Observer | None = None,
    ) -> None:
        """`timeout` is for a whole call, `connect_timeout` for connecting; both in seconds."""
        import aiohttp

        self._origin = origin_of(url)
        self.observer = observer or Observer()
        self._domain = domain or DEFAULT_DOMAIN
        self._prefix = PREFIXES[0]
        self._session = aiohttp.ClientSession(
            connector=connector(url, 16),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout),
            headers={"Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def close(self) -> None:
        await self._session.close()

    async def ping(self) -> None:
        """Raise Down or NoAnswer unless the API responds."""
        await self.call("get_player_count", dict[str, object])

    async def get_page(self, path: str) -> str:
        """Return a page for browsers. Raise Down, NoAnswer, NoPage for the status 404, OtherPage for others."""
        with self.observer.call(NAME, path):
            status, body = await self._get(path, f"c.{self._domain}")
            if status != 200:
                raise (NoPage if status == 404 else OtherPage)(f"{path}: status {status}")
        return body.decode("utf-8", "replace")

    async def call(self, name: str, shape: type[T], query: tuple[str, str | int] | None = None) -> T | None:
        """Call the API's endpoint `name` with one parameter, and return the response as a `shape`.

        Return None if the game server says that there is no such player or match. Raise Down, or NoAnswer if the
        response does not have that shape.
        """
        target = name + (f"?{urlencode([query])}" if query else "")
        with self.observer.call(NAME, name):
            status, body = await self._get_from_api(target)
            if status == 404 and _is_not_found(body):
                return None
            response = _decode(body, shape) if status == 200 else None
            if response is None:
                raise NoAnswer(f"{target}: status {status}, {body[:60]!r}")
            return response

    async def call_v2(self, target: str, shape: type[T]) -> T | None:
        """Get `target` from version 2 of the API, and return the response as a `shape`.

        Return None if the game server says that there is no such thing. Raise NoPage if it does not have this
        endpoint or does not let us use it, Down, or NoAnswer if the response does not have that shape.
        """
        with self.observer.call(NAME, "v2"):
            status, body = await self._get(f"/v2/{target}", f"api.{self._domain}")
            if status == 404 and _is_not_found(body):
                return None
            response = _decode(body, shape) if status == 200 else None
            if response is None:
                failure = NoPage if 400 <= status < 500 else NoAnswer
                raise failure(f"/v2/{target}: status {status}, {body[:60]!r}")
            return response

    async def get_description(self) -> bytes:
        """Return the game server's own /openapi.json. Raise Down, NoAnswer, or NoPage unless its status is 200."""
        with self.observer.call(NAME, "/openapi.json"):
            status, body = await self._get(
                "/openapi.json", f"api.{self._domain}", limit=MAX_DESCRIPTION_BYTES, seconds=DESCRIPTION_SECONDS
            )
            if status != 200:
                raise NoPage(f"/openapi.json: status {status}")
        return body

    async def _get_from_api(self, target: str) -> tuple[int, bytes]:
        """Get `target` under the prefix that worked last, or else under the other one."""
        host = f"api.{self._domain}"
        status, body = await self._get(self._prefix + target, host)
        if status == 404 and not _is_not_found(body):
            other = next(prefix for prefix in PREFIXES if prefix != self._prefix)
            status, body = await self._get(other + target, host)
            if status != 404 or _is_not_found(body):
                self._prefix = other
        return status, body

    async def _get(
        self,
        path: str,
        host: str,
        *,
        limit: int = MAX_BODY_BYTES,
        seconds: float | None = None,
    ) -> tuple[int, bytes]:
        """Return the status and the body, of at most `limit` bytes. `seconds` replaces the usual timeout."""
        import aiohttp

        url = self._origin.join(URL(path))
        timeout = self._session.timeout
        if seconds:
            timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=timeout.sock_connect)
        try:
            async with self._session.get(
                url, headers={"Host": host}, allow_redirects=False, timeout=timeout
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        raise NoAnswer(f"{path}: more than {limit} bytes")
        except TimeoutError:
            raise TooLate(f"{path}: no answer in time") from None
        except aiohttp.ClientError as error:
            number = error.os_error.errno if isinstance(error, aiohttp.ClientConnectorError) else None
            if number in NOT_RUNNING:
                raise Down(NOT_RUNNING[number]) from None
            if number in NOT_PERMITTED:
                raise NotPermitted("permission denied") from None
            raise NoAnswer(f"{path}: {type(error).__name__} {error}") from None
        if response.status >= 500:
            raise NoAnswer(f"{path}: status {response.status}")
        return response.status, bytes(body)


def _is_not_found(body: bytes) -> bool:
    return _decode(body, _NotFound) is not None


def _decode(body: bytes, shape: type[T]) -> T | None:
    """Return the JSON in `body` as a `shape`, or None if it is not one."""
    try:
        return msgspec.json.decode(body, type=shape)
    # ValueError: not JSON, not UTF-8, or of another shape. RecursionError: nested too deeply.
    except (ValueError, RecursionError):
        return None
