"""A replay as an HTTP response: opened, sent and closed in one scope, a piece at a time."""

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
from replays.conditional import Unsatisfiable, asked_range, refusal
from replays.errors import NoReplay
from replays.filename import content_disposition
from replays.score_ids import file_name
from replays.store import OpenReplay, ReplayStore, find_frames

log = logging.getLogger("apidot")

SEND_SECONDS = 60.0  # that a client may take for a piece
TEXTS = {412: "The replay is another one.", 416: "The replay has no such bytes."}

# Else caches guess from Last-Modified for how long they need not ask; and players come to be hidden.
ASK_AGAIN = {"cache-control": "no-cache"}

FindWrapping = Callable[[], Awaitable[OsrEnvelope | None]]


class ReplayResponse(Response):
    """The replay of a score, or what RFC 9110 has in its place when the request is conditional or for a range.

    `find_envelope` is asked once there is a file; None from it stands for the bare frames. Calling the response
    raises what it raises, NoReplay and Unavailable; and Changed, when it is too late for another answer.

    `nginx_location` is where nginx finds the place's files, empty when it does not: there it is told to take over
    when the answer is a file as it is. Nginx cannot put a header before one.
    """

    media_type = "application/octet-stream"

    def __init__(
        self,
        place: ReplayStore,
        score_id: int,
        find_envelope: FindWrapping,
        *,
        nginx_location: str = "",
    ) -> None:
        super().__init__()
        self._nginx_location = nginx_location
        self._place = place
        self._score_id = score_id
        self._find_wrapping = find_envelope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._place.open(self._score_id) as file:
            wrapping = await self._find_wrapping()
            try:
                body = layout_of(await find_frames(file), file.size, wrapping)
            except BadReplay as error:
                log.warning("%s in %s is no replay: %s", self._score_id, self._place.name, error)
                raise NoReplay from error
            headers = {"content-description": "File Transfer", "content-type": str(self.media_type)}
            if wrapping is not None:
                headers["content-disposition"] = content_disposition(wrapping.name)
            # Who did not come by way of a proxy would be left with an empty answer.
            if self._nginx_location and body.is_whole(file.size) and len(scope["proxy_chain"]) > 1:
                headers |= {"x-accel-redirect": self._nginx_location + file_name(self._score_id)} | ASK_AGAIN
                await Response(headers=headers)(scope, receive, send)
                return
            answer = _answer(scope, body, file, headers, self.failure)
            if isinstance(answer, Response):
                await answer(scope, receive, send)
                return
            await send(answer.start)
            await _send(answer.body, file, receive, send)

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        """What is said instead of a part that cannot be had."""
        return {"status": text}


Failure = Callable[[str], dict[str, str]]


class _Answer(msgspec.Struct, frozen=True):
    """A successful answer: its first ASGI message, and what of the file follows it."""

    start: dict[str, object]
    body: ByteLayout | None


def _answer(
    scope: Scope, body: ByteLayout, file: OpenReplay, headers: dict[str, str], failure: Failure
) -> _Answer | Response:
    asked, size, etag = Headers(scope=scope), body.size, body.etag(file.version)
    now = datetime.now(UTC)
    # A date that is still to come is none for Last-Modified (RFC 9110, 8.8.2.1).
    modified = min(file.modified, now).replace(microsecond=0)
    validators = {
        "accept-ranges": "bytes",
        "etag": etag,
        "last-modified": format_datetime(modified, usegmt=True),
    } | ASK_AGAIN
    status = refusal(asked, etag, modified)
    if status is not None:
        return _instead(status, validators, failure)
    status = 200
    # Ranges are for GET alone (RFC 9110, 14.2).
    if scope["method"] == "GET":
        try:
            part = asked_range(asked, size, etag, modified, now)
        except Unsatisfiable:
            return _instead(416, validators | {"content-range": f"bytes */{size}"}, failure)
        if part is not None:
            status, body = 206, body.cut(*part)
            headers = headers | {"content-range": f"bytes {part[0]}-{part[1] - 1}/{size}"}
    headers = headers | validators | {"content-length": str(body.size)}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": status, "headers": raw}
    return _Answer(start, body if scope["method"] == "GET" else None)


def _instead(status: int, headers: dict[str, str], failure: Failure) -> Response:
    if status not in TEXTS:
        return Response(status_code=status, headers=headers)
    return Response(msgspec.json.encode(failure(TEXTS[status])), status, headers, "application/json")


async def _send(body: ByteLayout | None, file: OpenReplay, receive: Receive, send: Send) -> None:
    client = _Client(receive, send)
    try:
        if body is not None:
            await client.take(body.head)
            async with aclosing(file.chunks(body.start, body.stop)) as chunks:
                async for chunk in chunks:
                    await client.take(chunk)
                    del chunk
            await client.take(body.tail)
        await send({"type": "http.response.body"})
    except _Gone:
        return
    finally:
        client.gone.cancel()


class _Gone(Exception):
    """The client has hung up, or takes nothing any more."""


class _Client:
    """The other end. `gone` is done when it has hung up, which `send` alone may never tell."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.gone = asyncio.create_task(_disconnect(receive))
        self._send = send

    async def take(self, piece: bytes | memoryview) -> None:
        """Returns once the client has taken what was sent before, so that no more is read than is needed."""
        if self.gone.done():
            raise _Gone
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if piece:
                    await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                await self._send({"type": "http.response.body", "body": b"", "more_body": True})
        except OSError as error:
            raise _Gone from error


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
