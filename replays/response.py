"""A replay as an HTTP response: opened, sent in chunks and closed in one scope."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from replays.binary import BadReplay
from replays.body import ByteLayout, OsrEnvelope, layout_of
from replays.conditional import Unsatisfiable, precondition_status, requested_range
from replays.errors import NoReplay
from replays.filename import content_disposition, stored_name
from replays.store import OpenReplay, ReplayStore, find_frames

log = logging.getLogger("apidot")

SEND_TIMEOUT = 60.0  # seconds a client may take for a chunk
TEXTS = {412: "The replay is another one.", 416: "The replay has no such bytes."}

# Without it caches guess a lifetime from Last-Modified, and the player may be hidden meanwhile.
NO_CACHE = {"cache-control": "no-cache"}

FindEnvelope = Callable[[], Awaitable[OsrEnvelope | None]]
ErrorBody = Callable[[str], dict[str, str]]


class ReplayResponse(Response):
    """The replay of a score, or the response of RFC 9110 to a conditional or range request.

    `find_envelope` is called once there is a file. It returns None for a response with the bare frames. Calling
    the response raises NoReplay, Unavailable and what `find_envelope` raises; and Changed, if it has begun.

    `nginx_location` is an internal location of nginx for the files of the store, empty without one. If the body is
    a file as it is, nginx is told to send it from there. Nginx cannot put a header before a file.
    """

    media_type = "application/octet-stream"

    def __init__(
        self,
        store: ReplayStore,
        score_id: int,
        find_envelope: FindEnvelope,
        *,
        nginx_location: str = "",
    ) -> None:
        super().__init__()
        self._nginx_location = nginx_location
        self._store = store
        self._score_id = score_id
        self._find_envelope = find_envelope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._store.open(self._score_id) as file:
            envelope = await self._find_envelope()
            try:
                body = layout_of(await find_frames(file), file.size, envelope)
            except BadReplay as error:
                log.warning("%s in %s is no replay: %s", self._score_id, self._store.name, error)
                raise NoReplay from error
            headers = {"content-description": "File Transfer", "content-type": str(self.media_type)}
            if envelope is not None:
                headers["content-disposition"] = content_disposition(envelope.name)
            # A client that did not come through a proxy would get an empty body.
            if self._nginx_location and body.is_whole_file(file.size) and len(scope["proxy_chain"]) > 1:
                headers |= {"x-accel-redirect": self._nginx_location + stored_name(self._score_id)} | NO_CACHE
                await Response(headers=headers)(scope, receive, send)
                return
            response = _evaluate(scope, body, file, headers, self.failure)
            if isinstance(response, Response):
                await response(scope, receive, send)
                return
            await send(response.start)
            await _send(response.body, file, receive, send)

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        """Return the body of a 412 or 416."""
        return {"status": text}


class _Success(msgspec.Struct, frozen=True):
    """The first ASGI message of a 200 or 206, and the body, None for HEAD."""

    start: dict[str, object]
    body: ByteLayout | None


def _evaluate(
    scope: Scope, body: ByteLayout, file: OpenReplay, headers: dict[str, str], error_body: ErrorBody
) -> _Success | Response:
    requested, size, etag = Headers(scope=scope), body.size, body.etag(file.version)
    now = datetime.now(UTC)
    # Last-Modified must not be later than the response (RFC 9110, 8.8.2.1).
    modified = min(file.modified, now).replace(microsecond=0)
    validators = {
        "accept-ranges": "bytes",
        "etag": etag,
        "last-modified": format_datetime(modified, usegmt=True),
    } | NO_CACHE
    status = precondition_status(requested, etag, modified)
    if status is not None:
        return _without_replay(status, validators, error_body)
    status = 200
    # Ranges are defined for GET only (RFC 9110, 14.2).
    if scope["method"] == "GET":
        try:
            part = requested_range(requested, size, etag, modified, now)
        except Unsatisfiable:
            return _without_replay(416, validators | {"content-range": f"bytes */{size}"}, error_body)
        if part is not None:
            status, body = 206, body.cut(*part)
            headers = headers | {"content-range": f"bytes {part[0]}-{part[1] - 1}/{size}"}
    headers = headers | validators | {"content-length": str(body.size)}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": status, "headers": raw}
    return _Success(start, body if scope["method"] == "GET" else None)


def _without_replay(status: int, headers: dict[str, str], error_body: ErrorBody) -> Response:
    if status not in TEXTS:
        return Response(status_code=status, headers=headers)
    return Response(msgspec.json.encode(error_body(TEXTS[status])), status, headers, "application/json")


async def _send(body: ByteLayout | None, file: OpenReplay, receive: Receive, send: Send) -> None:
    client = _Client(receive, send)
    try:
        if body is not None:
            await client.send(body.head)
            async with aclosing(file.chunks(body.start, body.stop)) as chunks:
                async for chunk in chunks:
                    await client.send(chunk)
                    del chunk
            await client.send(body.tail)
        await send({"type": "http.response.body"})
    except _Gone:
        return
    finally:
        client.gone.cancel()


class _Gone(Exception):
    """The client has disconnected."""


class _Client:
    """The client of a response. `gone` is done once it has disconnected, which `send` may not notice."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.gone = asyncio.create_task(_disconnect(receive))
        self._send = send

    async def send(self, chunk: bytes | memoryview) -> None:
        """Send a chunk, and wait until the client has taken it: no more is read than is sent."""
        if self.gone.done():
            raise _Gone
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                if chunk:
                    await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
                # uvicorn waits for a slow client when the next message comes, not before.
                await self._send({"type": "http.response.body", "body": b"", "more_body": True})
        except OSError as error:
            raise _Gone from error


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
