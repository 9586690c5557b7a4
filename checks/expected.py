"""The tables and columns that this service reads, and the indexes that make it fast, from the files in sql/."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from storage.database import catalogue
from storage.database.database import Query
from storage.database.statement import FOLDER

TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"^  `?(\w+)`? +([a-z]+(?: ?\([^)]*\))?(?: unsigned)?)", re.MULTILINE)
SOURCE = re.compile(r"\b(?:FROM|JOIN) (\w+) (\w+)\b")
USE = re.compile(r"\b(\w+)\.(\w+)\b")
INDEX = re.compile(r"^-- (\w.*)\n(CREATE INDEX (\w+) ON (\w+) \(([^)]*)\));$", re.MULTILINE)


class Index(NamedTuple):
    """An index, the reason for it, and the statement that creates it."""

    name: str
    table: str
    columns: tuple[str, ...]
    reason: str
    statement: str


def tables() -> dict[str, dict[str, str]]:
    """Return the types of the columns of bancho.py's own schema, by table and column."""
    schema = (FOLDER / "schema" / "mysql.sql").read_text(encoding="utf-8")
    return {name: dict(COLUMN.findall(body)) for name, body in TABLE.findall(schema)}


def indexes() -> list[Index]:
    """Return the indexes of sql/indexes.sql."""
    return [
        Index(name, table, tuple(columns.split(", ")), reason, f"{statement};")
        for reason, statement, name, table, columns in INDEX.findall(
            (FOLDER / "indexes.sql").read_text(encoding="utf-8")
        )
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
