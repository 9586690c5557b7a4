"""Runs the statements of the catalogue on the game server's database.

The library `databases` reads the URL and makes the driver's pool; no other file imports it. Its query methods are
not used, because they compile each statement anew on each call.
"""

import asyncio
import os
from functools import partial
from typing import Any, Generic, TypeVar

import databases
import msgspec

from config.types import Encryption
from domain.errors import CannotOpen, ErrorSpec, Unavailable
from storage.availability import Availability
from storage.database import drivers, tls
from storage.database.pool import ConnectionPool
from storage.database.rows import RowShape
from storage.database.statement import Statement, Value, with_json, with_lists
from storage.observer import Observer

AWAY = ErrorSpec(503, "The database did not answer.")
SLOW = ErrorSpec(503, "The database did not answer in time.")

# For each statement: enough for two LEFT JOINs, each with a matching row or without.
MAX_COLUMN_SETS = 4

T = TypeVar("T")
Result = tuple[RowShape, drivers.Rows]
NO_ROWS: Result = (RowShape(()), ())


class Query(Statement, Generic[T]):
    """A statement that returns rows, and the Struct that each row is converted to."""

    def __init__(self, name: str, row: type[T], **fragments: str) -> None:
        super().__init__(name, **fragments)
        self.row = row
        self.rows = list[row]  # type: ignore[valid-type]


class Change(Statement):
    """A statement that changes rows."""


class Unstorable(Exception):
    """A text is too long for its column, or has characters that the column cannot hold."""


class MissingFile(CannotOpen):
    """The SQLite file that the URL names does not exist or cannot be opened."""


class Database:
    """The database: a bounded pool of connections, and a time limit for each statement."""

    def __init__(
        self,
        url: str,
        *,
        pool_max: int = 10,
        wait: float = 2.0,
        statement_timeout: float = 5.0,
        encryption: Encryption = "off",
        authorities: str = "",
        observer: Observer | None = None,
    ) -> None:
        """At most `pool_max` connections. `wait`, for one of them, and `statement_timeout` are in seconds.

        `encryption` and `authorities` are those of tls.context.
        """
        self._url = databases.DatabaseURL(url)
        self.is_sqlite = self._url.dialect == "sqlite"
        self._driver = drivers.load(self._url.dialect, self._url.driver)
        self._pool_max, self._wait = pool_max, wait
        # The server ends a slow statement itself; the extra second is for a server that hangs.
        self._timeout = statement_timeout + 1
        self._observer = observer or Observer()
        self._availability = Availability(
            "the database",
            "answering 503 until it is back",
            on_change=partial(self._observer.on_availability, "database"),
        )
        # By name, the statements that fail while others do not.
        self._refused: dict[str, Availability] = {}
        # The sets of columns in the results of each statement, the latest first.
        self._column_sets: dict[Statement, tuple[RowShape, ...]] = {}
        options = {}
        if not self.is_sqlite:
            # A socket of this machine needs no encryption.
            context = tls.context("off" if "unix_socket" in self._url.options else encryption, authorities)
            options = drivers.pool_options(self._driver, pool_max, wait, statement_timeout, context)
        self._databases = databases.Database(self._url, **options)
        self._pool: ConnectionPool | None = None
        # SQLite opens a file and starts a thread for each connection, so all queries share one.
        self._sqlite: databases.core.Connection | None = None

    async def connect(self) -> None:
        """Prepare to run statements. A database that is down is no error yet; raise MissingFile on SQLite."""
        await self._databases.connect()
        if self.is_sqlite:
            await self._open_sqlite()
            return
        # `databases` has no public name for the pool; its version is pinned.
        opener = drivers.Opener(self._driver.protocol, self._databases._backend._pool._conn_kwargs)
        self._pool = ConnectionPool(opener, self._driver.is_usable, size=self._pool_max, timeout=self._wait)

    async def _open_sqlite(self) -> None:
        _require_file(self._url.database)
        connection = self._databases.connection()
        try:
            await connection.__aenter__()
        except self._driver.errors as error:
            raise MissingFile(f"the SQLite file {self._url.database}: {error}") from error
        self._sqlite = connection
        await connection.raw_connection.execute("PRAGMA query_only = ON")

    async def disconnect(self) -> None:
        """Close all connections."""
        if self._sqlite is not None:
            await self._sqlite.__aexit__()
            self._sqlite = None
        if self._pool is not None:
            self._pool.close()
        await self._databases.disconnect()

    async def link(self) -> tls.Link | None:
        """Return how connections reach the server, None for SQLite. Raise Unavailable if there is none in time."""
        if self._pool is None:
            return None
        try:
            connection = await self._pool.acquire()
        except self._driver.errors as error:
            raise Unavailable(AWAY.message) from error
        try:
            return tls.link(connection)
        finally:
            self._pool.release(connection)

    async def all(self, query: Query[T], **values: Value) -> list[T]:
        """Return all rows of `query`. Raise Unavailable if the database does not answer in time."""
        shape, rows = await self._run(query, values)
        return msgspec.convert(shape.mappings(rows), query.rows, strict=False)

    async def one(self, query: Query[T], **values: Value) -> T | None:
        """Return the first row of `query`, or None. Raise Unavailable if the database does not answer in time."""
        shape, rows = await self._run(query, values)
        if not rows:
            return None
        return msgspec.convert(shape.mappings(rows[:1])[0], query.row, strict=False)

    async def execute(self, change: Change, **values: Value) -> None:
        """Make a change.

        Raise Unstorable if a text does not fit its column, and Unavailable if the database does not answer in time
        or refuses the change.
        """
        await self._run(change, values)

    async def _run(self, statement: Statement, values: dict[str, Value]) -> Result:
        if values.keys() != statement.values:
            # The drivers ignore a value too many.
            raise TypeError(f"{statement.name} binds {sorted(statement.values)}, not {sorted(values)}")
        if any(isinstance(value, int) and abs(value) > self._driver.largest for value in values.values()):
            # Equal to nothing in a column, but SQLite would raise an error.
            return NO_ROWS
        try:
            result = await self._execute(statement, values)
        except TimeoutError as error:
            self._availability.down(f"{statement.name}: {error}")
            raise Unavailable(SLOW.message) from error
        except self._driver.errors as error:
            code = error.args[0] if error.args else None
            if isinstance(statement, Change) and code in drivers.UNSTORABLE:
                raise Unstorable from error
            if isinstance(statement, Query) and code in drivers.UNREPRESENTABLE:
                return NO_ROWS
            self._log_failure(statement.name, error)
            raise Unavailable(AWAY.message) from error
        self._availability.up()
        if statement.name in self._refused:
            self._refused.pop(statement.name).up()
        return result

    def _log_failure(self, name: str, error: Exception) -> None:
        if drivers.is_refusal(error):
            refused = Availability(f"the database to {name}.sql", "answering 503 to what needs it")
            self._refused.setdefault(name, refused).down(error)
        else:
            self._availability.down(f"{name}: {error}")

    async def _execute(self, statement: Statement, values: dict[str, Value]) -> Result:
        if self._pool is not None:
            with self._observer.wait():
                connection = await self._pool.acquire()
            try:
                return await self._execute_on(connection, statement, values)
            finally:
                self._pool.release(connection)
        if self._sqlite is not None and not isinstance(statement, Change):
            return await self._execute_on(self._sqlite.raw_connection, statement, values)
        # Changes are rare enough to open the SQLite file each time.
        async with self._databases.connection() as opened:
            return await self._execute_on(opened.raw_connection, statement, values)

    async def _execute_on(self, connection: Any, statement: Statement, values: dict[str, Value]) -> Result:
        sql = statement.sqlite if self.is_sqlite else statement.mysql
        if any(isinstance(value, tuple) for value in values.values()):
            sql, values = (with_json if self.is_sqlite else with_lists)(sql, values)
        known = self._column_sets.get(statement, ())
        with self._observer.statement(statement.name):
            try:
                async with asyncio.timeout(self._timeout):
                    columns, rows = await self._driver.execute(connection, sql, values, known)
            except TimeoutError:
                raise TimeoutError(f"no answer within {self._timeout} s") from None
        if columns is None:
            return NO_ROWS
        if not known or columns is not known[0]:
            others = (other for other in known if other is not columns)
            self._column_sets[statement] = (columns, *others)[:MAX_COLUMN_SETS]
        return columns, rows


def _require_file(path: str) -> None:
    # SQLite would create a file that does not exist.
    if not os.path.isfile(path):
        raise MissingFile(f"there is no SQLite file {path}")
