"""The ids of all hidden players, of which a small statement tells before each use whether they are still right."""

import asyncio

from storage.cache.cache import SingleFlight
from storage.cache.texts import pages
from storage.database import catalogue
from storage.database.catalogue import HiddenMark, PlayerID
from storage.database.database import Database

PAGE, MOST_HIDDEN = 1000, 30_000
# How often they are read again if they change meanwhile.
TRIES = 3


class HiddenPlayers:
    """Tells which players are hidden at this moment. Callers at the same time share a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: frozenset[int] = frozenset()
        self._mark = HiddenMark(total=-1, ids=0, shifted=0)
        self._checks: SingleFlight[int, frozenset[int] | None] = SingleFlight()
        self._number = 0

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._checks.close()

    async def current(self) -> frozenset[int] | None:
        """Return the ids of the players who are hidden now or later, None if there are too many.

        Raise Unavailable if the database cannot be reached.
        """
        # A check that has begun may have read what has changed since: the next one counts, which all callers until
        # then share.
        return await asyncio.shield(self._checks.join(self._number + 1, self._check))

    async def _check(self, number: int) -> frozenset[int] | None:
        running = self._checks.get(number - 1)
        if running is not None:
            await asyncio.wait([running])
        self._number = number
        for _ in range(TRIES):
            mark = await self._database.one(catalogue.hidden_players_mark)
            assert mark is not None
            if mark == self._mark:
                return self._ids
            if mark.total > MOST_HIDDEN:
                return None
            await self._read()
        return None

    async def _read(self) -> None:
        ids: list[int] = []
        async for rows, _ in pages(self._read_page, PAGE):
            ids += [row.id for row in rows]
            if len(ids) > MOST_HIDDEN:
                break
        self._ids = frozenset(ids)
        self._mark = HiddenMark(total=len(ids), ids=sum(ids), shifted=sum(id << (id & 15) for id in ids))

    async def _read_page(self, after: int, limit: int) -> list[PlayerID]:
        return await self._database.all(catalogue.hidden_players, after=after, limit=limit)
