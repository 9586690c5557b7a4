"""A replay as an HTTP response: opened, sent in chunks and closed in one scope."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from replays.body import ByteLayout, OsrEnvelope, layout_of
from replays.conditional import Unsatisfiable, precondition_status, requested_range
from replays.errors import BadReplay, NoReplay, StoreUnavailable, Unreadable
from replays.filename import content_disposition, stored_name
from replays.store import OpenReplay, ReplayStore, find_frames

log = logging.getLogger("apidot")

TEXTS = {412: "The replay is another one.", 416: "The replay has no such bytes."}

# Without it caches guess a lifetime from Last-Modified, and the player may be hidden meanwhile.
NO_CACHE = {"cache-control": "no-cache"}

# Up to so many bytes may still be in memory for a slow client after the response.
UNWAITED = 1 << 16

FindEnvelope = Callable[[], Awaitable[OsrEnvelope | None]]


class ReplayResponse(Response):
    """The replay of a score, or the response of RFC 9110 to a conditional or range request.

    `find_envelope` is called once there is a file. It returns None for a response with the bare frames. Calling
    the response raises NoReplay, Unavailable and what `find_envelope` raises; and Changed, if it has begun. If the
    store fails after that, the response stays incomplete, and the server closes the connection.

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
        try:
            async with self._store.open(self._score_id) as file:
                await self._respond(file, scope, receive, send)
        except Unreadable:
            # This raises NoReplay if the player is hidden: nobody may learn that there is a file.
            await self._find_envelope()
            raise

    async def _respond(self, file: OpenReplay, scope: Scope, receive: Receive, send: Send) -> None:
        envelope = await self._find_envelope()
        try:
            body = layout_of(await find_frames(file), file.size, envelope)
        except BadReplay as error:
            log.warning("%s in %s is no replay: %s", self._score_id, self._store.name, error)
            raise NoReplay from error
        headers = {"content-description": "File Transfer", "content-type": str(self.media_type)}
        if envelope is not None:
            headers["content-disposition"] = content_disposition(envelope.name)
        is_whole_file = body == ByteLayout(start=0, stop=file.size)
        # A client that did not come through a proxy would get an empty body.
        if self._nginx_location and is_whole_file and len(scope["proxy_chain"]) > 1:
            headers |= {"x-accel-redirect": self._nginx_location + stored_name(self._score_id)} | NO_CACHE
            await Response(headers=headers)(scope, receive, send)
            return
        status, validators, body = _evaluate(scope, body, file)
        if status in TEXTS:
            await JSONResponse(self.failure(TEXTS[status]), status, validators)(scope, receive, send)
        elif status == 304:
            await Response(status_code=304, headers=validators)(scope, receive, send)
        else:
            raw = Headers(headers | validators).raw
            await send({"type": "http.response.start", "status": status, "headers": raw})
            if scope["method"] != "GET":
                await send({"type": "http.response.body"})
            elif file.content is not None:
                await _send_at_once(body, file.content, send)
            else:
                await send_chunks(_chunks(body, file), receive, send)

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        """Return the body of a 412 or 416."""
        return {"status": text}


def _evaluate(scope: Scope, body: ByteLayout, file: OpenReplay) -> tuple[int, dict[str, str], ByteLayout]:
    """Return the status, the headers that come with it, and the part of the body for a 200 or 206."""
    requested, size, etag = Headers(scope=scope), body.size, body.etag(file.version)
    now = datetime.now(UTC)
    # Last-Modified must not be later than the response (RFC 9110, 8.8.2.1).
    modified = min(file.modified, now).replace(microsecond=0)
    headers = {
        "accept-ranges": "bytes",
        "etag": etag,
        "last-modified": format_datetime(modified, usegmt=True),
    } | NO_CACHE
    status = precondition_status(requested, etag, modified)
    if status is not None:
        return status, headers, body
    try:
        # Ranges are defined for GET only (RFC 9110, 14.2).
        part = requested_range(requested, size, etag, modified, now) if scope["method"] == "GET" else None
    except Unsatisfiable:
        return 416, headers | {"content-range": f"bytes */{size}"}, body
    if part is None:
        return 200, headers | {"content-length": str(size)}, body
    start, stop = part
    headers |= {"content-range": f"bytes {start}-{stop - 1}/{size}", "content-length": str(stop - start)}
    return 206, headers, body.cut(start, stop)


async def _send_at_once(body: ByteLayout, content: memoryview, send: Send) -> None:
    """Send the body out of the file's content. If it is long, wait until the client has taken it."""
    whole = b"".join((body.head, content[body.start : body.stop], body.tail))
    is_long = len(whole) > UNWAITED
    with suppress(OSError):
        await send({"type": "http.response.body", "body": whole, "more_body": is_long})
        if is_long:
            # uvicorn waits for a slow client when the next message comes, not before.
            await send({"type": "http.response.body"})


async def send_chunks(body: AsyncGenerator[bytes | memoryview, None], receive: Receive, send: Send) -> None:
    """Send the body until the client disconnects. No more is read than the client takes.

    The server disconnects a client that takes nothing. If the store fails, the body stays incomplete.
    """
    # `send` may not notice a disconnect.
    gone = asyncio.create_task(_disconnect(receive))
    try:
        async with aclosing(body) as chunks:
            async for chunk in chunks:
                if gone.done():
                    return
                try:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    # uvicorn waits for a slow client when the next message comes, not before.
                    await send({"type": "http.response.body", "body": b"", "more_body": True})
                except OSError:
                    return
                del chunk
        await send({"type": "http.response.body"})
    except StoreUnavailable:
        # The store has logged it. It is too late for an error response.
        return
    finally:
        gone.cancel()


async def _chunks(body: ByteLayout, file: OpenReplay) -> AsyncGenerator[bytes | memoryview, None]:
    if body.head:
        yield body.head
    async with aclosing(file.chunks(body.start, body.stop)) as chunks:
        async for chunk in chunks:
            yield chunk
            del chunk
    if body.tail:
        yield body.tail


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
