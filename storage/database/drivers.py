"""What differs between the database drivers: how they are configured, run statements, and fail."""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pymysql
import pymysql.converters
from pymysql.constants import FIELD_TYPE

from domain.errors import CannotOpen
from storage.database import mysql_protocol, tls
from storage.database.rows import RowShape

# MySQL's numbers for errors that concern every statement: too many connections, wrong login, no such database,
# shutting down.
UNREACHABLE = {1040, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1226}
# A text has a character that the column's character set lacks, so it is equal to nothing in the column.
UNREPRESENTABLE = {1267, 1271, 3854, 3988}
# The same when writing, or a text that is too long.
UNSTORABLE = UNREPRESENTABLE | {1366, 1406}

# Each server sets the limit it knows: MariaDB reads /*M! */ and skips the comments for MySQL 5.7 and 8.
# Without strict mode, a server cuts off a text at a character it cannot store, without an error.
# index_merge would intersect the indexes of userid, mode and status: ten times slower than reading one of them.
SESSION = (
    "SET time_zone = '+00:00', optimizer_switch = 'index_merge_intersection=off',"
    " sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    " /*M!100101 , max_statement_time = {seconds} */ /*!50708 , max_execution_time = {milliseconds} */"
)

Rows = Sequence[Sequence[Any]]
# Called with a connection, a statement, its values, and the columns of its earlier results; see mysql_protocol.
Execute = Callable[[Any, str, Mapping[str, Any], Sequence[Any]], Awaitable[tuple[RowShape | None, Rows]]]


class Driver(NamedTuple):
    """A database driver: how to run a statement, and what is raised when that fails.

    `largest` is the largest integer that a column can hold, `is_usable` returns whether a connection is open, and
    `decoders` are functions by type of column. `protocol` is the module that opens connections, None for SQLite.
    """

    execute: Execute
    errors: tuple[type[Exception], ...]
    largest: int
    is_usable: Callable[[Any], bool]
    decoders: dict[Any, Any]
    protocol: Any = None


class Opener:
    """Opens and closes connections for a pool."""

    def __init__(self, protocol: Any, arguments: Mapping[str, Any]) -> None:
        """`arguments` are those of the driver's connections."""
        self._protocol = protocol
        # The drivers encode the password in Latin-1. MySQL's own clients send it in UTF-8.
        password = arguments.get("password") or ""
        self._arguments = {**arguments, "password": password.encode().decode("latin-1")}

    async def acquire(self) -> Any:
        """Return a new connection. Raise the driver's error."""
        connection = self._protocol.new(self._arguments)
        try:
            await self._protocol.connect(connection)
        except BaseException:
            # aiomysql does not close a connection whose opening was cancelled.
            connection.close()
            raise
        return connection

    def release(self, connection: Any) -> None:
        """Close a connection."""
        connection.close()


def load(dialect: str, name: str) -> Driver:
    """Return the driver that a database URL names. Raise CannotOpen if it is not installed."""
    if dialect == "sqlite":
        return Driver(_execute_sqlite, (sqlite3.Error, OSError), 2**63 - 1, lambda _: True, {})
    if name != "asyncmy":
        return _mysql_driver(mysql_protocol, pymysql.MySQLError, pymysql.converters.decoders)
    try:
        from asyncmy.converters import conversions
        from asyncmy.errors import MySQLError
    except ImportError as error:
        raise CannotOpen("mysql+asyncmy:// needs a package: .venv/bin/pip install asyncmy") from error
    from storage.database import asyncmy_protocol

    return _mysql_driver(asyncmy_protocol, MySQLError, conversions)


def _mysql_driver(protocol: Any, error: type[Exception], decoders: dict[Any, Any]) -> Driver:
    decoders = {**decoders, FIELD_TYPE.DATETIME: parse_datetime, FIELD_TYPE.TIMESTAMP: parse_datetime}
    return Driver(protocol.execute, (error, OSError, EOFError), 2**64 - 1, protocol.is_usable, decoders, protocol)


def parse_datetime(text: str) -> datetime | None:
    """Parse a DATETIME as MySQL writes it. Old rows may hold 0000-00-00 00:00:00, which becomes None."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def pool_options(
    driver: Driver, pool_max: int, wait: float, statement_timeout: float, context: tls.Context | None = None
) -> dict[str, Any]:
    """Return the options of a MySQL driver's pool and its connections; times are in seconds."""
    return {
        # The first statement opens the first connection, so that a start does not fail if the database is down.
        "min_size": 0,
        "max_size": pool_max,
        "charset": "utf8mb4",
        "connect_timeout": wait,
        "init_command": SESSION.format(seconds=statement_timeout, milliseconds=int(statement_timeout * 1000)),
        "conv": driver.decoders,
        "ssl": context,
    }


def is_refusal(error: Exception) -> bool:
    """Return whether a database that runs other statements failed at this one, as when a table is missing."""
    code = error.args[0] if error.args else None
    # The numbers from 2000 to 2999 are the client's: it cannot connect, or the connection was lost.
    of_server = isinstance(code, int) and (1000 <= code < 2000 or code >= 3000)
    return (of_server and code not in UNREACHABLE) or isinstance(error, sqlite3.Error)


async def _execute_sqlite(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[RowShape]
) -> tuple[RowShape | None, Rows]:
    async with connection.execute(sql, values) as cursor:
        names = [column[0] for column in cursor.description or ()]
        shape = known[0] if known and known[0].names == names else RowShape(names)
        return shape, await cursor.fetchall()
