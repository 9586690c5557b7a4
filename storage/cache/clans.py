"""The order of the leaderboards of clans, cached, so that a page is read by its clans' ids."""

from typing import NamedTuple

from domain.modes import Mode
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# For how many seconds an order is used: all clans' members are read for it.
FRESH_SECONDS = 60.0
# One order for each mode.
SIZE = len(Mode)


class ClanPage(NamedTuple):
    """The ids of the clans on a page, and how many clans are on the whole leaderboard."""

    ids: tuple[int, ...]
    total: int


class ClanOrder:
    """The ids of the clans on leaderboards, in their order, as of up to a minute ago."""

    def __init__(self, database: Database, *, visible: int) -> None:
        """`visible` are the privilege bits that a player needs to count as a member."""
        self._database = database
        self._visible = visible
        self._orders = SingleFlightCache(
            self._read, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=SIZE
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._orders.close()

    async def page(self, sort: str, mode: Mode, *, offset: int, limit: int) -> ClanPage:
        """Return at most `limit` clans from position `offset` on, which counts from 0.

        Raise Unavailable if the database cannot be reached.
        """
        ids = (await self._orders.get(mode))[sort]
        return ClanPage(ids[offset : offset + limit], len(ids))

    async def _read(self, mode: Mode) -> dict[str, tuple[int, ...]]:
        """Return the ids of the clans in a mode by what they are sorted by. Clans with 0 are left out."""
        clans = await self._database.all(catalogue.clan_order, mode=mode, visible=self._visible)
        orders = {}
        for sort in catalogue.CLAN_LEADERBOARDS:
            # A clan in which nobody has played has no accuracy.
            values = {clan.id: value for clan in clans if (value := getattr(clan, sort) or 0) > 0}
            # They come by id, and sorting keeps the order of equal ones.
            orders[sort] = tuple(sorted(values, key=values.__getitem__, reverse=True))
        return orders
