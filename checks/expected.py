"""What this service needs of the database, from the files in sql/: tables, columns, keys and indexes."""

import re
from functools import cache
from typing import NamedTuple

from storage.database import catalogue
from storage.database.database import Query
from storage.database.statement import FOLDER

TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(
    r"^  `?(\w+)`? +([a-z]+(?: ?\([^)]*\))?(?: unsigned)?) +(?:CHARACTER SET \w+ +)?(.*?),?$", re.MULTILINE
)
UNIQUE = re.compile(r"^  (PRIMARY|UNIQUE) KEY (?:(\w+) )?\(([^)]*)\)", re.MULTILINE)
MORE_INDEXES = re.compile(r"^ALTER TABLE (\w+)\n(.*?);", re.MULTILINE | re.DOTALL)
ADD_INDEX = re.compile(r"ADD INDEX (\w+) \(([^)]*)\)")
COMPARISON = re.compile(r"\b(\w+)\.(\w+) (?:= |IN \( ?SELECT )(\w+)\.(\w+)\b")
RECOMMENDED = re.compile(
    r"^-- (\w+(?: \w+)?): (.*) without it; (\d+) bytes a row\n(CREATE INDEX (\w+) ON (\w+) \(([^)]*)\);)$",
    re.MULTILINE,
)
OBSOLETE = re.compile(r"^-- (DROP INDEX (\w+) ON (\w+);)$", re.MULTILINE)


# The names of the statements that compare two columns, by the table and column of each.
Comparisons = dict[tuple[str, str, str, str], set[str]]


class StockColumn(NamedTuple):
    """A column of the stock schema: its type, and the rest of its definition, such as `NOT NULL DEFAULT 0`."""

    type: str
    rest: str


class Index(NamedTuple):
    """An index or a unique key, and the statement that creates it."""

    name: str
    table: str
    columns: tuple[str, ...]
    statement: str


class Recommended(NamedTuple):
    """A recommended index.

    `columns` may be followed by DESC. `query` is the name in the catalogue of the statement that it is for, and
    `reason` is what that does without it.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    statement: str
    query: str
    reason: str
    bytes: int


class Obsolete(NamedTuple):
    """An index that an earlier version recommended, and the statement that drops it."""

    name: str
    table: str
    statement: str


@cache
def _schema() -> str:
    return (FOLDER / "schema" / "mysql.sql").read_text(encoding="utf-8")


def tables() -> dict[str, dict[str, StockColumn]]:
    """Return the columns of bancho.py's own schema, the stock schema, by table and column."""
    return {
        name: {column: StockColumn(kind, rest) for column, kind, rest in COLUMN.findall(body)}
        for name, body in TABLE.findall(_schema())
    }


def unique_keys() -> list[Index]:
    """Return the primary and unique keys of the stock schema."""
    keys = []
    for table, body in TABLE.findall(_schema()):
        for kind, name, columns in UNIQUE.findall(body):
            key = "PRIMARY KEY" if kind == "PRIMARY" else f"UNIQUE KEY {name}"
            statement = f"ALTER TABLE {table} ADD {key} ({columns});"
            keys.append(Index(name or kind, table, _columns(columns), statement))
    return keys


def stock_indexes() -> list[Index]:
    """Return the other indexes of the stock schema."""
    return [
        Index(name, table, _columns(columns), f"CREATE INDEX {name} ON {table} ({columns});")
        for table, body in MORE_INDEXES.findall(_schema())
        for name, columns in ADD_INDEX.findall(body)
    ]


@cache
def _recommendations() -> str:
    return (FOLDER / "indexes.sql").read_text(encoding="utf-8")


def indexes() -> list[Recommended]:
    """Return the indexes of sql/indexes.sql."""
    return [
        Recommended(name, table, _columns(columns), statement, query, reason, int(size))
        for query, reason, size, statement, name, table, columns in RECOMMENDED.findall(_recommendations())
    ]


def obsolete_indexes() -> list[Obsolete]:
    """Return the indexes that earlier versions of sql/indexes.sql had."""
    return [Obsolete(name, table, statement) for statement, name, table in OBSOLETE.findall(_recommendations())]


def columns_compared() -> Comparisons:
    """Return the pairs of columns that statements compare."""
    compared: Comparisons = {}
    for query in _queries():
        sources = query.tables()
        for left, left_column, right, right_column in COMPARISON.findall(query.mysql):
            if left in sources and right in sources:
                sides = sorted([(sources[left], left_column), (sources[right], right_column)])
                compared.setdefault((*sides[0], *sides[1]), set()).add(query.name)
    return compared


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.replace("`", "").split(", "))


def _queries() -> list[Query[object]]:
    return [statement for _, statement in catalogue.statements() if isinstance(statement, Query)]
