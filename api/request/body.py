"""Request bodies: read within limits of size and time, and parsed as JSON or as a form."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from api.request.multipart import MULTIPART_ERRORS, parts
from domain.errors import APIError, ErrorSpec

# Seconds that a whole body may take to arrive.
BODY_TIMEOUT = 30.0
MAX_FORM_FIELDS = 100

TOO_LARGE = ErrorSpec(413, "The body is larger than {limit} bytes.")
TIMED_OUT = ErrorSpec(408, f"The body did not arrive within {BODY_TIMEOUT:.0f} seconds.")
TRUNCATED = ErrorSpec(400, "The body breaks off.")
# For the log: nobody receives it.
DISCONNECTED = ErrorSpec(499, "The client has closed the connection.")
NOT_AN_OBJECT = ErrorSpec(400, "The body is not a JSON object.")
UNREADABLE_FORM = ErrorSpec(400, "The form cannot be read.")
NO_BODY = ErrorSpec(400, "Must provide a body: JSON or a form.")
UNSUPPORTED_TYPE = ErrorSpec(415, "The body must be JSON or a form.")

# What Body.read raises, unless it is given an error of its own for a body that is too large; and what read_fields
# raises.
READ_ERRORS = (TRUNCATED, TIMED_OUT)
FIELDS_ERRORS = (
    *READ_ERRORS,
    TOO_LARGE,
    NOT_AN_OBJECT,
    UNREADABLE_FORM,
    NO_BODY,
    UNSUPPORTED_TYPE,
    *MULTIPART_ERRORS,
)


class Body:
    """The body of a request, to be read once: whole, or chunk by chunk.

    `error` and `disconnected` say why reading ended early: the exception that was raised, and whether the
    client has closed the connection. While it is being read, `scope["body_streaming"]` is true; `waiting` is true
    while the next chunk has not arrived.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.content_type = headers.get("content-type", "")
        self.chunked = "transfer-encoding" in headers
        self.length = declared_length(headers)
        self.disconnected = False
        self.waiting = False
        self.error: APIError | None = None
        self._scope = scope
        self._receive = receive

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    async def read(self, limit: int, too_large: APIError | None = None) -> bytes:
        """Return the whole body. Raise APIError as `chunks` does, or if it takes longer than BODY_TIMEOUT."""
        data = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                async for chunk in self.chunks(limit, too_large):
                    data += chunk
        except TimeoutError:
            raise TIMED_OUT() from None
        return bytes(data)

    def chunks(self, limit: int, too_large: APIError | None = None) -> AsyncIterator[bytes]:
        """Return the chunks of the body as they arrive.

        Raise `too_large`, or by default a 413, as soon as the body is known to be larger than `limit` bytes, which
        may be before the first chunk. Raise APIError if the client disconnects.
        """
        too_large = too_large or TOO_LARGE(limit=limit)
        if self.length > limit:
            raise too_large
        return self._chunks(limit, too_large)

    async def _chunks(self, limit: int, too_large: APIError) -> AsyncIterator[bytes]:
        size = 0
        more = self._scope["body_streaming"] = True
        try:
            while more:
                self.waiting = True
                message = await self._receive()
                self.waiting = False
                self.disconnected = message["type"] == "http.disconnect"
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if self.disconnected or size > limit:
                    self.error = TRUNCATED() if self.disconnected else too_large
                    raise self.error
                if chunk:
                    yield chunk
                more = message.get("more_body", False)
        finally:
            self._scope["body_streaming"] = False

    @asynccontextmanager
    async def until_disconnected(self) -> AsyncIterator[None]:
        """Cancel the block if the client disconnects, and raise APIError. The whole body must have been read."""
        try:
            async with asyncio.timeout(None) as limit:
                watch = asyncio.create_task(self._expire_when_disconnected(limit))
                try:
                    yield
                finally:
                    watch.cancel()
        except TimeoutError:
            if not self.disconnected:
                raise
            raise DISCONNECTED() from None

    async def _expire_when_disconnected(self, limit: asyncio.Timeout) -> None:
        while not self.disconnected:
            self.disconnected = (await self._receive())["type"] == "http.disconnect"
        limit.reschedule(asyncio.get_running_loop().time())


def declared_length(headers: Headers) -> int:
    """Return the Content-Length, 0 if there is none."""
    length = headers.get("content-length", "")
    # The server has refused what is not a number, but isdigit() is true for the digits of other scripts too.
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


async def read_fields(body: Body, limit: int) -> tuple[dict[str, object], bool]:
    """Return the values of a JSON object or a form by name, and whether all of them are texts, as in a form.

    Raise APIError for any other body, and as `Body.read` does.
    """
    data = await body.read(limit)
    try:
        match body.media_type:
            case "application/json":
                return msgspec.json.decode(data, type=dict[str, object]), False
            case "application/x-www-form-urlencoded":
                text = data.decode()
                pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
                return dict(pairs), True
            case "multipart/form-data":
                return {name: content.decode() for name, content in parts(data, body.content_type).items()}, True
    # RecursionError: JSON that is nested too deeply.
    except (ValueError, RecursionError):
        raise (NOT_AN_OBJECT if body.media_type == "application/json" else UNREADABLE_FORM)() from None
    if not data:
        raise NO_BODY()
    raise UNSUPPORTED_TYPE()
