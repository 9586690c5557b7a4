"""How many scores, beatmaps and clans the game server has, cached."""

from typing import NamedTuple

from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# For how many seconds totals are used.
FRESH_SECONDS = 60.0
# The same for the number of scores, to which those that have come since are added each time.
SCORES_FRESH_SECONDS = 90.0


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

    Counting all scores reads an index of the whole table, which takes hundreds of milliseconds with millions of
    them. Requests do not wait for that if there is one a minute: they add the scores that have come since, and let
    all be counted in the background. Until that has ended, deleted scores still count.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scores = SingleFlightCache(
            self._count_scores, fresh=SCORES_FRESH_SECONDS, renew=True, stale=SCORES_FRESH_SECONDS, size=1
        )
        self._totals = SingleFlightCache(self._count, fresh=FRESH_SECONDS, renew=True, stale=FRESH_SECONDS, size=1)

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._scores.close()
        await self._totals.close()

    async def get(self) -> Totals:
        """Return the totals of the last minute. Raise Unavailable if the database cannot be reached."""
        return await self._totals.get(())

    async def _count(self, _: tuple[()]) -> Totals:
        scores = await self._scores.get(())
        row = await self._database.one(catalogue.server_totals, counted=scores.last)
        assert row is not None
        return Totals(scores.total + row.newer_scores, row.maps, row.clans)

    async def _count_scores(self, _: tuple[()]) -> CountedScores:
        newest = await self._database.one(catalogue.score_newest)
        if newest is None:
            return CountedScores(0, 0)
        total = await self._database.one(catalogue.score_total, last=newest.id)
        return CountedScores(total.total if total else 0, newest.id)
