"""Which columns that only forks have are in this database."""

from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database

# For how many seconds it is not asked again, and for how many its last answer counts while it cannot be reached.
FRESH_SECONDS, STALE_SECONDS = 60.0, 3600.0
SIZE = 10


class ForkColumns:
    """Whether the database has columns that the stock game server lacks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found = SingleFlightCache(
            self._can_be_read, fresh=FRESH_SECONDS, renew=True, stale=STALE_SECONDS, size=SIZE
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._found.close()

    async def has(self, table: str, column: str) -> bool:
        """Return whether a column can be read, as of up to a minute ago.

        Raise Unavailable if the database cannot be reached.
        """
        return await self._found.get((table, column))

    async def _can_be_read(self, key: tuple[str, str]) -> bool:
        return await self._database.refusal(catalogue.readable(*key)) is None
