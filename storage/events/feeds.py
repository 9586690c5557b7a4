"""What is looked at while somebody listens: the scores in the database, who is online, and the matches."""

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

# Seconds from the beginning of one look to that of the next.
TURN = 0.8
# How many events listeners get at once, and how many listeners before other requests have their turn.
BATCH = 64
GROUP = 50
# How many statements that read new ids one look sends at most.
LOOKED = 4
# How many scores listeners may have missed to get them.
MAX_MISSED = 5_000


class Audience(Protocol):
    """A listener, as far as a feed needs it."""

    filter: Filter

    def put(self, events: list[Event]) -> None:
        """Queue those of the events that it wants."""

    def wake(self) -> None:
        """Let it see that the first look has ended, or that the feed is ready."""

    def forget(self) -> None:
        """Forget which scores it had before it listened: their ids are used again."""


class Feed:
    """Looks once in a while what has happened, and tells those who listen. It does nothing while nobody does.

    With a relay, one of several processes looks, and this one hears what it has seen.
    """

    def __init__(self, open_relay: Callable[[], Relay] | None) -> None:
        """`open_relay` returns a new relay; None if this process always looks for itself."""
        self._open_relay = open_relay
        # All who want to listen, and those of them who are told what happens.
        self.wanted: set[Audience] = set()
        self._attached: set[Audience] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        # Whether it knows what there was at its first look.
        self.ready = False
        # Whether its first look has ended, with or without an answer.
        self.tried = False
        # Whether the last look has left something for the next one, which follows at once.
        self.has_more = False
        # When it last knew what has happened.
        self._known = 0.0

    @property
    def lag(self) -> float:
        """For how many seconds the feed does not know what has happened; 0 if nobody listens."""
        return time.monotonic() - self._known if self._task else 0.0

    def join(self, listener: Audience) -> None:
        """Begin to look, unless the feed does so already. The listener is told nothing yet."""
        self.wanted.add(listener)
        if self._task is None:
            self._known = time.monotonic()
            self._task = asyncio.create_task(self._run())

    def attach(self, listener: Audience) -> None:
        """Tell the listener from now on what happens."""
        self._attached.add(listener)

    def leave(self, listener: Audience) -> None:
        """Tell the listener nothing any more. With the last one, the feed stops."""
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
        """Stop."""
        # Those that are stopping give their locks back: they are not cancelled again.
        tasks = [*self._stopping]
        if self._task is not None:
            self._task.cancel()
            tasks.append(self._task)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> list[bytes]:
        """Tell what is new since the last look, and return it for other processes. Raise Unavailable."""
        raise NotImplementedError

    async def hear(self, seen: bytes) -> bool:
        """Tell what another process has seen. Return False if something before that was missed. Raise Unavailable.

        It is called after a look only.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Forget the last look."""
        raise NotImplementedError

    async def publish(self, events: list[Event]) -> None:
        """Tell the events to all listeners who are attached now."""
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
                    seen = await self.look()
                    self._is_up_to_date()
                    # A process that cannot look leaves it to the others.
                    if relay is not None and not await relay.tell(seen):
                        await self._follow(relay)
                except Exception as error:
                    if relay is not None:
                        # Something may have been told here that the others do not hear.
                        relay.skip()
                    # Whatever is unavailable is logged already.
                    if not isinstance(error, Unavailable):
                        log.exception("live events: a look has failed")
                    self._has_tried()
                pause = 0 if self.has_more else TURN
                self.has_more = False
                await asyncio.sleep(max(pause - (time.monotonic() - begun), 0.05))
        finally:
            if relay is not None:
                await relay.close()

    async def _follow(self, relay: Relay) -> None:
        """Hear what another process sees, as long as nothing is missed."""
        while (seen := await relay.hear()) is not None:
            try:
                if seen != NOTHING and not await self.hear(seen):
                    return
            except (msgspec.MsgspecError, RecursionError):
                # Somebody else has published it.
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


class SeenScores(msgspec.Struct, frozen=True, kw_only=True):
    """What a process has told: the scores from `after` to `newest`, without the `open` ones, and some below.

    `again`: ids above `newest` are used again. `reset`: there were too many to tell them.
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
        # What all listeners have been told, while others may be told more already.
        self.told: Cursor | None = None
        # Since when the highest id is lower than it was, and the lowest one since then.
        self._fallen: tuple[float, int] | None = None

    @property
    def cursor(self) -> Cursor:
        """The scores that have been told. Only while the feed is ready."""
        assert self._progress is not None
        return self._progress.cursor

    def forget(self) -> None:
        self._progress = self._fallen = self.told = None

    async def look(self) -> list[bytes]:
        now = time.monotonic()
        if self._progress is None:
            ids = await self._reader.latest(MAX_OPEN)
            progress = Progress(ids[-1] if ids else 0)
            progress.open = dict.fromkeys(missing(ids), now)
            self._progress = progress
            return []
        progress = self._progress
        seen = []
        if progress.open:
            late = await self._reader.find(sorted(progress.open))
            if late:
                seen.append(await self._tell(progress, [score.id for score in late], late, now))
            progress.give_up(now - GIVE_UP)
        for _ in range(LOOKED):
            ids = await self._reader.ids_from(progress.newest, IDS)
            if await self._has_fallen(progress, is_there=bool(ids) and ids[0] == progress.newest, now=now):
                seen.append(encode(SeenScores(after=0, newest=progress.newest, open=[], scores=[], again=True)))
                continue
            if len(ids) == IDS and await self._reader.has_more(progress.newest, MAX_MISSED):
                seen.append(await self._skip(progress, await self._reader.latest(MAX_OPEN), now))
                continue
            new = [id for id in ids if id > progress.newest]
            for start in range(0, len(new), PAGE):
                page = new[start : start + PAGE]
                seen.append(await self._tell(progress, page, await self._reader.find(page), now))
            if len(ids) < IDS:
                return seen
        self.has_more = True
        return seen

    async def hear(self, seen: bytes) -> bool:
        progress, heard = self._progress, msgspec.json.decode(seen, type=SeenScores)
        assert progress is not None
        if heard.after > progress.newest:
            return False
        now = time.monotonic()
        if heard.again:
            self._begin_again(progress, heard.newest)
        if heard.reset and heard.newest > progress.newest:
            await self._reset(progress, heard.newest, heard.open, now)
        new = [score for score in heard.scores if score.id not in progress]
        # Late ones first, then all that were told up to the newest one, those of hidden players too.
        ids = [score.id for score in new if score.id <= progress.newest]
        first, still_open = max(progress.newest, heard.newest - MAX_OPEN) + 1, set(heard.open)
        ids += [id for id in range(first, heard.newest + 1) if id not in still_open]
        await self._tell(progress, ids, new, now)
        if heard.newest >= progress.newest:
            # Another process has seen the highest id: what was seen here before was a server that is behind.
            self._fallen = None
        progress.give_up(now - GIVE_UP)
        return True

    async def _tell(self, progress: Progress, ids: Iterable[int], scores: list[FoundScore], now: float) -> bytes:
        """Tell the scores, and return them for other processes.

        All the ids are told then; those without a score are of hidden players.
        """
        wanted = any("first_place" in listener.filter.types for listener in self.wanted)
        first = await self._reader.first_places(scores) if wanted and scores else {}
        after, by_id, cursors = progress.newest, {score.id for score in scores}, []
        before = progress.cursor
        for id in ids:
            progress.add(id, now)
            if id in by_id:
                cursors.append(progress.cursor)
        await self.publish(events_of(scores, cursors, first, before))
        self.told = progress.cursor
        return encode(SeenScores(after=after, newest=progress.newest, open=[*progress.open], scores=scores))

    async def _skip(self, progress: Progress, latest: list[int], now: float) -> bytes:
        """Go on from the latest ids without telling what was before, and return that for other processes."""
        after = progress.newest
        await self._reset(progress, latest[-1], missing(latest), now)
        open = [*progress.open]
        return encode(SeenScores(after=after, newest=progress.newest, open=open, scores=[], reset=True))

    async def _reset(self, progress: Progress, newest: int, open: Iterable[int], now: float) -> None:
        progress.newest, progress.open = newest, dict.fromkeys(open, now)
        await self.publish([RESET.copy(cursor=str(progress.cursor))])
        self.told = progress.cursor

    async def _has_fallen(self, progress: Progress, *, is_there: bool, now: float) -> bool:
        """Begin again, and return True, if the highest id has been lower for a while: scores were wiped."""
        highest = progress.newest if is_there else next(iter(await self._reader.latest(1)), 0)
        if highest >= progress.newest:
            self._fallen = None
            return False
        since, lowest = self._fallen or (now, highest)
        self._fallen = since, min(lowest, highest)
        # Another server of a cluster may be behind for a moment.
        if now - since < GIVE_UP:
            return False
        self._begin_again(progress, min(lowest, highest))
        return True

    def _begin_again(self, progress: Progress, newest: int) -> None:
        progress.newest, progress.open = newest, {}
        self._fallen = None
        self.told = progress.cursor
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

    async def look(self) -> list[bytes]:
        roster = await self._live.roster()
        if roster is None:
            return []
        online = {player.id: player.name for player in roster.players}
        changed = online != self._online
        await self._tell(online)
        return [encode(online)] if changed else []

    async def hear(self, seen: bytes) -> bool:
        await self._tell(msgspec.json.decode(seen, type=dict[int, str]))
        return True

    async def _tell(self, online: dict[int, str]) -> None:
        before, self._online = self._online, online
        if before is None:
            return
        changes = [PlayerEvent(id=id, name=before[id], online=False) for id in before if id not in online]
        changes += [PlayerEvent(id=id, name=online[id], online=True) for id in online if id not in before]
        await self.publish([Event(type="player", data=encode(change), player=change.id) for change in changes])


class MatchFeed(Feed):
    """Matches that are opened, changed and closed."""

    def __init__(self, live: Live, open_relay: Callable[[], Relay] | None) -> None:
        super().__init__(open_relay)
        self._live = live
        self._matches: dict[int, Match] | None = None

    def forget(self) -> None:
        self._matches = None

    async def look(self) -> list[bytes]:
        matches = await self._live.matches()
        before = self._matches
        await self._tell(matches)
        return [encode(matches)] if self._matches != before else []

    async def hear(self, seen: bytes) -> bool:
        await self._tell(msgspec.json.decode(seen, type=list[Match]))
        return True

    async def _tell(self, listed: list[Match]) -> None:
        before, self._matches = self._matches, {match.id: match for match in listed}
        if before is None:
            return
        changes = [MatchEvent(id=id, change="closed", match=None) for id in before if id not in self._matches]
        for id, match in self._matches.items():
            if match != before.get(id):
                changes.append(MatchEvent(id=id, change="changed" if id in before else "opened", match=match))
        await self.publish([Event(type="match", data=encode(change), id=change.id) for change in changes])
