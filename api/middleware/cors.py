"""Cross-origin requests: the CORS protocol of the Fetch standard."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts may read these in addition to the CORS-safelisted response headers.
EXPOSED = (
    "Age, Content-Disposition, ETag, Retry-After, RateLimit, RateLimit-Policy, RateLimit-Limit, "
    "RateLimit-Remaining, RateLimit-Reset, X-Request-ID"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
PREFLIGHT_MAX_AGE = 2 * 60 * 60  # seconds; Chromium's upper limit
RawHeader = tuple[bytes, bytes]
ALLOW_ORIGIN = b"access-control-allow-origin"
ALLOW_CREDENTIALS = b"access-control-allow-credentials"
EXPOSE: RawHeader = (b"access-control-expose-headers", EXPOSED.encode())
CORS_HEADERS = frozenset({ALLOW_ORIGIN, ALLOW_CREDENTIALS, EXPOSE[0]})


class CORS:
    """Middleware: lets scripts of `origins` read every response, errors too, and answers preflight requests.

    A listed origin may send credentials; `*` allows every origin without credentials. The CORS headers of a
    response from the game server are replaced, because browsers refuse a response that has them twice.

    Starlette's CORSMiddleware adds Vary: Origin to responses that are the same for every origin, and passes the
    game server's CORS headers on to origins that are not listed.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._allow_all = "*" in origins
        self._listed = frozenset(origin.encode() for origin in origins) - {b"*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = b""
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value.lower()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self._listed:
                    MutableHeaders(scope=message).add_vary_header("Origin")
                headers = [header for header in message.get("headers", ()) if header[0] not in CORS_HEADERS]
                message = {**message, "headers": headers + self._headers_for(origin)}
            await send(message)

        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in Headers(scope=scope):
            await _preflight_response(Headers(scope=scope))(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)

    def _headers_for(self, origin: bytes) -> list[RawHeader]:
        if origin in self._listed:
            return [(ALLOW_ORIGIN, origin), (ALLOW_CREDENTIALS, b"true"), EXPOSE]
        return [(ALLOW_ORIGIN, b"*"), EXPOSE] if self._allow_all else []


def _preflight_response(request: Headers) -> Response:
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE),
        "Vary": "Access-Control-Request-Headers",
    }
    if requested := request.get("access-control-request-headers"):
        headers["Access-Control-Allow-Headers"] = requested
    return Response(status_code=204, headers=headers)
