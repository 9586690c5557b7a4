"""What the drivers of the database do each in its own way: their errors, and how they read a value."""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pymysql
import pymysql.converters
from pymysql.constants import FIELD_TYPE

from domain.errors import CannotOpen, Wording

AWAY = Wording(503, "The database did not answer.")
SLOW = Wording(503, "The database did not answer in time.")

# Answers of a server that is there for nobody, or not for us: full, shutting down, wrong login, no such database.
NOT_THERE = {1040, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1226}

# A text with a character that the column cannot hold, or one too long for it.
UNSTORABLE = {1267, 1271, 1366, 1406, 3854, 3988}


class Unstorable(Exception):
    """A text holds characters that the column it is for cannot keep."""


class MissingDriver(CannotOpen):
    """The URL asks for a driver that is not installed; the text says how to get it."""


class MissingFile(CannotOpen):
    """The URL names a SQLite file that is not there, or not for us."""


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
