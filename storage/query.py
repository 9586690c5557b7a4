"""Running statements: the one file that knows the database library and its drivers.

`databases` keeps the pool and reads the URL. Its own query methods are not used, because they recompile every
statement on every call: statements are prepared once and run on the connection that it lends.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import databases
import msgspec

from domain.errors import Unavailable
from storage import drivers, wire
from storage.observer import Observer
from storage.outage import Outage
from storage.rows import Shape
from storage.statements import Value, for_mysql, read, values_of, with_lists

T = TypeVar("T")


class Statement:
    """A statement of sql/.

    `fragments` are fixed texts for the `{names}` in the file, never anything a client sent.
    """

    def __init__(self, name: str, **fragments: str) -> None:
        self.name = name
        self.sqlite = read(name, "sqlite", fragments)
        self.mysql = for_mysql(read(name, "mysql", fragments))
        self.values = values_of(self.sqlite)
        # How its results were described last, and what becomes of their rows: the same every time.
        self.description: wire.Description | None = None
        self._shape = Shape(())

    def nested(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Each row as a mapping, see Shape."""
        if self._shape.names != tuple(names):
            self._shape = Shape(names)
        return self._shape.read(rows)


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

    def __init__(
        self,
        url: str,
        *,
        pool_max: int = 10,
        wait: float = 2.0,
        statement_timeout: float = 5.0,
        observer: Observer | None = None,
    ) -> None:
        """`pool_max` connections at the most; `wait` and `statement_timeout` are in seconds."""
        self._url = databases.DatabaseURL(url)
        self.is_sqlite = self._url.dialect == "sqlite"
        self._is_aiomysql = not self.is_sqlite and self._url.driver != "asyncmy"
        self._largest = drivers.LARGEST[self._url.dialect]
        self._wait = wait
        self._timeout = statement_timeout
        self._observer = observer or Observer()
        self._outage = Outage(
            "the database", "answering 503 until it is back", tell=self._observer.reach("database")
        )
        self._refused: dict[str, Outage] = {}
        self._errors = drivers.errors(self._url.dialect, self._url.driver)
        options = (
            {} if self.is_sqlite else drivers.pool_options(self._url.driver, pool_max, wait, statement_timeout)
        )
        self._databases = databases.Database(self._url, **options)
        # SQLite opens a file and starts a thread per connection, so one is opened and kept.
        self._kept: databases.core.Connection | None = None

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
        return msgspec.convert(query.nested(names, rows), query.rows, strict=False)

    async def one(self, query: Query[T], **values: Value) -> T | None:
        """The first row of `query`, None without one. Raises Unavailable when the database does not answer."""
        names, rows = await self._run(query, values)
        if not rows:
            return None
        return msgspec.convert(query.nested(names, rows[:1])[0], query.row, strict=False)

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
        sql, placeholder = (query.sqlite, ":{}") if self.is_sqlite else (query.mysql, "%({})s")
        lists = False
        for value in values.values():
            if isinstance(value, int) and abs(value) > self._largest:
                return [], []
            lists = lists or isinstance(value, tuple)
        if lists:
            sql, values = with_lists(sql, values, placeholder)
        try:
            async with self._connection(writing=isinstance(query, Change)) as connection:
                with self._observer.statement(query.name):
                    result = await self._execute(connection, query, sql, values)
        except TimeoutError as error:
            self._outage.begin(f"{query.name}: {error}")
            raise Unavailable(drivers.SLOW.message) from error
        except self._errors as error:
            code = error.args[0] if error.args else None
            if isinstance(query, Change) and code in drivers.UNSTORABLE:
                raise drivers.Unstorable from error
            if isinstance(query, Query) and code in drivers.UNREPRESENTABLE:
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
            async with self._observer.wait(), asyncio.timeout(self._wait):
                await connection.__aenter__()
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._wait} s") from None
        try:
            yield connection.raw_connection
        finally:
            await connection.__aexit__()

    async def _execute(
        self, connection: Any, query: Statement, sql: str, values: dict[str, Value]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        # The server ends a slow statement itself; the second more is for a server that hangs.
        patience = self._timeout + 1
        try:
            async with asyncio.timeout(patience):
                if self._is_aiomysql:
                    query.description, found = await wire.ask(connection, sql, values, query.description)
                    return query.description.names if query.description else [], found
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
