"""Requests that this service does not serve itself: passed on to the game server unchanged."""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.middleware.client_address import FORWARDED_FOR, REAL_IP
from api.middleware.via import parse_via
from api.request.body import Body
from api.services import Services
from domain.errors import ErrorSpec
from storage.game_server.proxy import GameServerProxy

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger("apidot")
Raw = tuple[bytes, bytes]

# RFC 9110 §7.6.1 and §11.7: they are about one connection and end with it.
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
# Replaced by our own; Expect is left out, because our server has answered it already.
REWRITTEN = frozenset({b"host", b"via", b"expect", FORWARDED_FOR, REAL_IP})
# Every response has our own.
OURS = frozenset({b"date", b"x-request-id"})
LENGTH = frozenset({b"content-length"})
BODILESS = (204, 304)
NAME = b"apidot"

UNREACHABLE = ErrorSpec(502, "Game server cannot be reached.")
NO_RESPONSE = ErrorSpec(502, "Game server closed the connection without a response.")
INVALID_RESPONSE = ErrorSpec(502, "Game server sent a response that is not valid HTTP, or with too long headers.")
TIMED_OUT = ErrorSpec(504, "Game server did not answer in time.")
SLOW_BODY = ErrorSpec(408, "The body did not arrive within {seconds:g} seconds.")
LOOP = ErrorSpec(508, "The game server's address leads back to this service.")


class Passthrough(BaseRoute):
    """A route that takes every request that no other route takes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL, {}) if scope["type"] == "http" else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and its response back. Raise a 404 if there is no game server to pass it on to.

        Raise APIError if the game server cannot be reached or times out, or if the body is too large or too slow.
        """
        services: Services = scope["state"]["services"]
        if services.game_server_proxy is None or not scope["raw_path"].startswith(b"/"):
            raise HTTPException(404)
        import aiohttp

        scope["route"] = "passthrough"
        body = Body(scope, receive)
        begun = False
        try:
            async with asyncio.timeout(services.settings.passthrough_timeout):
                limit = services.settings.passthrough_max_body
                response = await send_request(services.game_server_proxy, scope, body, limit)
                begun = True
                await send_response(response, send)
        except (aiohttp.ClientError, TimeoutError) as error:
            # The path as it was sent, because the decoded one may hold line breaks.
            target = scope["method"], scope["raw_path"].decode("latin-1")
            log.warning("%s %s was not passed on: %s %s", *target, type(error).__name__, error)
            # A response that has begun breaks off here, by which the client sees that it is incomplete.
            if not (begun or body.disconnected):
                if isinstance(error, TimeoutError) and body.waiting:
                    body.error = SLOW_BODY(seconds=services.settings.passthrough_timeout)
                raise (body.error or failure_of(error)()) from error


def failure_of(error: Exception) -> ErrorSpec:
    """Return the error that a client receives if the game server has not sent a response."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return UNREACHABLE
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, aiohttp.ClientResponseError):
        return INVALID_RESPONSE
    return NO_RESPONSE


async def send_request(proxy: GameServerProxy, scope: Scope, body: Body, limit: int) -> "aiohttp.ClientResponse":
    """Return the game server's response, its body unread. Raise APIError, aiohttp.ClientError.

    `limit` is the largest body that is passed on, in bytes.
    """
    # A body in chunks is sent on in chunks, whatever Content-Length stands beside that.
    headers = end_to_end(scope["headers"], REWRITTEN | LENGTH if body.chunked else REWRITTEN)
    requested_host = [value for name, value in scope["headers"] if name == b"host"]
    hosts = [proxy.host.encode()] if proxy.host else requested_host[:1]
    headers += [
        *((b"host", host) for host in hosts),
        (b"x-forwarded-for", ", ".join(scope["proxy_chain"]).encode()),
        (b"x-real-ip", scope["proxy_chain"][0].encode()),
        (b"via", via_of(scope, proxy.id.encode())),
    ]
    # The path under which the game server has what a route knows to be its.
    path: bytes = scope.get("passed_on_path", scope["raw_path"])
    # Front-ends proxy version 2 under /api on their own domain; no game server ever had it there.
    target = (path.removeprefix(b"/api") if path.startswith(b"/api/v2/") else path, scope["query_string"])
    chunks = body.chunks(limit) if body.chunked or body.length else None
    return await proxy.send(scope["method"], target, [_text(*header) for header in headers], chunks)


def via_of(scope: Scope, own_id: bytes) -> bytes:
    """Return the Via header of a request that is passed on. Raise APIError if it has been passed on before."""
    own = b"(%b)" % own_id
    values = []
    for header, value in scope["headers"]:
        entries = parse_via(value) if header == b"via" else None
        # An invalid header is left out, because an entry that follows it could not be found.
        if entries:
            # Another apidot has another id. Later proxies may have removed it: without an id, it may be us.
            if any(entry.name == NAME and entry.comment in (own, b"") for entry in entries):
                raise LOOP()
            values.append(value)
    return b", ".join([*values, b"%b %b %b" % (scope["http_version"].encode(), NAME, own)])


async def send_response(response: "aiohttp.ClientResponse", send: Send) -> None:
    """Send the game server's response to the client as it arrives. Raise aiohttp.ClientError."""
    try:
        # Our server compares a body with its length, and these have none whatever their headers say.
        without = OURS | LENGTH if response.status in BODILESS else OURS
        headers = end_to_end(response.raw_headers, without)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        response.close()


def end_to_end(headers: Iterable[Raw], without: frozenset[bytes]) -> list[Raw]:
    """Return the headers that are neither about one connection alone nor in `without`."""
    lowered = [(name.lower(), value) for name, value in headers]
    connection = b",".join(value for name, value in lowered if name == b"connection")
    named = {name.strip().lower() for name in connection.split(b",")}
    return [(name, value) for name, value in lowered if name not in HOP_BY_HOP | named | without]


def _text(name: bytes, value: bytes) -> tuple[str, str]:
    # The client writes headers in UTF-8, so what is UTF-8 already must be decoded as such to stay the same.
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1"), value.decode("latin-1")
