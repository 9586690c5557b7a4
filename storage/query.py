"""Running statements: the one file that knows the database library and its drivers.

`databases` keeps the pool and reads the URL. Its own query methods are not used, because they recompile every
statement on every call: statements are prepared once and run on the connection that it lends.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import databases
import msgspec

from domain.errors import Unavailable
from storage import drivers
from storage.outage import Outage
from storage.rows import nested
from storage.statements import Value, for_mysql, read, values_of, with_lists

log = logging.getLogger("apidot")
T = TypeVar("T")

# A text with a character that the column's character set lacks; such a text is equal to nothing in it.
UNREPRESENTABLE = {1267, 1271, 3854, 3988}

# A greater number is equal to nothing in a column, and SQLite refuses to look.
LARGEST = {"sqlite": 2**63 - 1, "mysql": 2**64 - 1}

# Executable comments pick the right limit: MariaDB reads /*M! */ and skips the versions of MySQL 5.7 and 8.
# Not strict, a server would cut a text short at a character it cannot keep, and say nothing.
# index_merge would intersect the indexes of userid, mode and status: ten times slower than reading one of them.
SESSION = (
    "SET time_zone = '+00:00', optimizer_switch = 'index_merge_intersection=off',"
    " sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    " /*M!100101 , max_statement_time = {seconds} */ /*!50708 , max_execution_time = {milliseconds} */"
)


class Statement:
    """A statement of sql/.

    `fragments` are fixed texts for the `{names}` in the file, never anything a client sent.
    """

    def __init__(self, name: str, **fragments: str) -> None:
        self.name = name
        self.sqlite = read(name, "sqlite", fragments)
        self.mysql = for_mysql(read(name, "mysql", fragments))
        self.values = values_of(self.sqlite)


class Query(Statement, Generic[T]):
    """A statement that answers with rows, and the Struct that a row of it becomes."""

    def __init__(self, name: str, row: type[T], **fragments: str) -> None:
        super().__init__(name, **fragments)
        self.row = row
        self.rows = list[row]  # type: ignore[valid-type]


class Change(Statement):
    """A statement that changes rows."""


class Database:
    """The database of the game server: a bounded pool, statements bounded in time."""

    def __init__(self, url: str, *, pool_max: int = 10, wait: float = 2.0, statement_timeout: float = 5.0) -> None:
        """`pool_max` connections at the most; `wait` and `statement_timeout` are in seconds."""
        self._url = databases.DatabaseURL(url)
        self.is_sqlite = self._url.dialect == "sqlite"
        self._largest = LARGEST[self._url.dialect]
        self._wait = wait
        self._timeout = statement_timeout
        self._outage = Outage("the database", "answering 503 until it is back")
        self._refused: dict[str, Outage] = {}
        self._errors = drivers.errors(self._url.dialect, self._url.driver)
        self._databases = databases.Database(self._url, **self._options(pool_max))
        # SQLite opens a file and starts a thread per connection, so one is opened and kept.
        self._kept: databases.core.Connection | None = None

    def _options(self, pool_max: int) -> dict[str, Any]:
        if self.is_sqlite:
            return {}
        session = SESSION.format(seconds=self._timeout, milliseconds=int(self._timeout * 1000))
        return {
            # No connection is opened before the first question, so that a start does not hang on a database
            # that is away.
            "min_size": 0,
            "max_size": pool_max,
            "pool_recycle": 300,
            "charset": "utf8mb4",
            "connect_timeout": self._wait,
            "init_command": session,
            "conv": drivers.decoders(self._url.driver),
        }

    async def connect(self) -> None:
        """Open the pool; a database that is away is no error yet, only a SQLite file that cannot be opened."""
        await self._databases.connect()
        if not self.is_sqlite:
            return
        drivers.require_file(self._url.database)
        kept = self._databases.connection()
        try:
            await kept.__aenter__()
        except self._errors as error:
            raise drivers.MissingFile(f"the SQLite file {self._url.database}: {error}") from error
        self._kept = kept
        await kept.raw_connection.execute("PRAGMA query_only = ON")

    async def disconnect(self) -> None:
        """Close every connection."""
        if self._kept is not None:
            await self._kept.__aexit__()
            self._kept = None
        await self._databases.disconnect()

    async def all(self, query: Query[T], **values: Value) -> list[T]:
        """Every row of `query`. Raises Unavailable when the database does not answer in time."""
        names, rows = await self._run(query, values)
        return msgspec.convert(nested(names, rows), query.rows, strict=False)

    async def one(self, query: Query[T], **values: Value) -> T | None:
        """The first row of `query`, None without one. Raises Unavailable when the database does not answer."""
        names, rows = await self._run(query, values)
        if not rows:
            return None
        return msgspec.convert(nested(names, rows[:1])[0], query.row, strict=False)

    async def execute(self, change: Change, **values: Value) -> None:
        """Make a change.

        Raises Unstorable for a text that its column does not take, and Unavailable when the database does not
        answer, or does not let us write.
        """
        await self._run(change, values)

    async def columns(self, query: Query[T], **values: Value) -> list[str]:
        """The names of the columns that `query` answers with."""
        names, _ = await self._run(query, values)
        return names

    async def _run(self, query: Statement, values: dict[str, Value]) -> tuple[list[str], Sequence[Sequence[Any]]]:
        if values.keys() != query.values:
            # The drivers would overlook one too many.
            raise TypeError(f"{query.name} binds {sorted(query.values)}, not {sorted(values)}")
        if any(isinstance(value, int) and abs(value) > self._largest for value in values.values()):
            return [], []
        sql, placeholder = (query.sqlite, ":{}") if self.is_sqlite else (query.mysql, "%({})s")
        if any(isinstance(value, tuple) for value in values.values()):
            sql, values = with_lists(sql, values, placeholder)
        try:
            async with self._connection(writing=isinstance(query, Change)) as connection:
                result = await self._execute(connection, sql, values)
        except TimeoutError as error:
            self._outage.begin(f"{query.name}: {error}")
            raise Unavailable(drivers.SLOW.message) from error
        except self._errors as error:
            code = error.args[0] if error.args else None
            if isinstance(query, Change) and code in drivers.UNSTORABLE:
                raise drivers.Unstorable from error
            if isinstance(query, Query) and code in UNREPRESENTABLE:
                return [], []
            self._failed(query.name, error)
            raise Unavailable(drivers.AWAY.message) from error
        self._outage.end()
        if query.name in self._refused:
            self._refused.pop(query.name).end()
        return result

    def _failed(self, statement: str, error: Exception) -> None:
        """Tells the log: of the database, or of the one statement that it refuses while it answers others."""
        if not drivers.is_refusal(error):
            self._outage.begin(f"{statement}: {error}")
            return
        refused = Outage(f"the database to {statement}.sql", "answering 503 to what needs it")
        self._refused.setdefault(statement, refused).begin(error)

    @asynccontextmanager
    async def _connection(self, *, writing: bool) -> AsyncIterator[Any]:
        # The kept one is for reading only; changes are so rare that each may open the file for itself.
        if self._kept is not None and not writing:
            yield self._kept.raw_connection
            return
        connection = self._databases.connection()
        try:
            async with asyncio.timeout(self._wait):
                await connection.__aenter__()
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._wait} s") from None
        try:
            yield connection.raw_connection
        finally:
            await connection.__aexit__()

    async def _execute(
        self, connection: Any, sql: str, values: dict[str, Value]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        # The server ends a slow statement itself; the second more is for a server that hangs.
        patience = self._timeout + 1
        try:
            async with asyncio.timeout(patience):
                context = connection.execute(sql, values) if self.is_sqlite else connection.cursor()
                async with context as cursor:
                    if not self.is_sqlite:
                        await cursor.execute(sql, values)
                    # What a change answers with has no description.
                    return [column[0] for column in cursor.description or ()], await cursor.fetchall()
        except (asyncio.CancelledError, TimeoutError) as error:
            # Its answer may still come: nobody else may read it.
            if not self.is_sqlite:
                connection.close()
            if isinstance(error, TimeoutError):
                raise TimeoutError(f"no answer within {patience} s") from None
            raise
