"""What is looked at while somebody listens: the scores in the database, who is online, and the matches."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from domain.errors import Unavailable
from domain.events import MatchEvent, PlayerEvent
from domain.live import Live, Match
from storage.events.cursor import GIVE_UP, Cursor, Progress
from storage.events.event import Event, Filter, encode
from storage.events.scores import IDS, PAGE, FoundScore, ScoreReader, missing

log = logging.getLogger("apidot")

# Seconds from the beginning of one look to that of the next.
TURN = 0.8
# How many events listeners get at once, and how many listeners before other requests have their turn.
BATCH = 64
GROUP = 50


class Audience(Protocol):
    """A listener, as far as a feed needs it."""

    filter: Filter

    def put(self, events: list[Event]) -> None:
        """Queue those of the events that it wants."""

    def wake(self) -> None:
        """Let it look whether the feed is ready."""

    def forget(self) -> None:
        """Forget which scores it had before it listened: their ids are used again."""


class Feed:
    """Looks once in a while what has happened, and tells those who listen. It does nothing while nobody does."""

    def __init__(self) -> None:
        # All who want to listen, and those of them who are told what happens.
        self._wanted: set[Audience] = set()
        self._attached: set[Audience] = set()
        self._task: asyncio.Task[None] | None = None
        # Whether it knows what there was at its first look.
        self.ready = False

    def join(self, listener: Audience) -> None:
        """Begin to look, unless the feed does so already. The listener is told nothing yet."""
        self._wanted.add(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def attach(self, listener: Audience) -> None:
        """Tell the listener from now on what happens."""
        self._attached.add(listener)

    def leave(self, listener: Audience) -> None:
        """Tell the listener nothing any more. With the last one, the feed stops."""
        self._wanted.discard(listener)
        self._attached.discard(listener)
        if not self._wanted and self._task is not None:
            self._task.cancel()
            self._task = None
            self.ready = False
            self.forget()

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        """Tell what is new since the last look. Raise Unavailable."""
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
        clock = asyncio.get_running_loop().time
        while True:
            begun = clock()
            try:
                await self.look()
                if not self.ready:
                    self.ready = True
                    for listener in list(self._wanted):
                        listener.wake()
            except Unavailable:
                # Whatever does not answer is logged already.
                pass
            except Exception:
                log.exception("live events: a look has failed")
            await asyncio.sleep(max(TURN - (clock() - begun), 0.05))


class ScoreFeed(Feed):
    """New scores: those with ids above the newest one, and those whose ids were missing below it."""

    def __init__(self, reader: ScoreReader) -> None:
        super().__init__()
        self.reader = reader
        self._progress: Progress | None = None
        # Since when the highest id is lower than it was, and the lowest one since then.
        self._fallen: tuple[float, int] | None = None

    @property
    def cursor(self) -> Cursor:
        """The scores that have been told. Only while the feed is ready."""
        assert self._progress is not None
        return self._progress.cursor

    def forget(self) -> None:
        self._progress = self._fallen = None

    async def look(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._progress is None:
            ids = await self.reader.latest(IDS)
            self._progress = Progress(ids[-1] if ids else 0)
            self._progress.open = dict.fromkeys(missing(ids), now)
            return
        progress = self._progress
        if progress.open:
            late = await self.reader.find(sorted(progress.open))
            await self._tell(progress, [score.id for score in late], late, now)
            progress.give_up(now - GIVE_UP)
        while True:
            ids = await self.reader.ids_from(progress.newest, IDS)
            await self._notice_fall(progress, present=bool(ids) and ids[0] == progress.newest, now=now)
            new = [id for id in ids if id > progress.newest]
            for start in range(0, len(new), PAGE):
                page = new[start : start + PAGE]
                await self._tell(progress, page, await self.reader.find(page), now)
            if len(ids) < IDS:
                return

    async def _tell(self, progress: Progress, ids: Iterable[int], scores: list[FoundScore], now: float) -> None:
        """Tell the scores. All the ids are told then; those without a score are of hidden players."""
        by_id = {score.id: score for score in scores}
        events = []
        for id in ids:
            progress.add(id, now)
            if id in by_id:
                events.append(by_id[id].event(progress.cursor))
        await self.publish(events)

    async def _notice_fall(self, progress: Progress, *, present: bool, now: float) -> None:
        """Begin again if the highest id has been lower for a while: somebody has wiped scores."""
        highest = progress.newest if present else next(iter(await self.reader.latest(1)), 0)
        if highest >= progress.newest:
            self._fallen = None
            return
        since, lowest = self._fallen or (now, highest)
        self._fallen = since, min(lowest, highest)
        # Another server of a cluster may be behind for a moment.
        if now - since >= GIVE_UP:
            progress.newest, progress.open = min(lowest, highest), {}
            self._fallen = None
            for listener in self._wanted:
                listener.forget()


class PlayerFeed(Feed):
    """Players who come online or go offline."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live
        self._online: dict[int, str] | None = None

    def forget(self) -> None:
        self._online = None

    async def look(self) -> None:
        roster = await self._live.roster()
        if roster is None:
            return
        online = {player.id: player.name for player in roster.players}
        before, self._online = self._online, online
        if before is not None:
            changes = [PlayerEvent(id=id, name=before[id], online=False) for id in before if id not in online]
            changes += [PlayerEvent(id=id, name=online[id], online=True) for id in online if id not in before]
            await self.publish([Event(type="player", data=encode(change), player=change.id) for change in changes])


class MatchFeed(Feed):
    """Matches that are opened, changed and closed."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live
        self._matches: dict[int, Match] | None = None

    def forget(self) -> None:
        self._matches = None

    async def look(self) -> None:
        matches = {match.id: match for match in await self._live.matches()}
        before, self._matches = self._matches, matches
        if before is not None:
            changes = [MatchEvent(id=id, change="closed", match=None) for id in before if id not in matches]
            for id, match in matches.items():
                if match != before.get(id):
                    changes.append(MatchEvent(id=id, change="changed" if id in before else "opened", match=match))
            await self.publish([Event(type="match", data=encode(change), id=change.id) for change in changes])
