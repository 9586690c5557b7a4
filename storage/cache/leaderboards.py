"""The order of leaderboards: read in parts, and kept for some seconds, so that a page is found by players' ids.

In which place somebody is depends on everybody who is before, and of a country's players nothing but reading them
all tells who leads: milliseconds for each page, however short it is. Who is on a page is cheap to read.
"""

from typing import NamedTuple

from domain.modes import Mode
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# How many places there are from one part to the next, and how many more each part holds: as many as the longest
# page, so that every page lies within one.
PART, PAGE = 500, 100
# How many seconds an order is taken for true, and after how many it is read anew.
SECONDS, RENEW = 10.0, 5.0
# Of all parts together, some MiB.
PLACES = 100_000
# So far down, reading twice what comes before a part costs more than sorting the whole mode.
DEEP = 5_000


class LeaderboardKey(NamedTuple):
    """Which players are in which order: those of a mode, in the world or in one country, by a column."""

    sort: str
    mode: Mode
    country: str | None


class Segment(NamedTuple):
    """A run of a board's places; parts count from 0."""

    board: LeaderboardKey
    number: int

    @property
    def offset(self) -> int:
        """How many places come before it."""
        return self.number * PART


class LeaderboardOrder:
    """Knows who is where on leaderboards, as of some seconds ago."""

    def __init__(self, database: Database, *, visible: int) -> None:
        """`visible` are the privilege bits that a player needs to be on a board."""
        self._database = database
        self._visible = visible
        self._parts = SingleFlightCache(
            self._read, fresh=SECONDS, renew=RENEW, stale=SECONDS, size=PLACES, weigh=_weight
        )

    async def close(self) -> None:
        """End what is still being read."""
        await self._parts.close()

    async def places(self, board: LeaderboardKey, *, offset: int, limit: int) -> tuple[int, ...]:
        """The ids of the players on a page, PAGE at the most, in their order. Raises Unavailable."""
        number, begin = divmod(offset, PART)
        ids = await self._parts.get(Segment(board, number))
        return ids[begin : begin + limit]

    async def _read(self, part: Segment) -> tuple[int, ...]:
        """Of the world's players, those are sorted who have at least as much as the last one of the part.

        Then an index names them, and equals are still sorted by id. A country's are found by their country.
        """
        sort, mode, country = part.board
        least: int | float = 0
        if country is None and part.offset < DEEP:
            last = await self._database.one(
                catalogue.leaderboard_least[sort],
                mode=mode,
                visible=self._visible,
                last=part.offset + PART + PAGE - 1,
            )
            least = last.least if last else 0
        order = await self._database.all(
            catalogue.leaderboard_order[sort],
            mode=mode,
            country=country,
            visible=self._visible,
            least=least,
            limit=PART + PAGE,
            offset=part.offset,
        )
        return tuple(place.player_id for place in order)


def _weight(answers: list[tuple[int, ...]]) -> int:
    # One that is empty takes memory too.
    return 20 + sum(map(len, answers))
