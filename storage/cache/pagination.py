"""Pages of long lists in the order of their primary keys, and the lengths of those lists."""

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

# For how many seconds the length of a list is used.
FRESH_SECONDS = 60.0
# The same for the number of registered players, which people watch: counting them reads them all.
REGISTERED_FRESH_SECONDS = 5.0
BLOCK_IDS = 1_000_000
# From here on, the sum of an id and BLOCK_IDS may be more than a statement can bind.
LARGEST_BOUND = 2**62


class PageRequest(msgspec.Struct, frozen=True):
    """A page of `size` rows; pages count from 1."""

    page: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * self.size


class IdBlocks:
    """The number of rows in each range of ids, to find the n-th row without reading all rows before it."""

    def __init__(self, blocks: Iterable[Block], without: Iterable[Block]) -> None:
        """The rows in `without` are among those in `blocks`, and do not count."""
        totals: Counter[int] = Counter()
        for block in blocks:
            totals[block.first] += block.total
        for block in without:
            totals[block.first] -= block.total
        # Rows written between the two statements may be in `without` alone, so a total may be negative.
        counted = sorted((first, total) for first, total in totals.items() if total > 0)
        self._firsts = [first for first, _ in counted]
        self._before = [0, *accumulate(total for _, total in counted)]
        self.total = self._before[-1]

    def find(self, page: PageRequest) -> tuple[int, int | None, int]:
        """Return between which ids to read a page that begins below `total`, and how many rows to skip there.

        The last id is None in the last block, which may have grown since.
        """
        begin = bisect_right(self._before, page.offset) - 1
        after = bisect_left(self._before, page.offset + page.size)
        last = self._firsts[after] - 1 if after < len(self._firsts) else None
        return self._firsts[begin], last, page.offset - self._before[begin]

    def last_for(self, after: int, page: PageRequest) -> int | None:
        """Return up to which id to read a page of the rows that follow the id `after`, None if up to the end."""
        # Of the rows in the block of `after`, an unknown number follows.
        counted = self._before[bisect_right(self._firsts, after)]
        end = bisect_left(self._before, counted + page.offset + page.size)
        return self._firsts[end] - 1 if end < len(self._firsts) else None


async def read_score_blocks(database: Database, block_ids: int = BLOCK_IDS, **filters: Value) -> list[Block]:
    """Return how many scores there are in each run of ids, those of hidden players included.

    Each statement reads a range of `block_ids` ids, so that none of them runs for long, however many scores there
    are. Raise Unavailable if the database cannot be reached.
    """
    blocks: list[Block] = []
    first = 0
    while begin := await database.one(catalogue.score_next, first=first):
        first = begin.id + block_ids
        last = first - 1 if first < LARGEST_BOUND else None
        blocks += await database.all(catalogue.score_blocks, first=begin.id, last=last, **filters)
    return blocks


class Pagination:
    """Reads pages of lists. The length of each list is counted at most once a minute."""

    def __init__(self, database: Database, *, block_ids: int = BLOCK_IDS) -> None:
        """In a range of `block_ids` ids, one statement counts the scores."""
        self._database = database
        self._block_ids = block_ids
        self._totals = SingleFlightCache(
            self._count, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=1000
        )
        self._registered = SingleFlightCache(
            self._count,
            fresh=REGISTERED_FRESH_SECONDS,
            renew=True,
            stale=FRESH_SECONDS,
            size=1,
        )
        self._blocks = SingleFlightCache(
            self._read_blocks, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=30
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._totals.close()
        await self._registered.close()
        await self._blocks.close()

    async def read(
        self, rows: Query[T], count: Query[Total], page: PageRequest, **filters: Value
    ) -> tuple[list[T], int]:
        """Return a page of `rows`, and the number of rows on all pages. `count` need not bind every filter.

        Raise Unavailable if the database cannot be reached.
        """
        counted = tuple((name, value) for name, value in filters.items() if name in count.values)
        total = await self._totals.get((count, counted))
        if page.offset >= total:
            return [], total
        return await self._database.all(rows, limit=page.size, offset=page.offset, **filters), total

    async def total(self, count: Query[Total], **filters: Value) -> int:
        """Return the number of rows that match the filters, as of at most a minute ago.

        Raise Unavailable if the database cannot be reached.
        """
        return await self._totals.get((count, tuple(filters.items())))

    async def registered(self) -> int:
        """Return the number of registered players without the bot, at most some seconds old.

        Raise Unavailable if the database cannot be reached.
        """
        return await self._registered.get((catalogue.player_total, ()))

    async def scores(
        self,
        page: PageRequest,
        *,
        map_md5: str | None,
        user_id: int | None,
        after: int | None = None,
        **filters: Value,
    ) -> tuple[list[Score], int]:
        """Return a page of scores, or of those with an id above `after`, and the number of scores on all pages.

        A player or a beatmap has thousands of scores at most. Without either there are millions, so the page is
        found by blocks of ids. Raise Unavailable if the database cannot be reached.
        """
        owner: dict[str, Value] = {"map_md5": map_md5, "user_id": user_id}
        first, last, offset = 0 if after is None else after + 1, None, page.offset
        if map_md5 is None and user_id is None:
            blocks = await self._blocks.get(tuple(filters.items()))
            total = blocks.total
            if offset < total and after is None:
                first, last, offset = blocks.find(page)
            elif after is not None:
                last = blocks.last_for(after, page)
        else:
            total = await self._totals.get((catalogue.count_scores, tuple((owner | filters).items())))
        if page.offset >= total:
            return [], total
        limits: dict[str, Value] = {"first": first, "last": last, "limit": page.size, "offset": offset}
        return await self._database.all(catalogue.scores, **owner, **filters, **limits), total

    async def _count(self, key: tuple[Query[Total], Filters]) -> int:
        count, filters = key
        row = await self._database.one(count, **dict(filters))
        return row.total if row else 0

    async def _read_blocks(self, filters: Filters) -> IdBlocks:
        values = dict(filters)
        visible = values.pop("visible")
        blocks = await read_score_blocks(self._database, self._block_ids, **values)
        if not blocks:
            return IdBlocks([], [])
        filtered = any(value is not None for value in values.values())
        hidden = await self._database.all(
            catalogue.hidden_score_blocks["filtered" if filtered else "all"],
            visible=visible,
            **(values if filtered else {}),
        )
        return IdBlocks(blocks, hidden)
