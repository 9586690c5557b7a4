"""The top plays of the modes, cached, so that a page is read by its scores' ids."""

import asyncio

from domain.modes import Mode
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# How many top plays of a mode are kept, and for how many seconds they are used.
LENGTH, FRESH_SECONDS = 1_000, 60.0


class TopPlays:
    """The ids of the best scores in a mode, highest pp first, as of up to a minute ago."""

    def __init__(self, database: Database, *, visible: int) -> None:
        """`visible` are the privilege bits that a player needs for scores to be listed."""
        self._database = database
        self._visible = visible
        # Without its index, the statement takes up to its time limit: for one mode at a time.
        self._turn = asyncio.Lock()
        self._lists = SingleFlightCache(
            self._read, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=len(Mode)
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._lists.close()

    async def page(self, mode: Mode, *, offset: int, limit: int) -> tuple[int, ...]:
        """Return the ids of at most `limit` top plays from position `offset` on, which counts from 0.

        Only the first LENGTH are known. Raise Unavailable if the database cannot be reached.
        """
        return (await self._lists.get(mode))[offset : offset + limit]

    async def _read(self, mode: Mode) -> tuple[int, ...]:
        async with self._turn:
            rows = await self._database.all(catalogue.top_plays, mode=mode, visible=self._visible, limit=LENGTH)
        return tuple(row.id for row in rows)
