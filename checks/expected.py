"""The tables and columns that this service reads, and the indexes that make it fast, from the files in sql/."""

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
    """A table of the game server: the type of each column, and the columns of the primary key."""

    columns: dict[str, str]
    key: tuple[str, ...]


class Index(NamedTuple):
    """An index, the reason for it, and the statement that creates it."""

    table: str
    columns: tuple[str, ...]
    reason: str
    statement: str


def tables(path: Path = FOLDER / "schema" / "mysql.sql") -> dict[str, Table]:
    """Return the tables of bancho.py's own schema, by name."""
    tables = {}
    for name, body in TABLE.findall(path.read_text(encoding="utf-8")):
        columns = {match[1]: match[2] for line in body.splitlines() if (match := COLUMN.match(line))}
        key = PRIMARY_KEY.search(body)
        tables[name] = Table(columns, _names(key[1]) if key else ())
    return tables


def indexes(path: Path = FOLDER / "indexes.sql") -> list[Index]:
    """Return the indexes of sql/indexes.sql."""
    return [
        Index(table, _names(columns), reason, f"{statement};")
        for reason, statement, _, table, columns in INDEX.findall(path.read_text(encoding="utf-8"))
    ]


def columns_read() -> dict[str, dict[str, set[str]]]:
    """Return the names of the statements that read a column, by table and column."""
    read: dict[str, dict[str, set[str]]] = {}
    for query in _queries():
        sources = {alias: table for table, alias in SOURCE.findall(query.mysql)}
        for alias, column in USE.findall(query.mysql):
            if alias in sources:
                read.setdefault(sources[alias], {}).setdefault(column, set()).add(query.name)
    return read


def _queries() -> Iterator[Query[Any]]:
    for value in vars(catalogue).values():
        for query in value.values() if isinstance(value, dict) else [value]:
            if isinstance(query, Query):
                yield query


def _names(columns: str) -> tuple[str, ...]:
    return tuple(name.strip(" `") for name in columns.split(","))
