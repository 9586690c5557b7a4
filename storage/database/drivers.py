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
from storage.database.connector import Wire
from storage.database.failures import number_of
from storage.database.rows import RowShape

# A text has a character that the column's character set lacks, so it is equal to nothing in the column.
UNREPRESENTABLE = {1267, 1270, 1271, 3854, 3988}
# The same when writing, or a text that is too long.
UNSTORABLE = UNREPRESENTABLE | {1366, 1406}

Rows = Sequence[Sequence[Any]]
# Called with a connection, a statement, its values, and the columns of its earlier results; see mysql_protocol.
Execute = Callable[[Any, str, Mapping[str, Any], Sequence[Any]], Awaitable[tuple[RowShape | None, Rows]]]


class Driver(NamedTuple):
    """A database driver: how to run a statement, and what is raised when that fails.

    `largest` is the largest integer that a column can hold, `wire` opens and closes connections (None for SQLite),
    and `decoders` are functions by type of column.
    """

    execute: Execute
    errors: tuple[type[Exception], ...]
    largest: int
    wire: Wire | None
    decoders: dict[Any, Any]


def load(dialect: str, name: str) -> Driver:
    """Return the driver that a database URL names. Raise CannotOpen if it is not installed."""
    if dialect == "sqlite":
        return Driver(_execute_sqlite, (sqlite3.Error, OSError), 2**63 - 1, None, {})
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
    times = dict.fromkeys((FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP), parse_datetime)
    decoders = {**decoders, **times, FIELD_TYPE.BIT: parse_bits}
    return Driver(protocol.execute, (error, OSError, EOFError), 2**64 - 1, protocol, decoders)


def parse_datetime(text: str) -> datetime | None:
    """Parse a DATETIME or a DATE as MySQL writes it, without fractions of a second.

    Old rows may hold 0000-00-00 00:00:00, which becomes None.
    """
    try:
        return datetime.fromisoformat(text[:19])
    except ValueError:
        return None


def parse_bits(bits: bytes) -> int:
    """Parse a BIT."""
    return int.from_bytes(bits, "big")


def pool_options(driver: Driver, wait: float, context: tls.Context | None) -> dict[str, Any]:
    """Return the options of a MySQL driver's connections, which try to connect for `wait` seconds."""
    return {
        # The driver's pool opens no connection: storage/database/pool.py does.
        "min_size": 0,
        "max_size": 1,
        "charset": "utf8mb4",
        "connect_timeout": wait,
        "conv": driver.decoders,
        "ssl": context,
    }


def is_unrepresentable(error: Exception, values: Mapping[str, Any]) -> bool:
    """Return whether a statement failed because a column cannot hold one of its texts, which no row is equal to.

    The servers have the same numbers for two columns that cannot be compared, which is a fault of the schema. The
    message, in any language, says which of the two it is: a column is IMPLICIT, a text COERCIBLE.
    """
    message = str(error)
    texts = [text for value in values.values() for text in (value if isinstance(value, tuple) else [value])]
    if number_of(error) not in UNREPRESENTABLE or all(str(text).isascii() for text in texts):
        return False
    return "IMPLICIT" not in message or "COERCIBLE" in message


async def _execute_sqlite(
    connection: Any, sql: str, values: Mapping[str, Any], known: Sequence[RowShape]
) -> tuple[RowShape | None, Rows]:
    async with connection.execute(sql, values) as cursor:
        names = [column[0] for column in cursor.description or ()]
        shape = known[0] if known and known[0].names == names else RowShape(names)
        return shape, await cursor.fetchall()
