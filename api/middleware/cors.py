"""What scripts of other sites may read: the fetch standard's CORS protocol."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts see these beside the few that they always see.
EXPOSED = (
    "Age, Content-Disposition, ETag, Retry-After, RateLimit, RateLimit-Policy, RateLimit-Limit, "
    "RateLimit-Remaining, RateLimit-Reset, X-Request-ID"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
HOURS = 2 * 60 * 60
Raw = tuple[bytes, bytes]
ALLOW_ORIGIN = b"access-control-allow-origin"
ALLOW_CREDENTIALS = b"access-control-allow-credentials"
EXPOSE: Raw = (b"access-control-expose-headers", EXPOSED.encode())
CORS_HEADERS = frozenset({ALLOW_ORIGIN, ALLOW_CREDENTIALS, EXPOSE[0]})


class CORS:
    """Lets scripts of `origins` read every answer, errors too, and answers their preflight requests.

    A listed origin may send cookies; `*` is everybody without. Headers of an answer that came from the game
    server give way, because browsers refuse an answer with two opinions.

    Starlette's own middleware says Vary: Origin on answers that are the same for all, and lets a game server's
    headers through to origins that are not listed.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._any = "*" in origins
        self._listed = frozenset(origin.encode() for origin in origins) - {b"*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = b""
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value.lower()

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self._listed:
                    MutableHeaders(scope=message).add_vary_header("Origin")
                headers = [header for header in message.get("headers", ()) if header[0] not in CORS_HEADERS]
                message = {**message, "headers": headers + self._opinion(origin)}
            await send(message)

        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in Headers(scope=scope):
            await _preflight(Headers(scope=scope))(scope, receive, send_allowed)
        else:
            await self.app(scope, receive, send_allowed)

    def _opinion(self, origin: bytes) -> list[Raw]:
        """What browsers are told about scripts of `origin`."""
        if origin in self._listed:
            return [(ALLOW_ORIGIN, origin), (ALLOW_CREDENTIALS, b"true"), EXPOSE]
        return [(ALLOW_ORIGIN, b"*"), EXPOSE] if self._any else []


def _preflight(asked: Headers) -> Response:
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(HOURS),
        "Vary": "Access-Control-Request-Headers",
    }
    if wanted := asked.get("access-control-request-headers"):
        headers["Access-Control-Allow-Headers"] = wanted
    return Response(status_code=204, headers=headers)
