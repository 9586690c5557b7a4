"""Lists that are read by pages, in the order of their primary keys, and how long they are."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import TypeVar

import msgspec

from domain.v2 import Score
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.catalogue import Block, Total
from storage.database.database import Database, Query
from storage.database.statement import Value

T = TypeVar("T")
Filters = tuple[tuple[str, Value], ...]

# How many seconds the length of a list is taken for true, and after how many it is counted anew.
MINUTE, RENEW = 60.0, 45.0
MILLION = 1_000_000
# The same for how many players are registered, which people watch: no server can count without reading them all.
SECONDS, RENEW_SECONDS = 5.0, 2.0


class PageRequest(msgspec.Struct, frozen=True):
    """A page of so many rows; pages count from 1."""

    page: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.page - 1) * self.size


class IdBlocks:
    """How many rows lie in each run of ids, to find a row by its number without reading what is before it."""

    def __init__(self, blocks: Iterable[Block], without: Iterable[Block]) -> None:
        """Rows `without` are among the `blocks`, and do not count."""
        totals: Counter[int] = Counter()
        for block in blocks:
            totals[block.first] += block.total
        for block in without:
            totals[block.first] -= block.total
        # What is written while they are counted may be missing in the first.
        kept = sorted((first, total) for first, total in totals.items() if total > 0)
        self._firsts = [first for first, _ in kept]
        self._before = [0, *accumulate(total for _, total in kept)]
        self.total = self._before[-1]

    def find(self, place: PageRequest) -> tuple[int, int | None, int]:
        """Where a page is that begins below `total`: from which id, to which, and after how many rows.

        Without an end they are among the last ones, of which there may be more by now.
        """
        begin = bisect_right(self._before, place.offset) - 1
        after = bisect_left(self._before, place.offset + place.size)
        last = self._firsts[after] - 1 if after < len(self._firsts) else None
        return self._firsts[begin], last, place.offset - self._before[begin]


class Pagination:
    """Reads pages. Every list is counted at most once a minute."""

    def __init__(self, database: Database, *, part: int = MILLION) -> None:
        """`part` is how many scores one statement counts at the most."""
        self._database = database
        self._part = part
        self._totals = SingleFlightCache(self._count, fresh=MINUTE, renew=RENEW, stale=MINUTE, size=1000)
        self._registered = SingleFlightCache(self._count, fresh=SECONDS, renew=RENEW_SECONDS, stale=MINUTE, size=1)
        self._blocks = SingleFlightCache(self._read_blocks, fresh=MINUTE, renew=RENEW, stale=MINUTE, size=30)

    async def close(self) -> None:
        """End what is still being counted."""
        await self._totals.close()
        await self._registered.close()
        await self._blocks.close()

    async def read(
        self, rows: Query[T], count: Query[Total], place: PageRequest, **filters: Value
    ) -> tuple[list[T], int]:
        """A page of `rows`, and how many there are on all pages. `count` need not bind every filter."""
        counted = tuple((name, value) for name, value in filters.items() if name in count.values)
        total = await self._totals.get((count, counted))
        if place.offset >= total:
            return [], total
        found = await self._database.all(rows, limit=place.size, offset=place.offset, **filters)
        return found, total

    async def registered(self) -> int:
        """How many players are registered, the bot left out; at most some seconds old. Raises Unavailable."""
        return await self._registered.get((catalogue.player_total, ()))

    async def scores(
        self, place: PageRequest, *, map_md5: str | None, user_id: int | None, **filters: Value
    ) -> tuple[list[Score], int]:
        """A page of the scores, and how many there are on all pages.

        A player or a beatmap has thousands at the most; of the others there are millions, so that a page is
        looked for in its block.
        """
        one: dict[str, Value] = {"map_md5": map_md5, "user_id": user_id}
        first, last, offset = 0, None, place.offset
        if map_md5 is None and user_id is None:
            blocks = await self._blocks.get(tuple(filters.items()))
            total = blocks.total
            if offset < total:
                first, last, offset = blocks.find(place)
        else:
            total = await self._totals.get((catalogue.count_scores, tuple((one | filters).items())))
        if place.offset >= total:
            return [], total
        limits: dict[str, Value] = {"first": first, "last": last, "limit": place.size, "offset": offset}
        return await self._database.all(catalogue.scores, **one, **filters, **limits), total

    async def _count(self, key: tuple[Query[Total], Filters]) -> int:
        count, filters = key
        row = await self._database.one(count, **dict(filters))
        return row.total if row else 0

    async def _read_blocks(self, filters: Filters) -> IdBlocks:
        """In parts, so that no statement runs for long, however many scores there are."""
        values = dict(filters)
        visible = values.pop("visible")
        blocks: list[Block] = []
        first = 0
        while True:
            found = await self._database.all(catalogue.score_blocks, first=first, limit=self._part, **values)
            blocks += found
            if sum(block.total for block in found) < self._part:
                break
            first = 1 + max(block.last for block in found)
        if not blocks:
            return IdBlocks([], [])
        hidden = await self._database.all(catalogue.hidden_score_blocks, visible=visible, **values)
        return IdBlocks(blocks, hidden)
