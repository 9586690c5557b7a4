"""A response that never ends by itself: live events as server-sent events (the HTML standard, 9.2)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.events import FirstPlaceEvent, Hello, MatchEvent, Nothing, PlayerEvent, ScoreEvent
from storage.events.cursor import Cursor
from storage.events.event import BYE, Event, Filter
from storage.events.hub import Hub

# Milliseconds after which a browser connects again.
RETRY = b"retry: 3000\n\n"
# Keeps proxies from taking the connection for dead. No empty line follows it, which some clients take for the end
# of an event.
COMMENT = b": still here\n"
LAST_EVENT_ID = b"last-event-id"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx passes each event on at once.
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """Sends the events that a filter admits, until the client leaves or the service stops."""

    media_type = "text/event-stream"
    # What the data of each type of event is.
    data: Mapping[str, type[msgspec.Struct]] = {
        "hello": Hello,
        "score": ScoreEvent,
        "first_place": FirstPlaceEvent,
        "player": PlayerEvent,
        "match": MatchEvent,
        "reset": Nothing,
        "bye": Nothing,
    }

    def __init__(self, hub: Hub, filter: Filter, last: Cursor | None) -> None:
        """`last` are the scores that the client has, unless it sends the header Last-Event-ID."""
        self._hub = hub
        self._filter = filter
        self._last = last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream. Raise APIError before it begins if there are too many."""
        start = {"type": "http.response.start", "status": 200, "headers": [*HEADERS]}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body"})
            return
        if self._hub.stopping:
            # A browser that got an error would never connect again.
            await send(start)
            await send({"type": "http.response.body", "body": RETRY + text_of(BYE)})
            return
        address = scope["client"][0] if scope["client"] else ""
        header = last_event_id(scope)
        last_seen, again = header or self._last, header is not None
        with self._hub.listen(self._filter, address=address, last=last_seen, again=again) as listener:
            # For the request log: it is not in flight, and its time says nothing.
            scope["streaming"] = True
            left = asyncio.create_task(_disconnected(receive))
            left.add_done_callback(lambda _: listener.close())
            try:
                await send(start)
                await send({"type": "http.response.body", "body": RETRY, "more_body": True})
                last = ""
                async for events in listener:
                    cursor = events[-1].cursor if events else listener.cursor
                    body = b"".join(map(text_of, events)) or still_here(cursor, last)
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    last = cursor or last
                await send({"type": "http.response.body"})
            finally:
                left.cancel()


def last_event_id(scope: Scope) -> Cursor | None:
    """Return the cursor in the header Last-Event-ID, None if there is none or it cannot be read.

    A browser that got an error for it would never connect again.
    """
    for name, value in scope["headers"]:
        if name == LAST_EVENT_ID:
            with suppress(ValueError):
                return Cursor.parse(value.decode("latin-1"))
    return None


def text_of(event: Event) -> bytes:
    """Return the event in the format text/event-stream."""
    return event.form("sse", _text_of)


def _text_of(event: Event) -> bytes:
    id = f"id: {event.cursor}\n".encode() if event.cursor else b""
    return b"%bevent: %b\ndata: %b\n\n" % (id, event.type.encode(), event.data)


def still_here(cursor: str, last: str) -> bytes:
    """Return a comment and, if it is not the last one, the cursor, with which a client has missed less later."""
    return COMMENT if cursor in ("", last) else b"%bid: %b\n\n" % (COMMENT, cursor.encode())


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
