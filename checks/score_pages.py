"""Every score of the database, a page at a time."""

from domain.replays import ScoreStatus
from storage.database import catalogue
from storage.database.database import Database

PAGE = 10_000  # rows


class Scores:
    """The scores in the order of their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> int:
        """The highest id of a score, 0 without any. Raises Unavailable."""
        row = await self._database.one(catalogue.score_newest)
        return row.id if row else 0

    async def since(self, score_id: int) -> list[ScoreStatus]:
        """Some scores, the lowest id first: this one and the next. Empty at the end; raises Unavailable."""
        return await self._database.all(catalogue.score_statuses, first=score_id, limit=PAGE)
