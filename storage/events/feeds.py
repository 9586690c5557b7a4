"""Polls new scores, the online players and the matches while somebody listens to live events."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from domain.errors import Unavailable
from domain.events import MatchEvent, PlayerEvent
from domain.live import Live, Match
from storage.events.cursor import GIVE_UP, MAX_OPEN, Cursor, Progress
from storage.events.event import RESET, Event, Filter, encode
from storage.events.relay import NOTHING, Relay
from storage.events.scores import IDS, PAGE, FoundScore, ScoreReader, events_of, missing

log = logging.getLogger("apidot")

# Seconds from the beginning of one poll to that of the next.
TURN = 0.8
# How many events listeners get at once, and how many listeners before other requests have their turn.
BATCH = 64
GROUP = 50
# The most statements with which one poll reads new ids.
MAX_STATEMENTS = 4
# How many scores listeners may have missed to get them.
MAX_MISSED = 5_000


class Audience(Protocol):
    """A listener, as far as a feed needs it."""

    filter: Filter

    def put(self, events: list[Event]) -> None:
        """Queue those of the events that it wants."""

    def wake(self) -> None:
        """Tell it that the first poll has ended, or that the feed is ready."""

    def forget(self) -> None:
        """Forget which scores the client had before it listened: their ids are used again."""


class Feed:
    """Polls for new events and passes them to its listeners. It does nothing while there are none.

    With a relay, only one of several processes polls, and the others receive what it publishes.
    """

    def __init__(self, open_relay: Callable[[], Relay] | None) -> None:
        """`open_relay` returns a new relay. If it is None, this process always polls."""
        self._open_relay = open_relay
        # All listeners, and those of them that get events already.
        self.wanted: set[Audience] = set()
        self._attached: set[Audience] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        # Whether a poll, or a message of another process, has succeeded since the first listener came.
        self.ready = False
        # Whether the first poll has ended, in success or failure.
        self.tried = False
        # Whether the last poll has not read everything, so that the next one follows at once.
        self.has_more = False
        # When the last poll succeeded, or the last message was received.
        self._known = 0.0

    @property
    def lag(self) -> float:
        """Seconds since the last successful poll or message; 0 if nobody listens."""
        return time.monotonic() - self._known if self._task else 0.0

    def join(self, listener: Audience) -> None:
        """Add a listener, which gets no events yet. With the first one, the feed begins to poll."""
        self.wanted.add(listener)
        if self._task is None:
            self._known = time.monotonic()
            self._task = asyncio.create_task(self._run())

    def attach(self, listener: Audience) -> None:
        """Let the listener get events from now on."""
        self._attached.add(listener)

    def leave(self, listener: Audience) -> None:
        """Remove a listener. With the last one, the feed stops."""
        self.wanted.discard(listener)
        self._attached.discard(listener)
        if not self.wanted and self._task is not None:
            self._task.cancel()
            self._stopping.add(self._task)
            self._task.add_done_callback(self._stopping.discard)
            self._task = None
            self.ready = self.tried = False
            self.forget()

    async def close(self) -> None:
        """Stop polling."""
        # Tasks that are stopping release their locks, so they are not cancelled again.
        tasks = [*self._stopping]
        if self._task is not None:
            self._task.cancel()
            tasks.append(self._task)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def poll(self) -> list[bytes]:
        """Deliver what is new since the last poll, and return messages with it for other processes.

        Raise Unavailable.
        """
        raise NotImplementedError

    async def receive(self, message: bytes) -> bool:
        """Deliver what another process has published. Return False if a message before that was missed.

        It is called only after a poll. Raise Unavailable.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Forget the results of the last poll."""
        raise NotImplementedError

    async def deliver(self, events: list[Event]) -> None:
        """Pass the events to all listeners that are attached now."""
        listeners = list(self._attached)
        for start in range(0, len(events), BATCH):
            if start:
                # So that listeners can send what they have.
                await asyncio.sleep(0.01)
            batch = events[start : start + BATCH]
            for first in range(0, len(listeners), GROUP):
                for listener in listeners[first : first + GROUP]:
                    listener.put(batch)
                await asyncio.sleep(0)

    async def _run(self) -> None:
        relay = self._open_relay() if self._open_relay else None
        if relay is not None:
            relay.start()
        try:
            while True:
                begun = time.monotonic()
                try:
                    messages = await self.poll()
                    self._is_up_to_date()
                    # A process whose poll has failed leaves polling to the others.
                    if relay is not None and not await relay.publish(messages):
                        await self._follow(relay)
                except Exception as error:
                    if relay is not None:
                        # Events may have been delivered here that the others did not receive.
                        relay.skip()
                    # Unavailable is logged where it is raised.
                    if not isinstance(error, Unavailable):
                        log.exception("live events: a poll has failed")
                    self._has_tried()
                pause = 0 if self.has_more else TURN
                self.has_more = False
                await asyncio.sleep(max(pause - (time.monotonic() - begun), 0.05))
        finally:
            if relay is not None:
                await relay.close()

    async def _follow(self, relay: Relay) -> None:
        """Receive what another process publishes, until a message is missed."""
        while (message := await relay.receive()) is not None:
            try:
                if message != NOTHING and not await self.receive(message):
                    return
            except (msgspec.MsgspecError, RecursionError):
                # It is not from another apidot.
                return
            self._is_up_to_date()

    def _is_up_to_date(self) -> None:
        self._known = time.monotonic()
        self._has_tried(succeeded=True)

    def _has_tried(self, *, succeeded: bool = False) -> None:
        if not self.tried or succeeded > self.ready:
            self.tried = True
            self.ready = self.ready or succeeded
            for listener in list(self.wanted):
                listener.wake()


class ScoresMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to other processes: the scores that were delivered.

    They are those with ids from `after` to `newest`, except the ids in `open`, and late ones with lower ids.
    `again`: ids above `newest` are used again. `reset`: there were too many scores to deliver them.
    """

    after: int
    newest: int
    open: list[int]
    scores: list[FoundScore]
    again: bool = False
    reset: bool = False


class ScoreFeed(Feed):
    """New scores: those with ids above the newest one, and those whose ids were missing below it."""

    def __init__(self, reader: ScoreReader, open_relay: Callable[[], Relay] | None) -> None:
        super().__init__(open_relay)
        self._reader = reader
        self._progress: Progress | None = None
        # What all listeners have been sent. `cursor` may be ahead of it while events are delivered.
        self.sent: Cursor | None = None
        # Since when the highest id has been lower than before, and the lowest value it has had since.
        self._fallen: tuple[float, int] | None = None

    @property
    def cursor(self) -> Cursor:
        """The scores that have been delivered. Only while the feed is ready."""
        assert self._progress is not None
        return self._progress.cursor

    def forget(self) -> None:
        self._progress = self._fallen = self.sent = None

    async def poll(self) -> list[bytes]:
        now = time.monotonic()
        if self._progress is None:
            ids = await self._reader.latest(MAX_OPEN)
            progress = Progress(ids[-1] if ids else 0)
            progress.open = dict.fromkeys(missing(ids), now)
            self._progress = progress
            return []
        progress = self._progress
        messages = []
        if progress.open:
            late = await self._reader.find(sorted(progress.open))
            if late:
                messages.append(await self._deliver(progress, [score.id for score in late], late, now))
            progress.give_up(now - GIVE_UP)
        for _ in range(MAX_STATEMENTS):
            ids = await self._reader.ids_from(progress.newest, IDS)
            if await self._has_fallen(progress, is_there=bool(ids) and ids[0] == progress.newest, now=now):
                messages.append(
                    encode(ScoresMessage(after=0, newest=progress.newest, open=[], scores=[], again=True))
                )
                continue
            if len(ids) == IDS and await self._reader.has_more(progress.newest, MAX_MISSED):
                messages.append(await self._skip(progress, await self._reader.latest(MAX_OPEN), now))
                continue
            new = [id for id in ids if id > progress.newest]
            for start in range(0, len(new), PAGE):
                page = new[start : start + PAGE]
                messages.append(await self._deliver(progress, page, await self._reader.find(page), now))
            if len(ids) < IDS:
                return messages
        self.has_more = True
        return messages

    async def receive(self, message: bytes) -> bool:
        progress, received = self._progress, msgspec.json.decode(message, type=ScoresMessage)
        assert progress is not None
        if received.after > progress.newest:
            return False
        now = time.monotonic()
        if received.again:
            self._begin_again(progress, received.newest)
        if received.reset and received.newest > progress.newest:
            await self._reset(progress, received.newest, received.open, now)
        new = [score for score in received.scores if score.id not in progress]
        # Late ones first, then all ids up to the newest one, those of hidden players too.
        ids = [score.id for score in new if score.id <= progress.newest]
        first, still_open = max(progress.newest, received.newest - MAX_OPEN) + 1, set(received.open)
        ids += [id for id in range(first, received.newest + 1) if id not in still_open]
        await self._deliver(progress, ids, new, now)
        if received.newest >= progress.newest:
            # Another process has read a higher id: this one has asked a replica that is behind.
            self._fallen = None
        progress.give_up(now - GIVE_UP)
        return True

    async def _deliver(
        self, progress: Progress, ids: Iterable[int], scores: list[FoundScore], now: float
    ) -> bytes:
        """Deliver the scores, and return a message with them for other processes.

        All `ids` count as delivered; those without a score are of hidden players.
        """
        wanted = any("first_place" in listener.filter.types for listener in self.wanted)
        first = await self._reader.first_places(scores) if wanted and scores else {}
        after, by_id, cursors = progress.newest, {score.id for score in scores}, []
        before = progress.cursor
        for id in ids:
            progress.add(id, now)
            if id in by_id:
                cursors.append(progress.cursor)
        await self.deliver(events_of(scores, cursors, first, before))
        self.sent = progress.cursor
        return encode(ScoresMessage(after=after, newest=progress.newest, open=[*progress.open], scores=scores))

    async def _skip(self, progress: Progress, latest: list[int], now: float) -> bytes:
        """Skip to the latest ids without delivering those before, and return that for other processes."""
        after = progress.newest
        await self._reset(progress, latest[-1], missing(latest), now)
        open = [*progress.open]
        return encode(ScoresMessage(after=after, newest=progress.newest, open=open, scores=[], reset=True))

    async def _reset(self, progress: Progress, newest: int, open: Iterable[int], now: float) -> None:
        progress.newest, progress.open = newest, dict.fromkeys(open, now)
        await self.deliver([RESET.copy(cursor=str(progress.cursor))])
        self.sent = progress.cursor

    async def _has_fallen(self, progress: Progress, *, is_there: bool, now: float) -> bool:
        """If the highest id has been lower for a while, scores were wiped: begin again and return True."""
        highest = progress.newest if is_there else next(iter(await self._reader.latest(1)), 0)
        if highest >= progress.newest:
            self._fallen = None
            return False
        since, lowest = self._fallen or (now, highest)
        self._fallen = since, min(lowest, highest)
        # Another server of a cluster may be behind for a while.
        if now - since < GIVE_UP:
            return False
        self._begin_again(progress, min(lowest, highest))
        return True

    def _begin_again(self, progress: Progress, newest: int) -> None:
        progress.newest, progress.open = newest, {}
        self._fallen = None
        self.sent = progress.cursor
        for listener in self.wanted:
            listener.forget()


class PlayerFeed(Feed):
    """Players who come online or go offline."""

    def __init__(self, live: Live, open_relay: Callable[[], Relay] | None) -> None:
        super().__init__(open_relay)
        self._live = live
        self._online: dict[int, str] | None = None

    def forget(self) -> None:
        self._online = None

    async def poll(self) -> list[bytes]:
        roster = await self._live.roster()
        if roster is None:
            return []
        online = {player.id: player.name for player in roster.players}
        changed = online != self._online
        await self._deliver(online)
        return [encode(online)] if changed else []

    async def receive(self, message: bytes) -> bool:
        await self._deliver(msgspec.json.decode(message, type=dict[int, str]))
        return True

    async def _deliver(self, online: dict[int, str]) -> None:
        before, self._online = self._online, online
        if before is None:
            return
        changes = [PlayerEvent(id=id, name=before[id], online=False) for id in before if id not in online]
        changes += [PlayerEvent(id=id, name=online[id], online=True) for id in online if id not in before]
        await self.deliver([Event(type="player", data=encode(change), player=change.id) for change in changes])


class MatchFeed(Feed):
    """Matches that are opened, changed and closed."""

    def __init__(self, live: Live, open_relay: Callable[[], Relay] | None) -> None:
        super().__init__(open_relay)
        self._live = live
        self._matches: dict[int, Match] | None = None

    def forget(self) -> None:
        self._matches = None

    async def poll(self) -> list[bytes]:
        matches = await self._live.matches()
        before = self._matches
        await self._deliver(matches)
        return [encode(matches)] if self._matches != before else []

    async def receive(self, message: bytes) -> bool:
        await self._deliver(msgspec.json.decode(message, type=list[Match]))
        return True

    async def _deliver(self, listed: list[Match]) -> None:
        before, self._matches = self._matches, {match.id: match for match in listed}
        if before is None:
            return
        changes = [MatchEvent(id=id, change="closed", match=None) for id in before if id not in self._matches]
        for id, match in self._matches.items():
            if match != before.get(id):
                changes.append(MatchEvent(id=id, change="changed" if id in before else "opened", match=match))
        await self.deliver([Event(type="match", data=encode(change), id=change.id) for change in changes])
