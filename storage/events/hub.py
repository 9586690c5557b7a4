"""Live events, and the clients that listen to them."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Self

from domain.errors import ErrorSpec, Unavailable
from domain.events import Hello
from domain.live import Live
from storage.api_keys import network
from storage.database.database import Database
from storage.events.cursor import Cursor
from storage.events.event import BYE, RESET, Event, EventType, Filter, encode
from storage.events.feeds import GROUP, MAX_MISSED, Feed, MatchFeed, PlayerFeed, ScoreFeed
from storage.events.relay import Relay
from storage.events.scores import PAGE, ScoreReader, next_page
from storage.observer import Observer

TOO_MANY_STREAMS = ErrorSpec(429, "You have {limit} streams of events open, the most that one client may have.")
ALL_STREAMS_TAKEN = ErrorSpec(503, "All {limit} streams of events are taken.")
STOPPING = ErrorSpec(503, "The API is being restarted.")

# Seconds between two empty lists, which show a listener that the stream is alive.
BEAT = 15.0
# How many events may wait for a listener before it is dropped.
MAX_UNREAD = 256
# How many listeners read what they have missed at the same time.
REPLAYS = 4
# Seconds before a listener asks the database again for what it has missed.
RETRY = 1.0


class Hub:
    """Passes live events to listeners. It polls for them only while there are listeners."""

    def __init__(
        self,
        database: Database,
        live: Live,
        *,
        visible: int,
        visible_on_boards: int,
        per_client: int,
        total: int,
        open_relay: Callable[[str], Relay] | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`visible` are the privilege bits of players who are shown, and of those on leaderboards.

        At most `total` listeners are let in, `per_client` of them from one address. `open_relay` returns a new
        relay for a feed; without it, this process polls for everything itself.
        """

        def opened(feed: str) -> Callable[[], Relay] | None:
            return partial(open_relay, feed) if open_relay else None

        self.live = live
        self.observer = observer or Observer()
        self.reader = ScoreReader(database, visible=visible, visible_on_boards=visible_on_boards)
        self.scores = ScoreFeed(self.reader, opened("scores"))
        players, matches = PlayerFeed(live, opened("players")), MatchFeed(live, opened("matches"))
        self.feeds: dict[EventType, Feed] = {
            "score": self.scores,
            "first_place": self.scores,
            "player": players,
            "match": matches,
        }
        self.replays = asyncio.Semaphore(REPLAYS)
        self._per_client, self._total = per_client, total
        self._listeners: set[Listener] = set()
        self._by_client: Counter[str] = Counter()
        # The events sent since they were last reported, by type.
        self._sent: Counter[str] = Counter()
        self._beats: asyncio.Task[None] | None = None
        self.stopping = False

    def __len__(self) -> int:
        """The number of listeners."""
        return len(self._listeners)

    @property
    def lag(self) -> float:
        """Seconds since the last successful poll, of the feed that is furthest behind; 0 if nobody listens."""
        return max(feed.lag for feed in self.feeds.values())

    def listen(
        self, filter: Filter, *, address: str = "", last: Cursor | None = None, again: bool = False
    ) -> "Listener":
        """Return a listener, which is a context manager. Raise APIError if there are too many.

        `address` is that of the client. `last` are the scores that it has; it gets those that it has missed. With
        `again`, twice as many are let in: a client that was let in elsewhere before connects again, and a browser
        that is refused would never do so again.
        """
        client = network(address) if address else ""
        if self.stopping:
            raise STOPPING(retry_after=5)
        times = 2 if again else 1
        if client and self._by_client[client] >= self._per_client * times:
            raise TOO_MANY_STREAMS(retry_after=5, limit=self._per_client)
        if len(self._listeners) >= self._total * times:
            raise ALL_STREAMS_TAKEN(retry_after=5, limit=self._total)
        return Listener(self, filter, client, last)

    def add(self, listener: "Listener") -> None:
        """Count the listener."""
        self._listeners.add(listener)
        self._by_client[listener.client] += 1
        if self._beats is None:
            self._beats = asyncio.create_task(self._beat())

    def remove(self, listener: "Listener") -> None:
        """Stop counting the listener."""
        if listener in self._listeners:
            self._listeners.discard(listener)
            self._by_client[listener.client] -= 1
            if not self._by_client[listener.client]:
                del self._by_client[listener.client]
        if not self._listeners and self._beats is not None:
            self._beats.cancel()
            self._beats = None
            self._report()

    def count(self, events: list[Event]) -> None:
        """Count events that a listener has got."""
        for event in events:
            self._sent[event.type] += 1

    def stop(self) -> None:
        """End all streams with `bye`, and refuse new ones."""
        self.stopping = True
        for listener in list(self._listeners):
            listener.end()

    async def close(self) -> None:
        """End all streams, and stop polling."""
        self.stop()
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.gather(self._beats, return_exceptions=True)
        for feed in set(self.feeds.values()):
            await feed.close()

    def _report(self) -> None:
        self.observer.on_events(self._sent)
        self._sent.clear()

    async def _beat(self) -> None:
        due = time.monotonic() + BEAT
        while True:
            # The deadline is compared after each second, because tests move this clock.
            await asyncio.sleep(1)
            self._report()
            if time.monotonic() < due:
                continue
            due += BEAT
            listeners = list(self._listeners)
            for start in range(0, len(listeners), GROUP):
                for listener in listeners[start : start + GROUP]:
                    listener.beat()
                await asyncio.sleep(0)


class Listener:
    """Yields lists of events: first `hello`, then what it has missed, then what happens.

    An empty list comes every 15 seconds, so that the client can be shown that the stream goes on. The last event
    is `bye` if the service stops. A listener that leaves too many events unread ends without `bye`.

    Use it as a context manager, in one task.
    """

    def __init__(self, hub: Hub, filter: Filter, client: str, last: Cursor | None) -> None:
        self.filter = filter
        self.client = client
        # Whether it ends without `bye`, or has had it.
        self.dropped = False
        self._hub = hub
        # The scores that the client had, and those of them and later ones that it has with what was put so far.
        self._last = self._own = last
        self._feeds: set[Feed] = set()
        self._unread: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._beginning: AsyncIterator[list[Event]] | None = self._begin()
        # Whether the feeds tell it what happens.
        self._begun = False
        self._beat = self._ended = False

    def __enter__(self) -> Self:
        self._hub.add(self)
        self.change(self.filter)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def cursor(self) -> str:
        """The cursor of a client that has read everything so far, empty if that is not known."""
        scores = self._hub.scores
        is_known = self._begun and self._beginning is None and not self._unread and scores in self._feeds
        if not is_known or scores.sent is None:
            return ""
        # This process may be behind another one that the client was connected to.
        is_behind = self._own is not None and scores.sent.newest < self._own.newest
        return "" if is_behind else str(scores.sent)

    def change(self, filter: Filter) -> None:
        """Replace the filter, for events from now on."""
        if self._ended:
            return
        self.filter = filter
        feeds = {self._hub.feeds[type] for type in filter.types}
        for feed in self._feeds - feeds:
            feed.leave(self)
        for feed in feeds - self._feeds:
            feed.join(self)
            if self._begun:
                feed.attach(self)
        self._feeds = feeds

    def close(self) -> None:
        """Stop listening. The iteration ends."""
        for feed in self._feeds:
            feed.leave(self)
        self._feeds = set()
        self._hub.remove(self)
        self._unread.clear()
        self._ended = self.dropped = True
        self.wake()

    def end(self) -> None:
        """Let the stream end with `bye`."""
        self._ended = True
        self.wake()

    # Called by the hub and the feeds.

    def put(self, events: list[Event]) -> None:
        if self._ended:
            return
        for event in events:
            if event.type == "reset":
                self.forget()
            last = self._last
            if event.alone is not None and "first_place" not in self.filter.types:
                event = event.alone
            if self.filter.admits(event) and (last is None or not event.cursor or event.id not in last):
                self._unread.append(self._not_behind(event))
        if len(self._unread) > MAX_UNREAD:
            self._hub.observer.on_listener_dropped()
            self.close()
        elif self._unread:
            self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def beat(self) -> None:
        self._beat = True
        self.wake()

    def forget(self) -> None:
        self._last = self._own = None

    def _not_behind(self, event: Event) -> Event:
        """Return the event, with the client's own cursor if this process is behind that."""
        if self._own is None or not event.cursor:
            return event
        if int(event.cursor.partition(".")[0]) >= self._own.newest:
            self._own = None
            return event
        self._own = Cursor(self._own.newest, self._own.open - {event.id})
        return event.copy(cursor=str(self._own))

    # What the client gets.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        if self._beginning is not None:
            async for events in self._beginning:
                self._hub.count(events)
                return events
            self._beginning = None
        while not (self._unread or self._beat or self._ended):
            await self._wait()
        if self._ended:
            if self.dropped:
                raise StopAsyncIteration
            self.dropped = True
            return [BYE]
        self._beat = False
        events = list(self._unread)
        self._unread.clear()
        self._hub.count(events)
        return events

    async def _begin(self) -> AsyncIterator[list[Event]]:
        """Yield `hello` and what the listener has missed; it is attached to the scores at the end."""
        hub = self._hub
        while not (self._ended or self._may_begin()):
            await self._wait()
            if self._beat:
                yield []
            self._beat = False
        if self._ended:
            return
        online = await self._online()
        with_scores = hub.scores in self._feeds
        last = self._last if with_scores else None
        for feed in self._feeds - {hub.scores}:
            feed.attach(self)
        if last is None:
            self._attach()
        last_id = str(last or hub.scores.cursor) if with_scores and not self._ended else None
        # A client that has missed something does not have it yet.
        cursor = last_id or "" if self._begun else ""
        yield [Event(type="hello", data=encode(Hello(last_id=last_id, online=online)), cursor=cursor)]
        if last is None:
            return
        while (can_catch_up := await self._can_catch_up(last)) is None and not self._ended:
            yield []
        if self._ended:
            return
        if not can_catch_up:
            self.forget()
            self._attach()
            yield [RESET.copy(cursor=str(hub.scores.cursor))]
            return
        seen, is_last = last, False
        while not (is_last or self._ended):
            until = hub.scores.cursor
            is_last = until.newest - seen.newest <= PAGE
            if is_last:
                self._attach()
            async for events in self._missed(seen, until):
                wanted = [event for event in events if event.id not in last and self.filter.admits(event)]
                if wanted or not events:
                    yield wanted
            seen = until

    async def _online(self) -> int | None:
        try:
            return await self._hub.live.count()
        except Unavailable:
            return None

    def _may_begin(self) -> bool:
        # Scores need a place to begin at. A game server that does not answer must not keep them back.
        return all(feed.ready if feed is self._hub.scores else feed.tried for feed in self._feeds)

    def _attach(self) -> None:
        self._begun = True
        for feed in self._feeds:
            feed.attach(self)

    async def _can_catch_up(self, seen: Cursor) -> bool | None:
        """Return whether it may get what it has missed; None, after a beat, if the database does not answer."""
        if self._ended:
            return None
        if 0 <= self._hub.scores.cursor.newest - seen.newest <= MAX_MISSED:
            return True
        while not (self._beat or self._ended):
            try:
                async with self._hub.replays:
                    return await self._hub.reader.can_catch_up(seen, MAX_MISSED)
            except Unavailable:
                await asyncio.sleep(RETRY)
        self._beat = False
        return None

    async def _missed(self, seen: Cursor, until: Cursor) -> AsyncIterator[list[Event]]:
        """Yield the events of the scores that `until` has and `seen` has not. Wait while the database is away."""
        while seen != until and not self._ended:
            try:
                async with self._hub.replays:
                    events, seen = await next_page(
                        self._hub.reader, seen, until, first_places="first_place" in self.filter.types
                    )
            except Unavailable:
                await asyncio.sleep(RETRY)
                events = []
            if events or self._beat:
                self._beat = False
                yield events

    async def _wait(self) -> None:
        """Wait until something has happened that it may have to do with."""
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
