"""Static files held in memory: the pages for browsers, and the scripts, styles and images they load."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.response.cache import READS
from replays.conditional import names_etag

# Nothing from other sites and nothing inline: a text that a player chose can never run as a script.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
# For files whose URL contains a hash of their content.
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


class Asset:
    """An ASGI application that serves one file, gzip-compressed to clients that accept that."""

    methods = READS
    # Its name in the log and in metrics.
    route = "/docs"

    def __init__(self, name: str, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        """The media type follows from the suffix of `name`."""
        self.digest = hashlib.sha256(content).hexdigest()[:16]
        self._content = content
        self._status = status
        self._gzipped = b""
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._headers = {
            "Content-Type": f"{media_type}; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
            **headers,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._response(scope)(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        gzipped = accepts(scope, b"accept-encoding", "gzip")
        # Strong ETags, so the two representations have one each.
        etag = f'"{self.digest}-gzip"' if gzipped else f'"{self.digest}"'
        headers = {**self._headers, "ETag": etag}
        if self._status == 200 and names_etag(_if_none_match(scope), etag):
            del headers["Content-Type"]
            return Response(status_code=304, headers=headers)
        if not gzipped:
            return Response(self._content, self._status, headers)
        # Compressed on the first request, then stored: the largest file takes a twentieth of a second.
        self._gzipped = self._gzipped or gzip.compress(self._content, 6, mtime=0)
        return Response(self._gzipped, self._status, {**headers, "Content-Encoding": "gzip"})


def accepts(scope: Scope, header: bytes, value: str) -> bool:
    """Return whether `header`, an Accept header of the request, names `value` with a weight above zero."""
    for name, sent in scope["headers"]:
        if name != header:
            continue
        for item in sent.decode("latin-1").lower().split(","):
            token, *parameters = (part.strip() for part in item.split(";"))
            if token == value:
                return not any(_is_zero_weight(parameter) for parameter in parameters)
    return False


def _is_zero_weight(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and not weight.strip().strip("0.")


def _if_none_match(scope: Scope) -> str:
    return ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match")
