"""What browsers load: pages, and the files they are made of, held in memory."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.response.cache import READS
from replays.conditional import names_etag

# Nothing from elsewhere, nothing written into a page: a text that a player chose can never become a script.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
# Its address changes with its content.
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
ALLOW = ", ".join((*READS, "OPTIONS"))


def wants(scope: Scope, header: bytes, value: str) -> bool:
    """Whether the header of the request, a list with weights, names `value` with any weight but zero."""
    for name, sent in scope["headers"]:
        if name != header:
            continue
        for each in sent.decode("latin-1").lower().split(","):
            token, *parameters = (part.strip() for part in each.split(";"))
            if token == value:
                return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and not weight.strip().strip("0.")


class Asset:
    """An ASGI application that answers with one file, compressed for whoever takes that."""

    methods = READS
    # What it is called in the log and in figures.
    route = "/docs"

    def __init__(self, name: str, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        """The type is the one that `name` ends with."""
        self.digest = hashlib.sha256(content).hexdigest()[:16]
        self._content = content
        self._status = status
        self._packed = b""
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._headers = {
            "Content-Type": f"{media_type}; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
            **headers,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": ALLOW})(scope, receive, send)
            return
        if scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": ALLOW})
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        packed = wants(scope, b"accept-encoding", "gzip")
        # The two forms are not the same bytes, so they go by two names.
        tag = f'"{self.digest}-gzip"' if packed else f'"{self.digest}"'
        headers = {**self._headers, "ETag": tag}
        if self._status == 200 and names_etag(_if_none_match(scope), tag):
            del headers["Content-Type"]
            return Response(status_code=304, headers=headers)
        if not packed:
            return Response(self._content, self._status, headers)
        # Once, and only when somebody asks: the largest takes a twentieth of a second.
        self._packed = self._packed or gzip.compress(self._content, 6, mtime=0)
        return Response(self._packed, self._status, {**headers, "Content-Encoding": "gzip"})


def _if_none_match(scope: Scope) -> str:
    return ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match")


def versioned(folder: str, files: Iterable[tuple[str, bytes]]) -> dict[str, tuple[str, Asset]]:
    """Each file's address below `folder`, which changes with what is in it, and the asset to serve there."""
    made = {}
    for name, content in files:
        asset = Asset(name, content, FOREVER)
        path = PurePath(name)
        made[folder + name] = (f"{folder}{path.stem}.{asset.digest}{path.suffix}", asset)
    return made
