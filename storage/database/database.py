"""Running statements: the one file that knows the database library and its drivers.

`databases` keeps the pool and reads the URL. Its own query methods are not used, because they recompile every
statement on every call: statements are prepared once, and run on connections that storage/lending.py lends.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import databases
import msgspec

from domain.errors import Unavailable
from storage.availability import Availability
from storage.database import drivers
from storage.database.patience import Patience
from storage.database.pool import ConnectionPool
from storage.database.statement import Prepared, Statement, Value, with_json, with_lists
from storage.observer import ANSWERED, Observer, outcome_of

T = TypeVar("T")


class Query(Statement, Generic[T]):
    """A statement that answers with rows, and the Struct that a row of it becomes."""

    def __init__(self, name: str, row: type[T], *, prepared: bool = False, **fragments: str) -> None:
        super().__init__(name, prepared=prepared, **fragments)
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
        self._largest = drivers.LARGEST[self._url.dialect]
        self._pool_max, self._wait = pool_max, wait
        # The server ends a slow statement itself; the second more is for a server that hangs.
        self._seconds = statement_timeout + 1
        self._patience = Patience(self._seconds)
        self._observer = observer or Observer()
        self._availability = Availability(
            "the database", "answering 503 until it is back", tell=self._observer.reach("database")
        )
        self._refused: dict[str, Availability] = {}
        self._errors = drivers.errors(self._url.dialect, self._url.driver)
        self._execute_sql = drivers.execute_with(self._url.dialect, self._url.driver)
        options = (
            {} if self.is_sqlite else drivers.pool_options(self._url.driver, pool_max, wait, statement_timeout)
        )
        self._databases = databases.Database(self._url, **options)
        # SQLite opens a file and starts a thread per connection, so one is opened and kept.
        self._kept: databases.core.Connection | None = None
        self._pool: ConnectionPool | None = None
        self._column_sets = drivers.ColumnSets()

    async def connect(self) -> None:
        """Open the pool; a database that is away is no error yet, only a SQLite file that cannot be opened."""
        await self._databases.connect()
        if not self.is_sqlite:
            # Its own way of lending costs more than a statement by primary key; the version is pinned.
            self._pool = ConnectionPool(self._databases._backend._pool, self._pool_max, self._wait)
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
        if self._pool is not None:
            self._pool.close()
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
        sql = query.sqlite if self.is_sqlite else query.mysql
        lists = False
        for value in values.values():
            if isinstance(value, int) and abs(value) > self._largest:
                return [], []
            lists = lists or isinstance(value, tuple)
        if lists:
            sql, values = (with_json if self.is_sqlite else with_lists)(sql, values)
        try:
            if self._pool is not None:
                result = await self._lent(self._pool, query, sql, values)
            elif self._kept is not None and not isinstance(query, Change):
                result = await self._execute(self._kept.raw_connection, query, sql, values)
            else:
                # Changes are so rare that each may open the SQLite file for itself.
                async with self._databases.connection() as connection:
                    result = await self._execute(connection.raw_connection, query, sql, values)
        except TimeoutError as error:
            self._availability.down(f"{query.name}: {error}")
            raise Unavailable(drivers.SLOW.message) from error
        except self._errors as error:
            code = error.args[0] if error.args else None
            if isinstance(query, Change) and code in drivers.UNSTORABLE:
                raise drivers.Unstorable from error
            if isinstance(query, Query) and code in drivers.UNREPRESENTABLE:
                return [], []
            self._failed(query.name, error)
            raise Unavailable(drivers.AWAY.message) from error
        self._availability.up()
        if query.name in self._refused:
            self._refused.pop(query.name).up()
        return result

    def _failed(self, statement: str, error: Exception) -> None:
        """Tells the log: of the database, or of the one statement that it refuses while it answers others."""
        if not drivers.is_refusal(error):
            self._availability.down(f"{statement}: {error}")
            return
        refused = Availability(f"the database to {statement}.sql", "answering 503 to what needs it")
        self._refused.setdefault(statement, refused).down(error)

    async def _lent(
        self, pool: ConnectionPool, query: Statement, sql: str, values: dict[str, Value]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        begun = time.perf_counter()
        try:
            connection = await pool.acquire()
        except BaseException as error:
            self._observer.on_wait(outcome_of(error), time.perf_counter() - begun)
            raise
        self._observer.on_wait(ANSWERED, time.perf_counter() - begun)
        try:
            if query.prepared is None or (known := pool.prepared(connection)) is None:
                return await self._execute(connection, query, sql, values)
            try:
                return await self._prepared(known, connection, query, query.prepared, values)
            except self._errors as error:
                if not drivers.cannot_prepare(error):
                    raise
                pool.forget(error)
                return await self._execute(connection, query, sql, values)
        finally:
            pool.release(connection)

    async def _prepared(
        self, known: set[str], connection: Any, query: Statement, prepared: Prepared, values: dict[str, Value]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        if query.name not in known:
            await self._execute(connection, query, prepared.prepare, {})
            known.add(query.name)
        return await self._execute(connection, query, prepared.execute, values)

    async def _execute(
        self, connection: Any, query: Statement, sql: str, values: dict[str, Value]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        with self._observer.statement(query.name):
            try:
                with self._patience:
                    description, rows = await self._execute_sql(
                        connection, sql, values, self._column_sets.of(query)
                    )
                    return self._column_sets.names(query, description), rows
            except (asyncio.CancelledError, TimeoutError) as error:
                # Its answer may still come: nobody else may read it.
                if not self.is_sqlite:
                    connection.close()
                if isinstance(error, TimeoutError):
                    raise TimeoutError(f"no answer within {self._seconds} s") from None
                raise
