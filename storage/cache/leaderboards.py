"""The order of leaderboards: read in segments and cached, so that a page is read by its players' ids.

A player's position depends on everybody above, and only reading all players of a country tells who leads there:
milliseconds for each page, however short it is. Reading the players of a page by id is cheap.
"""

from typing import NamedTuple

from domain.modes import Mode
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# The positions from the start of one segment to that of the next, and how many more each segment holds: as many as
# the longest page, so that every page lies within one segment.
SEGMENT, PAGE = 500, 100
# For how many seconds a segment is used.
FRESH_SECONDS = 10.0
# The same for the number of players on a leaderboard that is longer than a segment: counting them reads them all.
TOTAL_FRESH_SECONDS = 60.0
# Ids in all segments together: some MiB. Each segment counts for some more, since an empty one takes memory too.
SIZE, SEGMENT_OVERHEAD = 100_000, 20
# From this position on, reading everything above a segment twice costs more than sorting the whole mode.
DEEP = 5_000


class LeaderboardKey(NamedTuple):
    """Which leaderboard: the column that sorts it, the mode, and the country or None for the world."""

    sort: str
    mode: Mode
    country: str | None


class Segment(NamedTuple):
    """The ids of the players in a part of a leaderboard, and whether the leaderboard ends with it."""

    ids: tuple[int, ...]
    is_last: bool


class LeaderboardOrder:
    """The ids of the players on leaderboards, in their order, as of some seconds ago."""

    def __init__(self, database: Database, *, visible: int) -> None:
        """`visible` are the privilege bits that a player needs to be on a leaderboard."""
        self._database = database
        self._visible = visible
        self._segments = SingleFlightCache(
            self._read,
            fresh=FRESH_SECONDS,
            renew=True,
            stale=FRESH_SECONDS,
            size=SIZE,
            overhead=SEGMENT_OVERHEAD,
            weigh=lambda segment: len(segment.ids),
        )
        self._totals = SingleFlightCache(
            self._count,
            fresh=TOTAL_FRESH_SECONDS,
            renew=True,
            stale=TOTAL_FRESH_SECONDS,
            size=1000,
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._segments.close()
        await self._totals.close()

    async def page(self, board: LeaderboardKey, *, offset: int, limit: int) -> tuple[int, ...]:
        """Return the ids of at most `limit` players, at most PAGE, from position `offset` on, which counts from 0.

        Raise Unavailable if the database cannot be reached.
        """
        number, begin = divmod(offset, SEGMENT)
        ids = (await self._segments.get((board, number))).ids
        return ids[begin : begin + limit]

    async def position(self, board: LeaderboardKey, player_id: int) -> int | None:
        """Return the position of a player on a leaderboard, which counts from 0, None if the player is not on it.

        It is the position in the order that pages are read from, which may be older than the player's statistics.
        Raise Unavailable if the database cannot be reached.
        """
        values = {"id": player_id, "mode": board.mode, "country": board.country, "visible": self._visible}
        row = await self._database.one(catalogue.leaderboard_position[board.sort], **values)
        if row and row.listed > 1:
            row = await self._database.one(catalogue.leaderboard_position_repeated[board.sort], **values)
        if row is None or not row.listed:
            return None
        counted = row.total - 1
        number = counted // SEGMENT
        # Where the player is not in the order that is cached, it is read again.
        for fresh in (None, 0.0):
            for near in (number, number - 1, number + 1):
                ids = (await self._segments.get((board, near), fresh)).ids if near >= 0 else ()
                if player_id in ids:
                    return near * SEGMENT + ids.index(player_id)
        return counted

    async def total(self, board: LeaderboardKey) -> int:
        """Return how many players are on a leaderboard, as of up to a minute ago.

        Raise Unavailable if the database cannot be reached.
        """
        first = await self._segments.get((board, 0))
        return len(first.ids) if first.is_last else await self._totals.get(board)

    async def _count(self, board: LeaderboardKey) -> int:
        count = catalogue.leaderboard_total[board.sort]
        row = await self._database.one(count, mode=board.mode, country=board.country, visible=self._visible)
        return row.total if row else 0

    async def _read(self, segment: tuple[LeaderboardKey, int]) -> Segment:
        (sort, mode, country), number = segment
        offset = number * SEGMENT
        least: int | float = 0
        if country is None and offset < DEEP:
            # With the value of the segment's last player as a bound, an index finds all players above it, and only
            # those are sorted, by id where they are equal. The players of a country are found by country.
            last = await self._database.one(
                catalogue.leaderboard_least[sort],
                mode=mode,
                visible=self._visible,
                last=offset + SEGMENT + PAGE - 1,
            )
            least = last.least if last else 0
        rows = await self._database.all(
            catalogue.leaderboard_order[sort],
            mode=mode,
            country=country,
            visible=self._visible,
            least=least,
            limit=SEGMENT + PAGE,
            offset=offset,
        )
        # A player has several rows if the primary key is missing.
        return Segment(tuple(dict.fromkeys(row.player_id for row in rows)), len(rows) < SEGMENT + PAGE)
