"""Request bodies: read within bounds of size and time, and what is in them."""

import asyncio
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request.multipart import MULTIPART, parts
from domain.errors import APIError, ErrorSpec

# Seconds for a whole body.
PATIENCE = 30.0

# How much of an unwanted body is read and dropped, and for how many seconds: a client that listens only when it
# has sent everything gets its answer, and an endless body is cut off.
DROPPED = 16 * 2**20
DROPPING = 5.0

# In the scope of a request whose body was for us: nobody reads on when its answer begins.
OURS = "apidot.body"

TOO_LARGE = ErrorSpec(413, "The body is larger than {limit} bytes.")
TOO_LATE = ErrorSpec(408, f"The body did not arrive within {PATIENCE:.0f} seconds.")
BREAKS_OFF = ErrorSpec(400, "The body breaks off.")
NO_OBJECT = ErrorSpec(400, "The body is not a JSON object.")
NO_FORM = ErrorSpec(400, "The form cannot be read.")
NO_BODY = ErrorSpec(400, "Must provide a body: JSON or a form.")
OTHER_BODY = ErrorSpec(415, "The body must be JSON or a form.")

# What the two ways to read a body refuse it with.
READ = (BREAKS_OFF, TOO_LATE)
FIELDS = (*READ, TOO_LARGE, NO_OBJECT, NO_FORM, NO_BODY, OTHER_BODY, *MULTIPART)

BODILESS = ("GET", "HEAD", "OPTIONS")


class Body:
    """The body of a request, unread at first."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.content_type = headers.get("content-type", "")
        self._length = _declared(headers)
        scope[OURS] = True
        self._receive = receive

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    async def read(self, limit: int, too_large: APIError | None = None) -> bytes:
        """The whole body, of at most `limit` bytes.

        Raises `too_large`, or a 413, as soon as it is larger; another APIError when it does not arrive in time, or
        breaks off.
        """
        too_large = too_large or TOO_LARGE(limit=limit)
        if self._length > limit:
            raise too_large
        data = bytearray()
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise BREAKS_OFF()
                    data += message.get("body", b"")
                    if len(data) > limit:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(data)
        except TimeoutError:
            raise TOO_LATE() from None


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "")
    # The server has refused what is no number; digits of other scripts are none.
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


async def fields(body: Body, limit: int) -> tuple[dict[str, object], bool]:
    """The named values in a JSON object or a form, and whether all of them are texts, as in a form.

    Raises APIError for other bodies, and as Body.read.
    """
    data = await body.read(limit)
    try:
        match body.media_type:
            case "application/json":
                return msgspec.json.decode(data, type=dict[str, object]), False
            case "application/x-www-form-urlencoded":
                pairs = parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
                return dict(pairs), True
            case "multipart/form-data":
                return {name: content.decode() for name, content in parts(data, body.content_type).items()}, True
    except ValueError:
        raise (NO_OBJECT if body.media_type == "application/json" else NO_FORM)() from None
    if not data:
        raise NO_BODY()
    raise OTHER_BODY()


class DrainUnreadBody:
    """Middleware: what is left of a body when the answer begins is dropped, or cut off with the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        finished = begun = False

        async def noting() -> Message:
            nonlocal finished, begun
            begun = True
            message = await receive()
            finished = message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def closing(message: Message) -> None:
            # A body on its way to the game server is still being read.
            passed_on = begun and OURS not in scope
            if message["type"] == "http.response.start" and not finished and not passed_on:
                if _declared(Headers(scope=scope)) <= DROPPED:
                    await drop()
                if not finished:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        async def drop() -> None:
            dropped = 0
            try:
                async with asyncio.timeout(DROPPING):
                    while not finished and dropped <= DROPPED:
                        dropped += len((await noting()).get("body", b""))
            except TimeoutError:
                pass

        await self.app(scope, noting, closing)
