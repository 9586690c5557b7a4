"""Statements: their text, read from its file and turned into a driver's placeholders, and what their rows are."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from storage.database.rows import Shape

Value = str | int | float | tuple[int, ...] | tuple[str, ...] | None

FOLDER = Path(__file__).resolve().parents[2] / "sql"

# Literals and comments are matched first, so that a colon within them is not taken for a value.
_TOKEN = re.compile(
    r"(?P<literal>'(?:[^']|'')*')|(?P<comment>--[^\n]*|/\*.*?\*/)|(?<![:\w]):(?P<value>[a-z_][a-z0-9_]*)",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


class Prepared(NamedTuple):
    """A statement that MariaDB takes apart but once in a connection: how it is told of it, and how it runs it."""

    prepare: str
    execute: str

    @classmethod
    def of(cls, name: str, text: str) -> "Prepared":
        """For `text` as `for_mysql` gives it, under a name that no game server uses."""
        assert "\\" not in text, "what a backslash means depends on the session"
        values = [match[0] for match in _PLACEHOLDER.finditer(text)]
        quoted = _PLACEHOLDER.sub("?", text).replace("'", "''")
        using = f" USING {', '.join(values)}" if values else ""
        return cls(f"PREPARE apidot_{name} FROM '{quoted}'", f"EXECUTE apidot_{name}{using}")


class Statement:
    """A statement of sql/.

    `fragments` are fixed texts for the `{names}` in the file, never anything a client sent.
    """

    def __init__(self, name: str, *, prepared: bool = False, **fragments: str) -> None:
        """A `prepared` one is worth being remembered by each connection: small, and asked all the time."""
        self.name = name
        self.sqlite = read(name, "sqlite", fragments)
        self.mysql = for_mysql(read(name, "mysql", fragments))
        self.prepared = Prepared.of(name, self.mysql) if prepared else None
        self.values = values_of(self.sqlite)
        # What becomes of its rows: the same every time.
        self._shape = Shape(())
        self._names: Sequence[str] = ()

    def nested(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Each row as a mapping, see Shape."""
        # The same object for results that are described alike.
        if names is not self._names:
            self._names = names
            if self._shape.names != tuple(names):
                self._shape = Shape(names)
        return self._shape.read(rows)


def read(name: str, dialect: str, fragments: dict[str, str]) -> str:
    """The statement in `sql/<name>.sql`, or in `<name>.<dialect>.sql` where that exists.

    `{fragment}` is replaced by the fixed text given for it; of comments only those stay that MySQL executes.
    Raises FileNotFoundError for a missing file and ValueError for one without a statement.
    """
    special = FOLDER / f"{name}.{dialect}.sql"
    path = special if special.exists() else FOLDER / f"{name}.sql"
    text = _TOKEN.sub(_without_comment, path.read_text(encoding="utf-8"))
    for fragment, replacement in fragments.items():
        text = text.replace("{" + fragment + "}", replacement)
    if not text.strip():
        raise ValueError(f"{path.name} holds no statement")
    return " ".join(text.split())


def for_mysql(text: str) -> str:
    """`text` with `:name` as `%(name)s` and every other percent sign doubled."""
    return _TOKEN.sub(
        lambda match: f"%({match['value']})s" if match["value"] else match[0], text.replace("%", "%%")
    )


def with_lists(text: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """`text` and `values` for MySQL, with an item of its own for each item of a value that is a tuple.

    An empty tuple is NULL: IN finds nothing.
    """
    flat: dict[str, Value] = {}
    for name, value in values.items():
        if not isinstance(value, tuple):
            flat[name] = value
            continue
        items: dict[str, Value] = dict(zip((f"{name}_{index}" for index in range(len(value))), value, strict=True))
        names = ", ".join(f"%({each})s" for each in items)
        text = text.replace(f"%({name})s", names or "NULL")
        flat |= items
    return text, flat


def with_json(text: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """`text` and `values` for SQLite, with each tuple as one value that is JSON.

    SQLite looks for the name of a value among all names before it: 20 000 of them take seconds.
    """
    flat = dict(values)
    for name, value in values.items():
        if isinstance(value, tuple):
            text = text.replace(f"IN (:{name})", f"IN (SELECT value FROM json_each(:{name}))")
            flat[name] = msgspec.json.encode(value).decode()
    return text, flat


def values_of(text: str) -> set[str]:
    """The names of the values that `text` binds."""
    return {match["value"] for match in _TOKEN.finditer(text) if match["value"]}


def _without_comment(match: re.Match[str]) -> str:
    comment = match["comment"]
    return " " if comment and not comment.startswith("/*!") else match[0]
