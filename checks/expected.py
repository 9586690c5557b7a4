"""What this service expects of a database: the tables it reads, and the indexes it is best served by."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from storage.database import catalogue
from storage.database.database import Query
from storage.database.statement import FOLDER

TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"^  `?(\w+)`? +([a-z]+(?: ?\([^)]*\))?(?: unsigned)?)")
PRIMARY_KEY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
SOURCE = re.compile(r"\b(?:FROM|JOIN) (\w+) (\w+)\b")
USE = re.compile(r"\b(\w+)\.(\w+)\b")
INDEX = re.compile(r"^-- (\w.*)\n(CREATE INDEX (\w+) ON (\w+) \(([^)]*)\));$", re.MULTILINE)


class Table(NamedTuple):
    """A table of the game server: types by column, and the columns of its primary key."""

    columns: dict[str, str]
    key: tuple[str, ...]


class Index(NamedTuple):
    """An index worth having, why, and the statement that makes it."""

    table: str
    columns: tuple[str, ...]
    reason: str
    statement: str


def tables(path: Path = FOLDER / "schema" / "mysql.sql") -> dict[str, Table]:
    """The tables of the stock schema, by name."""
    found = {}
    for name, body in TABLE.findall(path.read_text(encoding="utf-8")):
        columns = {match[1]: match[2] for line in body.splitlines() if (match := COLUMN.match(line))}
        key = PRIMARY_KEY.search(body)
        found[name] = Table(columns, _names(key[1]) if key else ())
    return found


def indexes(path: Path = FOLDER / "indexes.sql") -> list[Index]:
    """The indexes of sql/indexes.sql."""
    return [
        Index(table, _names(columns), reason, f"{statement};")
        for reason, statement, _, table, columns in INDEX.findall(path.read_text(encoding="utf-8"))
    ]


def columns_read() -> dict[str, dict[str, set[str]]]:
    """The statements that read each column, by table and column."""
    found: dict[str, dict[str, set[str]]] = {}
    for query in _queries():
        sources = {alias: table for table, alias in SOURCE.findall(query.mysql)}
        for alias, column in USE.findall(query.mysql):
            if alias in sources:
                found.setdefault(sources[alias], {}).setdefault(column, set()).add(query.name)
    return found


def _queries() -> Iterator[Query[Any]]:
    for value in vars(catalogue).values():
        for query in value.values() if isinstance(value, dict) else [value]:
            if isinstance(query, Query):
                yield query


def _names(columns: str) -> tuple[str, ...]:
    return tuple(name.strip(" `") for name in columns.split(","))
