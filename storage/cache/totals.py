"""How many scores, beatmaps and clans the game server has, cached."""

from typing import NamedTuple

from storage.cache.cache import SingleFlight, SingleFlightCache
from storage.cache.pagination import read_score_blocks
from storage.database import catalogue
from storage.database.database import Database

# For how many seconds totals are used.
FRESH_SECONDS = 60.0


class Totals(NamedTuple):
    """How many rows there are of each."""

    scores: int
    maps: int
    clans: int


class CountedScores(NamedTuple):
    """How many scores have an id up to `last`."""

    total: int
    last: int


class ServerTotals:
    """Counts scores, beatmaps and clans, at most once a minute.

    Counting all scores takes hundreds of milliseconds for each million of them, in a statement of its own. Nobody
    but the first request waits for that: later ones add the scores that have come since, and let all be counted in
    the background. Until that has ended, deleted scores still count.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scores: CountedScores | None = None
        self._recounts: SingleFlight[tuple[()], None] = SingleFlight()
        self._totals = SingleFlightCache(self._count, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=1)

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._totals.close()
        await self._recounts.close()

    async def get(self) -> Totals:
        """Return the totals of the last minute. Raise Unavailable if the database cannot be reached."""
        return await self._totals.get(())

    async def _count(self, _: tuple[()]) -> Totals:
        scores = self._scores
        if scores is None:
            scores = self._scores = await self._count_scores()
        else:
            self._recounts.join((), self._recount)
        row = await self._database.one(catalogue.server_totals, counted=scores.last)
        assert row is not None
        return Totals(scores.total + row.newer_scores, row.maps, row.clans)

    async def _recount(self, _: tuple[()]) -> None:
        self._scores = await self._count_scores()

    async def _count_scores(self) -> CountedScores:
        blocks = await read_score_blocks(self._database, mods=None, status=None, mode=None)
        return CountedScores(
            sum(block.total for block in blocks), max((block.last for block in blocks), default=0)
        )
