"""Reads the statements of sql/ and turns them into what the drivers take."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

Value = str | int | float | tuple[int, ...] | tuple[str, ...] | None

FOLDER = Path(__file__).resolve().parents[2] / "sql"

# Literals and comments come first, so that a colon inside one does not look like a value.
_TOKEN = re.compile(
    r"(?P<literal>'(?:[^']|'')*')|(?P<comment>--[^\n]*|/\*.*?\*/)|(?<![:\w]):(?P<value>[a-z_][a-z0-9_]*)",
    re.DOTALL,
)
# A table and its alias.
_SOURCE = re.compile(r"\b(?:FROM|(?:STRAIGHT_)?JOIN) (\w+) (\w+)\b")


class Statement:
    """A statement of sql/, for SQLite and for MySQL, and the names of the values it binds."""

    def __init__(self, name: str, **fragments: str) -> None:
        """`fragments` are constants that replace `{fragment}` in the file, never anything a client sent."""
        self.name = name
        self.sqlite = read(name, "sqlite", fragments)
        self.mysql = for_mysql(read(name, "mysql", fragments))
        self.values = values_of(self.sqlite)

    def tables(self) -> dict[str, str]:
        """Return the tables that it reads, by alias."""
        return {alias: table for table, alias in _SOURCE.findall(self.mysql)}

    def mentions(self, word: str) -> bool:
        """Return whether a word, such as the name of a column, is in it."""
        return re.search(rf"\b{word}\b", self.mysql) is not None

    def column(self, name: str) -> str:
        """Return the table and the column that it returns under this name; of an expression, the name."""
        found = re.search(rf"\b(\w+)\.(\w+) AS {name}\b|\b(\w+)\.`?({name})\b", self.mysql)
        alias, column = (found[1] or found[3], found[2] or found[4]) if found else ("", "")
        table = self.tables().get(alias)
        return f"{table}.{column}" if table else name


def read(name: str, dialect: str, fragments: dict[str, str]) -> str:
    """Return the statement in `sql/<name>.<dialect>.sql` if that file exists, else in `sql/<name>.sql`.

    Fragments are filled in, and comments removed. SQLite gets CROSS JOIN instead of STRAIGHT_JOIN: both read their
    tables in the order in which they are written. Raise FileNotFoundError if neither file exists and ValueError if
    it holds no statement.
    """
    special = FOLDER / f"{name}.{dialect}.sql"
    path = special if special.exists() else FOLDER / f"{name}.sql"
    text = _without_comments(path)
    for fragment, replacement in fragments.items():
        text = text.replace("{" + fragment + "}", replacement)
    if not text.strip():
        raise ValueError(f"{path.name} holds no statement")
    if dialect == "sqlite":
        text = text.replace("STRAIGHT_JOIN", "CROSS JOIN")
    return " ".join(text.split())


@cache
def _without_comments(path: Path) -> str:
    return _TOKEN.sub(lambda match: " " if match["comment"] else match[0], path.read_text(encoding="utf-8"))


def for_mysql(text: str) -> str:
    """Return `text` with `:name` as `%(name)s`, and every other percent sign doubled."""
    return _TOKEN.sub(
        lambda match: f"%({match['value']})s" if match["value"] else match[0], text.replace("%", "%%")
    )


def with_lists(text: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """Return `text` and `values` for MySQL, with one value for each item of a tuple; numbers are written out.

    An empty tuple becomes NULL, so that IN matches nothing.
    """
    flat: dict[str, Value] = {}
    for name, value in values.items():
        if not isinstance(value, tuple):
            flat[name] = value
            continue
        if all(type(item) is int for item in value):
            # Written by us, because the drivers take many times as long for each value.
            text = text.replace(f"%({name})s", ", ".join(map(str, value)) or "NULL")
            continue
        items: dict[str, Value] = {f"{name}_{index}": value[index] for index in range(len(value))}
        placeholders = ", ".join(f"%({item})s" for item in items)
        text = text.replace(f"%({name})s", placeholders)
        flat |= items
    return text, flat


def with_json(text: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """Return `text` and `values` for SQLite, with each tuple as one value in JSON.

    SQLite compares the name of each value with all names before it: with 20 000 items that takes seconds.
    """
    flat = dict(values)
    for name, value in values.items():
        if isinstance(value, tuple):
            text = text.replace(f"IN (:{name})", f"IN (SELECT value FROM json_each(:{name}))")
            flat[name] = msgspec.json.encode(value).decode()
    return text, flat


def values_of(text: str) -> set[str]:
    """Return the names of the values that `text` binds."""
    return {match["value"] for match in _TOKEN.finditer(text) if match["value"]}
