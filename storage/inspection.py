"""What the database says about itself, as `main.py check` asks it."""

import msgspec


class Column(msgspec.Struct, frozen=True):
    """A column of a table, and its type as the server writes it."""

    table_name: str
    column_name: str
    column_type: str


class IndexColumn(msgspec.Struct, frozen=True):
    """A column of an index; None where the index is of an expression."""

    table_name: str
    index_name: str
    column_name: str | None


class Clock(msgspec.Struct, frozen=True):
    """Unix time, and the seconds a time zone is ahead of UTC; None where the server does not know its zone."""

    now: int
    zone: int | None


class Privilege(msgspec.Struct, frozen=True):
    """Something that a user of the database may do."""

    privilege: str


class RepeatedStats(msgspec.Struct, frozen=True):
    """A player with more than one row in a mode."""

    id: int
    mode: int
