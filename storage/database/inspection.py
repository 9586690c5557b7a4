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


class Connections(msgspec.Struct, frozen=True):
    """How many connections a server allows in all, and to one user; 0 is any number."""

    in_all: int
    for_user: int

    def too_few(self, workers: int, pool_max: int) -> str | None:
        """What is wrong when so many workers with such pools may ask for more than that, None when they cannot."""
        allowed = min((each for each in (self.in_all, self.for_user) if each), default=0)
        if not allowed or workers * pool_max <= allowed:
            return None
        return f"{workers} × {pool_max} (API_WORKERS × DB_POOL_MAX) may be opened, {allowed} are allowed"
