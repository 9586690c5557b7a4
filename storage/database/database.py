"""Runs the statements of the catalogue on the game server's database.

The library `databases` reads the URL and makes the driver's pool; no other file imports it. Its query methods are
not used, because they compile each statement anew on each call.
"""

import asyncio
import math
import os
import random
import re
import time
from datetime import tzinfo
from functools import partial
from typing import Any, Generic, TypeVar

import databases

from config.types import Encryption
from domain.errors import CannotOpen, ErrorSpec, Unavailable
from storage.availability import Availability
from storage.database import drivers, session, tls
from storage.database.connector import Connector
from storage.database.conversion import RowConverter
from storage.database.failures import (
    CONFLICTED,
    LOST,
    MOVED,
    TRIES_AGAIN,
    describe,
    ends_connection,
    is_missing_table,
    is_refusal,
    number_of,
    reason_to_try_again,
)
from storage.database.pool import CannotConnect, ConnectionPool, NoFreeConnection, Pooled
from storage.database.rows import RowShape
from storage.database.statement import Statement, Value, with_json, with_lists
from storage.deadlines import Deadlines
from storage.observer import Observer

AWAY = ErrorSpec(503, "The database did not answer.")
SLOW = ErrorSpec(503, "The database did not answer in time.")

# Seconds that a server has after the time limit of a statement, which it keeps itself, before it counts as hung.
GRACE = 1.0
# The shares of that time after which a connection is opened as a check, and within which it must be open.
CHECK_AFTER, CHECK_WITHIN = 0.1, 0.8
# Seconds before a statement is run again after a conflict, at the most.
CONFLICT_PAUSE = 0.1
# Seconds that must be left for a read to be run again.
READ_NEEDS = 0.1
# Seconds since which a connection must be open for a read-only server to be one that another has replaced. On a
# newer connection, a change is tried again after as long.
SETTLED = 0.25

# For each statement: enough for two LEFT JOINs, each with a matching row or without.
MAX_COLUMN_SETS = 4

_ASSIGNMENT = re.compile(r"(?:SET|,) (\w+) = ")

T = TypeVar("T")
Result = tuple[RowShape, drivers.Rows]
NO_ROWS: Result = (RowShape(()), ())


class Query(Statement, Generic[T]):
    """A statement that returns rows, and the Struct that each row is converted to."""

    optional = False
    on_primary = False

    def __init__(self, name: str, row: type[T], **fragments: str) -> None:
        super().__init__(name, **fragments)
        self.row = row
        self.rows = list[row]  # type: ignore[valid-type]


class OptionalQuery(Query[T]):
    """A Query that returns no rows where one of its tables does not exist, as on old game servers."""

    optional = True


class PrimaryQuery(Query[T]):
    """A Query that has to see the latest changes, so it is never read from a replica."""

    on_primary = True


class Change(Statement):
    """A statement that changes rows. Running it twice must be the same as running it once."""

    def written(self) -> set[str]:
        """Return the columns that it writes."""
        return set(_ASSIGNMENT.findall(self.mysql.partition(" WHERE ")[0]))


class Unstorable(Exception):
    """A text is too long for its column, or has characters that the column cannot hold."""


class NoAnswer(TimeoutError):
    """A statement took longer than its time limit."""


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
        max_age: float = 0,
        encryption: Encryption = "off",
        authorities: str = "",
        zone: tzinfo | None = None,
        observer: Observer | None = None,
        deadlines: Deadlines | None = None,
        replica: str = "",
    ) -> None:
        """At most `pool_max` connections, none older than `max_age` (0: of any age).

        `wait`, for one of them, `statement_timeout` and `max_age` are in seconds. `encryption` and `authorities`
        are those of tls.context. `zone` is that of times in the tables, None for that of this machine.
        `replica` is where it is, for logs and metrics, if another database does what this one fails to do.
        """
        self._url = databases.DatabaseURL(url)
        self.is_sqlite = self._url.dialect == "sqlite"
        self._driver = drivers.load(self._url.dialect, self._url.driver)
        self._pool_max, self._wait = pool_max, wait
        self._statement_timeout, self._max_age = statement_timeout, max_age or math.inf
        self._timeout = statement_timeout + GRACE
        # A change has to end on the server before it is given up here: see session.LOCKS. It may be run twice.
        locks = session.table_wait(statement_timeout) + session.ROW_WAIT
        self._change_needs, self._change_timeout = locks + 0.1, max(self._timeout, 2.0 * locks)
        self._observer = observer or Observer()
        self._deadlines = Deadlines() if deadlines is None else deadlines
        name = f"replica {replica}" if replica else "database"
        self._name, self._consequence = f"the {name}", "reading elsewhere" if replica else "answering 503"
        on_change = partial(self._observer.on_availability, name)
        self._availability = Availability(self._name, f"{self._consequence} until it is back", on_change=on_change)
        # By name, the statements that fail while others do not.
        self._refused: dict[str, Availability] = {}
        # The sets of columns in the results of each statement, the latest first.
        self._column_sets: dict[Statement, tuple[RowShape, ...]] = {}
        self._converter = RowConverter(zone)
        self._databases = databases.Database(self._url, **self._pool_options(encryption, authorities))
        self._pool: ConnectionPool | None = None
        # SQLite opens a file and starts a thread for each connection, so all queries share one.
        self._sqlite: databases.core.Connection | None = None

    def _pool_options(self, encryption: Encryption, authorities: str) -> dict[str, Any]:
        if self.is_sqlite:
            return {}
        # A socket of this machine needs no encryption.
        context = tls.context("off" if "unix_socket" in self._url.options else encryption, authorities)
        return drivers.pool_options(self._driver, self._wait, context)

    async def connect(self) -> None:
        """Prepare to run statements. A database that is down is no error yet; raise MissingFile on SQLite."""
        await self._databases.connect()
        if self._driver.wire is None:
            await self._open_sqlite()
            return
        self._loop = asyncio.get_running_loop()
        # `databases` has no public name for what it has read from the URL; its version is pinned.
        arguments = {**self._databases._backend._pool._conn_kwargs, "autocommit": None}
        self._pool = ConnectionPool(
            Connector(self._driver.wire, arguments, self._statement_timeout),
            size=self._pool_max,
            wait=self._wait,
            max_age=self._max_age,
            availability=self._availability,
            deadlines=self._deadlines,
        )

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
            await self._pool.close()
        await self._databases.disconnect()

    async def link(self) -> tls.Link | None:
        """Return how connections reach the server, None for SQLite. Raise Unavailable if there is none in time."""
        if self._pool is None:
            return None
        try:
            connection = await self._pool.acquire()
        except (CannotConnect, NoFreeConnection) as error:
            raise Unavailable(AWAY.message) from error.__cause__ or error
        try:
            return tls.link(connection.raw)
        finally:
            self._pool.release(connection)

    async def all(self, query: Query[T], **values: Value) -> list[T]:
        """Return all rows of `query`. Raise Unavailable if the database does not answer in time."""
        shape, rows = await self._run(query, values)
        return self._converter.convert(query, shape, rows)

    async def one(self, query: Query[T], **values: Value) -> T | None:
        """Return the first row of `query`, or None. Raise Unavailable if the database does not answer in time."""
        shape, rows = await self._run(query, values)
        return self._converter.convert(query, shape, rows[:1])[0] if rows else None

    async def refusal(self, query: Query[Any]) -> Exception | None:
        """Return the error with which the database refuses a query without values, None if it runs it.

        Unlike one(), log nothing. Raise Unavailable if the database does not answer in time.
        """
        try:
            await self._execute(query, {})
        except (CannotConnect, NoFreeConnection, NoAnswer) as error:
            raise Unavailable(AWAY.message) from error.__cause__ or error
        except self._driver.errors as error:
            if is_refusal(error):
                return error
            raise Unavailable(AWAY.message) from error
        return None

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
        # The pool logs the first two.
        except CannotConnect as error:
            raise Unavailable(AWAY.message) from error.__cause__
        except NoFreeConnection as error:
            raise Unavailable(SLOW.message) from error
        except NoAnswer as error:
            if self._pool is None or not self._pool.is_paused:
                self._log_refusal(statement.name, error)
            raise Unavailable(SLOW.message) from error
        except self._driver.errors as error:
            if isinstance(statement, Change) and number_of(error) in drivers.UNSTORABLE:
                raise Unstorable from error
            if isinstance(statement, Query) and _matches_nothing(statement, error, values):
                return NO_ROWS
            self._log_failure(statement.name, error)
            raise Unavailable(AWAY.message) from error
        if self._availability.is_down or self._refused:
            self._log_success(statement.name)
        return result

    def _log_success(self, name: str) -> None:
        # During a pause, only a new connection shows that the database answers again.
        if self._pool is None or not self._pool.is_paused:
            self._availability.up()
        if name in self._refused:
            self._refused.pop(name).up()

    def _log_failure(self, name: str, error: Exception) -> None:
        if is_refusal(error):
            self._log_refusal(name, error)
        else:
            self._availability.down(f"{name}: {describe(error)}")

    def _log_refusal(self, name: str, error: Exception) -> None:
        consequence = f"{self._consequence} to what needs it; `main.py check` says what is wrong"
        refused = Availability(f"{self._name} to {name}.sql", consequence)
        self._refused.setdefault(name, refused).down(describe(error))

    async def _execute(self, statement: Statement, values: dict[str, Value]) -> Result:
        if self._pool is not None:
            return await self._execute_pooled(self._pool, statement, values)
        if self._sqlite is not None and not isinstance(statement, Change):
            return await self._execute_on(self._sqlite.raw_connection, statement, values, self._timeout)
        # Changes are rare enough to open the SQLite file each time.
        async with self._databases.connection() as opened:
            return await self._execute_on(opened.raw_connection, statement, values, self._timeout)

    async def _execute_pooled(
        self, pool: ConnectionPool, statement: Statement, values: dict[str, Value]
    ) -> Result:
        is_change = isinstance(statement, Change)
        wait, limit = self._wait, self._change_timeout if is_change else self._timeout
        deadline = 0.0
        tries: list[str] = []
        while True:
            with self._observer.wait():
                connection = await pool.acquire(wait)
            # All tries together take no longer than one may.
            deadline = deadline or time.monotonic() + limit
            limit = deadline - time.monotonic()
            try:
                return await self._execute_checked(pool, connection, statement, values, limit)
            except self._driver.errors as error:
                reason = self._reason_to_try_again(pool, connection, error, is_change)
                if reason is None or tries.count(reason) == TRIES_AGAIN[reason]:
                    raise
                tries.append(reason)
                pause = self._pause(reason, connection)
                needed = self._change_needs if is_change else READ_NEEDS
                wait = min(wait, deadline - time.monotonic() - pause - needed)
                if wait <= 0:
                    raise
            finally:
                pool.release(connection)
            await asyncio.sleep(pause)

    def _reason_to_try_again(
        self, pool: ConnectionPool, connection: Pooled, error: Exception, is_change: bool
    ) -> str | None:
        """Return why to run a statement again, None if it is not, after closing what cannot be used again."""
        if isinstance(error, NoAnswer):
            # The server would have ended the statement. Other connections may lead to the same place.
            pool.replace()
            return None
        reason = reason_to_try_again(error, is_change=is_change)
        if ends_connection(error):
            pool.abort(connection)
        if reason == LOST or (reason == MOVED and not self._is_new(connection)):
            pool.replace()
        return reason

    def _pause(self, reason: str, connection: Pooled) -> float:
        """Return for how many seconds to wait before a statement is run again."""
        if reason == CONFLICTED:
            return random.uniform(0, CONFLICT_PAUSE)
        # New connections still lead to the read-only server.
        return SETTLED if reason == MOVED and self._is_new(connection) else 0

    def _is_new(self, connection: Pooled) -> bool:
        return self._loop.time() - connection.opened < SETTLED

    async def _execute_checked(
        self,
        pool: ConnectionPool,
        connection: Pooled,
        statement: Statement,
        values: dict[str, Value],
        limit: float,
    ) -> Result:
        """Run a statement on a connection of the pool, and check the server if it has not ended the statement."""
        self._deadlines[connection] = time.monotonic() + limit
        begin = self._timeout - GRACE * (1 - CHECK_AFTER)
        check = self._loop.call_later(begin, pool.check, GRACE * CHECK_WITHIN)
        try:
            return await self._execute_on(connection.raw, statement, values, limit)
        finally:
            check.cancel()
            del self._deadlines[connection]

    async def _execute_on(
        self, connection: Any, statement: Statement, values: dict[str, Value], limit: float
    ) -> Result:
        sql = statement.sqlite if self.is_sqlite else statement.mysql
        if any(isinstance(value, tuple) for value in values.values()):
            sql, values = (with_json if self.is_sqlite else with_lists)(sql, values)
        known = self._column_sets.get(statement, ())
        with self._observer.statement(statement.name):
            try:
                async with asyncio.timeout(limit):
                    columns, rows = await self._driver.execute(connection, sql, values, known)
            except TimeoutError as error:
                if error.errno is not None:
                    # The operating system's, of a connection that is lost.
                    raise
                raise NoAnswer(f"no answer within {limit:.3g} s") from None
        if columns is None:
            return NO_ROWS
        if not known or columns is not known[0]:
            others = (other for other in known if other is not columns)
            self._column_sets[statement] = (columns, *others)[:MAX_COLUMN_SETS]
        return columns, rows


def _matches_nothing(query: Query[Any], error: Exception, values: dict[str, Value]) -> bool:
    """Return whether a query failed because no row can match it."""
    return (query.optional and is_missing_table(error)) or drivers.is_unrepresentable(error, values)


def _require_file(path: str) -> None:
    # SQLite would create a file that does not exist.
    if not os.path.isfile(path):
        raise MissingFile(f"there is no SQLite file {path}")
