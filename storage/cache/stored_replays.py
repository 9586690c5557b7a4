"""Which scores have a replay that is stored."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from storage.cache.bounded import BoundedMap

log = logging.getLogger("apidot")

# The game server stores a replay just after its score: for so long it may seem to have none.
FRESH_SECONDS = 10.0
SIZE = 20_000
# Seconds a look may take, and for how many after one that took longer nobody looks.
LOOK_SECONDS, PAUSE_SECONDS = 1.0, 5.0
# Looks at a time. On a file system that hangs, each takes a thread until it answers.
CONCURRENT = 2


class _Known(NamedTuple):
    is_stored: bool
    expires: float


class StoredReplays:
    """Whether replays are stored, as of some seconds ago. Each look at the storage takes a thread."""

    def __init__(self, look: Callable[[Sequence[int]], Awaitable[set[int]]]) -> None:
        """`look` returns those scores, out of at most a hundred, whose replay is stored."""
        self._look = look
        self._known: BoundedMap[int, _Known] = BoundedMap(SIZE)
        self._turns = asyncio.Semaphore(CONCURRENT)
        self._looks: set[asyncio.Task[None]] = set()
        self._paused_until = -math.inf

    async def of(self, score_ids: Iterable[int]) -> dict[int, bool | None]:
        """Return whether the replay of each of these scores, at most a hundred, is stored.

        It is None for those of which the storage does not tell within a second.
        """
        ids = list(score_ids)
        now = time.monotonic()
        stored = {id: self._is_stored(id, now) for id in ids}
        unknown = [id for id, is_stored in stored.items() if is_stored is None]
        if unknown and now >= self._paused_until:
            await self._look_in_time(unknown)
            stored |= {id: self._is_stored(id, now) for id in unknown}
        return stored

    def _is_stored(self, id: int, now: float) -> bool | None:
        known = self._known.get(id)
        return None if known is None or known.expires < now else known.is_stored

    async def _look_in_time(self, ids: Sequence[int]) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._turns.acquire()
                # A thread cannot be stopped, so the look goes on if nobody waits for it any more.
                task = asyncio.create_task(self._look_at(ids))
                self._looks.add(task)
                task.add_done_callback(self._looks.discard)
                await asyncio.shield(task)
        except TimeoutError:
            log.warning(
                "the storage of the replays does not answer: for %g s, has_replay of scores is null", PAUSE_SECONDS
            )
            self._paused_until = time.monotonic() + PAUSE_SECONDS

    async def _look_at(self, ids: Sequence[int]) -> None:
        try:
            found = await self._look(ids)
        finally:
            self._turns.release()
        expires = time.monotonic() + FRESH_SECONDS
        for id in ids:
            self._known.put(id, _Known(id in found, expires))
