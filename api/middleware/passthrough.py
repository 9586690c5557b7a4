"""What this service does not serve: passed on to the game server as it came, and its answer back the same way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable

import aiohttp
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import FORWARDED_FOR, REAL_IP
from api.response.errors import JSON, failure
from api.services import Services
from domain.errors import APIError
from storage.game_server.proxy import GameServerProxy

log = logging.getLogger("apidot")
Raw = tuple[bytes, bytes]

# RFC 9110 §7.6.1 and §11.7: they are about one connection, and end with it.
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
# Written anew; and Expect, which our server has answered already.
REWRITTEN = frozenset({b"host", b"via", b"expect", FORWARDED_FOR, REAL_IP})
# Every answer has these of our own.
OURS = frozenset({b"date", b"x-request-id"})
LENGTH = frozenset({b"content-length"})
BODILESS = (204, 304)
NAME = b"apidot"


class Passthrough(BaseRoute):
    """Takes every request that no other route takes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match for anything of HTTP."""
        return (Match.FULL, {}) if scope["type"] == "http" else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; without a game server there is nothing here."""
        services: Services = scope["state"]["services"]
        if services.game_server_proxy is None or not scope["raw_path"].startswith(b"/"):
            raise HTTPException(404)
        scope["route"] = "passthrough"
        body = Body(scope, receive, services.settings.passthrough_max_body)
        begun = False
        try:
            async with asyncio.timeout(services.settings.passthrough_timeout):
                answer = await ask(services.game_server_proxy, scope, body)
                begun = True
                await give(answer, send)
        except (aiohttp.ClientError, TimeoutError) as error:
            # The path as it was sent, because the decoded one may hold line breaks.
            target = scope["method"], scope["raw_path"].decode("latin-1")
            log.warning("%s %s was not passed on: %s %s", *target, type(error).__name__, error)
            # An answer that has begun ends here, incomplete, by which the client knows.
            if not (begun or body.left):
                await failed(scope["path"], error, body)(scope, receive, send)


async def ask(upstream: GameServerProxy, scope: Scope, body: "Body") -> aiohttp.ClientResponse:
    """The head of the game server's answer. Raises APIError, aiohttp.ClientError."""
    # A body in chunks is sent on in chunks, whatever length was said beside that.
    headers = end_to_end(scope["headers"], REWRITTEN | LENGTH if body.chunked else REWRITTEN)
    via = [value for name, value in scope["headers"] if name == b"via"]
    if any(NAME in each for each in via):
        raise APIError(508, "The game server's address leads back to this service.")
    asked_host = [value for name, value in scope["headers"] if name == b"host"]
    hosts = [upstream.host.encode()] if upstream.host else asked_host[:1]
    headers += [
        *((b"host", host) for host in hosts),
        (b"x-forwarded-for", ", ".join(scope["proxy_chain"]).encode()),
        (b"x-real-ip", scope["proxy_chain"][0].encode()),
        (b"via", b", ".join([*via, scope["http_version"].encode() + b" " + NAME])),
    ]
    path = scope["raw_path"]
    # A front-end's own domain has the second version below /api; no game server ever had it there.
    target = (path.removeprefix(b"/api") if path.startswith(b"/api/v2/") else path, scope["query_string"])
    return await upstream.send(scope["method"], target, [_text(*each) for each in headers], body.chunks())


async def give(answer: aiohttp.ClientResponse, send: Send) -> None:
    """Sends the game server's answer on as it comes in. Raises aiohttp.ClientError."""
    try:
        # Our server measures a body against its length, and these have none whatever their headers say.
        without = OURS | LENGTH if answer.status in BODILESS else OURS
        headers = end_to_end(answer.raw_headers, without)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        answer.close()


def failed(path: str, error: Exception, body: "Body") -> JSON:
    """The answer when the game server gave none."""
    if body.too_large:
        return JSON(failure(path, body.refusal), 413)
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return JSON(failure(path, "Game server did not answer in time."), 504)
    return JSON(failure(path, "Game server cannot be reached."), 502)


def end_to_end(headers: Iterable[Raw], without: frozenset[bytes]) -> list[Raw]:
    """The headers that are not about one connection alone, nor in `without`."""
    kept = [(name.lower(), value) for name, value in headers]
    named = {each.strip().lower() for name, value in kept if name == b"connection" for each in value.split(b",")}
    return [(name, value) for name, value in kept if name not in HOP_BY_HOP | named | without]


def _text(name: bytes, value: bytes) -> tuple[str, str]:
    # The client writes headers in UTF-8: what is UTF-8 already comes out as it was.
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1"), value.decode("latin-1")


class CutShort(Exception):
    """A request's body is not read to its end."""


class Body:
    """The body of a request as it comes in; `too_large` and `left` tell why it was not read to its end."""

    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        """`limit` is in bytes. Raises APIError when the request says that it brings more."""
        said = dict(scope["headers"])
        self.chunked = b"transfer-encoding" in said
        self.limit = limit
        self.too_large = False
        self.left = False
        self._length = int(said.get(b"content-length", b"0"))
        self._receive = receive
        if self._length > limit:
            raise APIError(413, self.refusal)

    @property
    def refusal(self) -> str:
        """What to say when it is too large."""
        return f"The body is larger than {self.limit} bytes."

    def chunks(self) -> AsyncIterator[bytes] | None:
        """The parts as they come, None without a body. They end with CutShort when there are too many."""
        return self._chunks() if self.chunked or self._length else None

    async def _chunks(self) -> AsyncIterator[bytes]:
        size = 0
        more = True
        while more:
            message = await self._receive()
            self.left = message["type"] == "http.disconnect"
            size += len(message.get("body", b""))
            self.too_large = size > self.limit
            if self.left or self.too_large:
                raise CutShort
            if message.get("body"):
                yield message["body"]
            more = message.get("more_body", False)
