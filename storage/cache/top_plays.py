"""The top plays of the modes, cached, so that a page is read by its scores' ids."""

import time
from typing import NamedTuple

from domain.errors import Unavailable
from domain.modes import Mode
from storage.cache.cache import SingleFlightCache
from storage.cache.turns import Turns
from storage.database import catalogue
from storage.database.database import SLOW, Database

# How many top plays of a mode are kept, and for how many seconds they are used.
LENGTH, FRESH_SECONDS = 1_000, 60.0
# For how many seconds a mode is not read again after a read that was too slow, so that others can be read.
SLOW_SECONDS = 10.0


class _Failed(NamedTuple):
    failure: Unavailable
    until: float


class TopPlays:
    """The ids of the best scores in a mode, highest pp first, as of up to a minute ago."""

    def __init__(self, database: Database, *, visible: int, wait: float) -> None:
        """`visible` are the privilege bits that a player needs for scores to be listed.

        `wait` is for how many seconds a read waits for that of another mode.
        """
        self._database = database
        self._visible = visible
        self._failed: dict[Mode, _Failed] = {}
        # Without its index, the statement takes up to its time limit: for one mode at a time.
        self._turns = Turns(1, wait=wait)
        self._lists = SingleFlightCache(
            self._read, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=len(Mode)
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._lists.close()

    async def page(self, mode: Mode, *, offset: int, limit: int) -> tuple[int, ...]:
        """Return the ids of at most `limit` top plays from position `offset` on, which counts from 0.

        Only the first LENGTH are known. Raise Unavailable if the database cannot be reached, or another
        mode takes long to read.
        """
        return (await self._lists.get(mode))[offset : offset + limit]

    async def _read(self, mode: Mode) -> tuple[int, ...]:
        failed = self._failed.get(mode)
        if failed and time.monotonic() < failed.until:
            raise failed.failure
        async with self._turns.take():
            try:
                rows = await self._database.all(
                    catalogue.top_plays, mode=mode, visible=self._visible, limit=LENGTH
                )
            except Unavailable as failure:
                if failure.message == SLOW.message:
                    self._failed[mode] = _Failed(failure, time.monotonic() + SLOW_SECONDS)
                raise
        return tuple(row.id for row in rows)
