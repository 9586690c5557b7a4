"""A JSON response in its encoded form: bytes, ETag and compressed forms."""

import gzip
import hashlib
import math
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from replays.conditional import names_etag

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Raw = tuple[bytes, bytes]

# Smaller bodies fit into one packet anyway.
MIN_COMPRESSED_SIZE = 1024
# About nginx's own choice: higher levels take twice the time for a few percent.
GZIP_LEVEL = 4
IDENTITY = b""
# The best one first.
ENCODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": zstd.compress,
    b"gzip": lambda body: gzip.compress(body, GZIP_LEVEL, mtime=0),
}


encode = msgspec.json.Encoder().encode


class Success(msgspec.Struct, frozen=True, kw_only=True, tag_field="status", tag="success"):
    """The envelope of most responses: `"status": "success"` beside the requested data."""


class JSONInParts(Response):
    """A response in JSON that is encoded while it is sent. `sends` are the types of what it may send."""

    media_type = "application/json"
    sends: ClassVar[tuple[type[msgspec.Struct], ...]]


class EncodedResponse:
    """An ASGI application that sends a response, or a 304 to a client that has it already.

    `made` is when it was made, on the monotonic clock. A subclass may have another status and media type.
    """

    status = 200
    media_type = b"application/json"

    __slots__ = ("_ages", "_compress", "_forms", "_headers", "body", "etag", "made")

    def __init__(
        self,
        body: bytes,
        cache_control: bytes,
        *,
        compress: bool = True,
        ages: bool = True,
        outdated_since: float = math.inf,
    ) -> None:
        """With `compress`, clients that accept it get a compressed form.

        With `ages`, an `Age` header says how many seconds ago the response was made. `outdated_since` is when it
        would have been made if it were as old as the oldest data in it, on the monotonic clock.
        """
        self.body = body
        self.made = min(time.monotonic(), outdated_since)
        # Weak, because the compressed forms have the same one.
        self.etag = b'W/"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
        self._ages = ages
        self._compress = compress and len(body) >= MIN_COMPRESSED_SIZE
        self._headers: list[Raw] = [(b"etag", self.etag), (b"cache-control", cache_control)]
        if self._compress:
            self._headers.append((b"vary", b"Accept-Encoding"))
        self._forms: dict[bytes, tuple[bytes, list[Raw]]] = {}

    @property
    def weight(self) -> int:
        """The most bytes of memory that it takes, with its compressed forms."""
        return 2 * len(self.body) + 2048

    def _form(self, encoding: bytes) -> tuple[bytes, list[Raw]]:
        """Return body and headers in an encoding, which are made at the first request for them."""
        if form := self._forms.get(encoding):
            return form
        body = ENCODINGS[encoding](self.body) if encoding else self.body
        length = str(len(body)).encode()
        headers = [(b"content-type", self.media_type), (b"content-length", length), *self._headers]
        if encoding:
            headers.append((b"content-encoding", encoding))
        self._forms[encoding] = (body, headers)
        return body, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if_none_match = accept_encoding = b""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if_none_match = value
            elif name == b"accept-encoding":
                accept_encoding = value
        age = int(time.monotonic() - self.made) if self._ages else 0
        status = self.status
        # In a request that changes something, the header is about the state before the change.
        conditional = if_none_match and status == 200 and scope["method"] in ("GET", "HEAD")
        if conditional and names_etag(if_none_match.decode("latin-1"), self.etag.decode()):
            status, body, headers = 304, b"", self._headers
        else:
            compressed = accept_encoding and self._compress
            body, headers = self._form(best_encoding(accept_encoding) if compressed else IDENTITY)
        # A copy, because middleware adds headers to the list.
        headers = [*headers, (b"age", str(age).encode())] if age else [*headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@lru_cache(256)
def best_encoding(accept_encoding: bytes) -> bytes:
    """Return the best encoding that an Accept-Encoding header allows, IDENTITY if it allows none of ours."""
    weights = accept_weights(accept_encoding)
    default = weights.get(b"*", 0.0)
    ours = {encoding: weights.get(encoding, default) for encoding in ENCODINGS}
    best = max(ours, key=lambda encoding: ours[encoding])
    return best if ours[best] > 0 else IDENTITY


def accept_weights(header: bytes) -> dict[bytes, float]:
    """Return the weight of each value in an Accept or Accept-Encoding header."""
    weights: dict[bytes, float] = {}
    for part in header.lower().split(b",")[:50]:
        name, *options = [piece.strip() for piece in part.split(b";")]
        weight = next((option[2:] for option in options if option.startswith(b"q=")), b"1")
        try:
            weights[name] = float(weight)
        except ValueError:
            continue
    return weights
