"""A JSON answer as it goes over the wire: bytes, their ETag, and their compressed forms."""

import gzip
import hashlib
import sys
import time
from collections.abc import Callable
from functools import lru_cache

import msgspec
from starlette.types import Receive, Scope, Send

from replays.conditional import names_etag

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Raw = tuple[bytes, bytes]

# Below this the compressed form saves no packet.
WORTH_COMPRESSING = 1024
# nginx's own choice lies here too: more takes twice the time for a few percent.
GZIP_LEVEL = 4
IDENTITY = b""
# Those we have, the best first.
ENCODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": zstd.compress,
    b"gzip": lambda body: gzip.compress(body, GZIP_LEVEL, mtime=0),
}


encode = msgspec.json.Encoder().encode


class Success(msgspec.Struct, frozen=True, kw_only=True, tag_field="status", tag="success"):
    """The envelope of most answers: `"status": "success"` and what was asked for."""


class EncodedResponse:
    """An answer with status 200; an ASGI application that sends it, or 304 to who has it already.

    `made` is when, on the monotonic clock.
    """

    __slots__ = ("_ages", "_compress", "_forms", "_head", "body", "etag", "made")

    def __init__(self, body: bytes, cache_control: bytes, *, compress: bool = True, ages: bool = True) -> None:
        """`compress`: clients that take it get a compressed form.

        `ages`: it is the answer of a moment, and says how old it is.
        """
        self.body = body
        self.made = time.monotonic()
        # Weak, since the compressed forms share it.
        self.etag = b'W/"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
        self._ages = ages
        self._compress = compress and len(body) >= WORTH_COMPRESSING
        self._head: list[Raw] = [(b"etag", self.etag), (b"cache-control", cache_control)]
        if self._compress:
            self._head.append((b"vary", b"Accept-Encoding"))
        self._forms: dict[bytes, tuple[bytes, list[Raw]]] = {}

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes at the most, compressed forms included."""
        return 2 * len(self.body) + 2048

    def _form(self, encoding: bytes) -> tuple[bytes, list[Raw]]:
        """Body and headers in an encoding; made when they are asked for the first time."""
        if form := self._forms.get(encoding):
            return form
        body = ENCODINGS[encoding](self.body) if encoding else self.body
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *self._head]
        if encoding:
            head.append((b"content-encoding", encoding))
        self._forms[encoding] = (body, head)
        return body, head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = accepted = b""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                known = value
            elif name == b"accept-encoding":
                accepted = value
        age = int(time.monotonic() - self.made) if self._ages else 0
        status = 200
        if known and names_etag(known.decode("latin-1"), self.etag.decode()):
            status, body, head = 304, b"", self._head
        else:
            body, head = self._form(encoding_for(accepted) if accepted and self._compress else IDENTITY)
        # A copy, because what is around adds its own headers to it.
        head = [*head, (b"age", str(age).encode())] if age else [*head]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


@lru_cache(256)
def encoding_for(accepted: bytes) -> bytes:
    """The best of our encodings that an Accept-Encoding header takes; empty for none of them."""
    weights: dict[bytes, float] = {}
    for part in accepted.lower().split(b",")[:50]:
        name, *options = [each.strip() for each in part.split(b";")]
        weight = next((option[2:] for option in options if option.startswith(b"q=")), b"1")
        try:
            weights[name] = float(weight)
        except ValueError:
            continue
    anything = weights.get(b"*", 0.0)
    ours = {each: weights.get(each, anything) for each in ENCODINGS}
    best = max(ours, key=lambda each: ours[each])
    return best if ours[best] > 0 else IDENTITY
