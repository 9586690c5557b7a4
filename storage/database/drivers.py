"""What the drivers of the database do each in its own way: their errors, and how they read a value."""

import sqlite3
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pymysql
import pymysql.converters
from pymysql.constants import FIELD_TYPE

from domain.errors import CannotOpen, ErrorSpec
from storage.database import mysql_protocol

AWAY = ErrorSpec(503, "The database did not answer.")
SLOW = ErrorSpec(503, "The database did not answer in time.")

# Answers of a server that is there for nobody, or not for us: full, shutting down, wrong login, no such database.
NOT_THERE = {1040, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1226}

# A text with a character that the column cannot hold, or one too long for it.
UNSTORABLE = {1267, 1271, 1366, 1406, 3854, 3988}

# A text with a character that the column's character set lacks; such a text is equal to nothing in it.
UNREPRESENTABLE = {1267, 1271, 3854, 3988}

# Prepared statements: unknown (a proxy has changed the server), not for this statement, too many on the server;
# and MariaDB before 10.2.3 does not know how values are given to them.
NOT_PREPARED = {1064, 1243, 1295, 1461}

# How many descriptions of a statement's results are known: one for each way in which two LEFT JOINs come out.
DESCRIPTIONS = 4

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


class Unstorable(Exception):
    """A text holds characters that the column it is for cannot keep."""


class MissingDriver(CannotOpen):
    """The URL asks for a driver that is not installed; the text says how to get it."""


class MissingFile(CannotOpen):
    """The URL names a SQLite file that is not there, or not for us."""


class Described(Protocol):
    """How a result was described."""

    names: list[str]


# Called with a connection, a statement, its values, and the descriptions of its last results.
Execute = Callable[[Any, str, Any, Any], Awaitable[tuple[Described | None, Sequence[Sequence[Any]]]]]


class ColumnSets:
    """How the results of each statement were described, the last one first."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Described, ...]] = {}

    def of(self, statement: Hashable) -> tuple[Described, ...]:
        """Those that its next result may have too."""
        return self._known.get(statement, ())

    def names(self, statement: Hashable, description: Described | None) -> list[str]:
        """The columns of a result that is described so; none for one without rows."""
        if description is None:
            return []
        known = self.of(statement)
        if not known or description is not known[0]:
            others = [each for each in known if each is not description]
            self._known[statement] = (description, *others[: DESCRIPTIONS - 1])
        return description.names


class Named:
    """A description of names alone."""

    def __init__(self, names: list[str]) -> None:
        self.names = names


async def execute_sqlite(
    connection: Any, sql: str, values: Any, known: Sequence[Described]
) -> tuple[Described | None, Sequence[Sequence[Any]]]:
    """See mysql_protocol.execute; a change is described too, as without columns."""
    async with connection.execute(sql, values) as cursor:
        return Named([column[0] for column in cursor.description or ()]), await cursor.fetchall()


def execute_with(dialect: str, driver: str) -> Execute:
    """How statements are run with a driver that is installed."""
    if dialect == "sqlite":
        return execute_sqlite
    if driver == "asyncmy":
        from storage.database import asyncmy_protocol

        return asyncmy_protocol.execute
    return mysql_protocol.execute


def require_file(path: str) -> None:
    """Raises MissingFile where there is no file, because opening it would make one."""
    if not Path(path).is_file():
        raise MissingFile(f"there is no SQLite file {path}")


def errors(dialect: str, driver: str) -> tuple[type[Exception], ...]:
    """What comes up when the database does not answer. Raises MissingDriver when the driver is not installed."""
    lost = (OSError, EOFError)
    if dialect == "sqlite":
        return (sqlite3.Error, *lost)
    if driver == "asyncmy":
        try:
            import asyncmy.errors
        except ImportError as error:
            raise MissingDriver("mysql+asyncmy:// needs a package: .venv/bin/pip install asyncmy") from error
        return (asyncmy.errors.MySQLError, *lost)
    return (pymysql.MySQLError, *lost)


def is_refusal(error: Exception) -> bool:
    """Whether the database answers, but not to this statement: a table is missing, or it takes too long."""
    code = error.args[0] if error.args else None
    # Numbers from 2000 to 2999 are the driver's own: no connection, or a lost one.
    server = isinstance(code, int) and (1000 <= code < 2000 or code >= 3000) and code not in NOT_THERE
    return server or isinstance(error, sqlite3.Error)


def cannot_prepare(error: Exception) -> bool:
    """Whether the server would answer this statement if it were not prepared."""
    return bool(error.args) and error.args[0] in NOT_PREPARED


def decoders(driver: str) -> dict[Any, Any]:
    """How a MySQL driver reads each type, but for dates and times that are none."""
    if driver == "asyncmy":
        from asyncmy.converters import conversions
    else:
        conversions = pymysql.converters.decoders
    return {**conversions, FIELD_TYPE.DATETIME: moment, FIELD_TYPE.TIMESTAMP: moment}


def moment(text: str) -> datetime | None:
    """A DATETIME as MySQL writes it; old rows may hold 0000-00-00 00:00:00, which is no time at all."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def pool_options(driver: str, pool_max: int, wait: float, statement_timeout: float) -> dict[str, Any]:
    """How a MySQL driver makes its pool and the connections of it; the times are in seconds."""
    return {
        # No connection is opened before the first question, so that a start does not hang on a database
        # that is away.
        "min_size": 0,
        "max_size": pool_max,
        "pool_recycle": 300,
        "charset": "utf8mb4",
        "connect_timeout": wait,
        "init_command": SESSION.format(seconds=statement_timeout, milliseconds=int(statement_timeout * 1000)),
        "conv": decoders(driver),
    }
