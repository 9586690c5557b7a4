"""A database whose schema a test may change, and services on it with each driver."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from checks import expected, schema
from storage.database import catalogue
from tests.conftest import Running, running
from tests.support import conformance, mariadbd
from tests.support.servers import MariaDB

DRIVERS = ("mysql", "mysql+asyncmy")
# Longer than anything is cached.
LONG = 120.0
# Other types that a column of a kind can have.
TYPES = {
    "a whole number": (
        "varchar(24)",
        "double",
        "float",
        "decimal(30,4)",
        "bigint",
        "varbinary(24)",
        "blob",
        "bit(32)",
    ),
    "a number": ("varchar(24)", "double", "float", "decimal(30,9)", "int", "varbinary(24)", "blob", "bit(16)"),
    "a text": ("varbinary(2100)", "text", "longblob", "int", "char(255)", "binary(40)", "double", "tinytext"),
    "a date with time": ("varchar(30)", "datetime(6)", "timestamp(6)", "date", "bigint", "double", "blob", "time"),
}


class Drifting(NamedTuple):
    """A copy of the recorded world, and a service on it with each driver."""

    url: str
    services: tuple[Running, ...]

    def sql(self, *statements: str) -> None:
        """Run statements without strict mode, so that values are converted as far as possible."""
        mariadbd.execute(self.url, "SET sql_mode = ''", *statements)

    def value(self, statement: str) -> Any:
        """Return the only value that a statement selects."""
        with closing(mariadbd.connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            (row,) = cursor.fetchall()
            return row[0]

    @contextmanager
    def changed(self, table: str, *changes: str, keys: bool = True) -> Iterator[None]:
        """Replace a table by a copy, without `keys` one that has none, and run these statements."""
        copy = f"LIKE stock_{table}" if keys else f"AS SELECT * FROM stock_{table}"
        fill = [f"INSERT INTO {table} SELECT * FROM stock_{table}"] if keys else []
        self.sql(f"RENAME TABLE {table} TO stock_{table}", f"CREATE TABLE {table} {copy}", *fill)
        try:
            self.sql(*changes)
            self.expire()
            yield
        finally:
            self.sql(f"DROP TABLE {table}", f"RENAME TABLE stock_{table} TO {table}")
            self.expire()

    def expire(self) -> None:
        """Let everything expire that the services have cached."""
        for client, _ in self.services:
            client.advance(LONG)

    def get(self, path: str, status: int = 200) -> Any:
        """Return what the services answer to a request: the same with both drivers."""
        responses = [client.get(path) for client, _ in self.services]
        for response in responses:
            assert response.status_code == status, f"{path}: {response.status_code} {response.text}"
        assert responses[0].json() == responses[1].json()
        return responses[0].json()

    def logged(self, text: str) -> list[int]:
        """Return how often each service has logged a text."""
        return [process.output().count(text) for _, process in self.services]


@contextmanager
def drifting(mariadb: MariaDB, name: str) -> Iterator[Drifting]:
    """Run services on a copy of the recorded world in a database of this name."""
    url = mariadb.database(name)
    conformance.load(url)
    settings = {"cache": "off", "rate_limit": "0", "data_directory": str(conformance.WORLD)}
    first, second = (url.replace("mysql://", f"{driver}://") for driver in DRIVERS)
    with running(database_url=first, **settings) as one, running(database_url=second, **settings) as other:
        yield Drifting(url, (one, other))


@cache
def paths() -> Sequence[str]:
    """Return recorded requests that succeed, one for each endpoint with each set of parameters."""
    found: dict[object, str] = {}
    for case in conformance.cases():
        url = urlsplit(case["path"])
        query = parse_qs(url.query)
        kind = (re.sub(r"/\d+", "/N", url.path), *sorted(query), *query.get("scope", ()), *query.get("sort", ()))
        if case["method"] == "GET" and case["expect"].get("status") == 200 and "headers" not in case:
            found.setdefault(kind, case["path"])
    return [path for path in found.values() if "calculate_pp" not in path]


class StockColumn(NamedTuple):
    """A column of the stock schema."""

    table: str
    name: str
    type: str


def columns() -> Iterator[StockColumn]:
    """Yield the columns that the service reads, those of a table after each other."""
    stock = expected.tables()
    for table, names in sorted(catalogue.columns_read().items()):
        for name in sorted(names):
            yield StockColumn(table, name, stock[table][name].type)


def odd_type(column: StockColumn, number: int) -> str:
    """Return another type for a column, which also allows NULL."""
    types = TYPES[schema.kind(column.type)]
    return f"{types[number % len(types)]} NULL"


@contextmanager
def altered(world: Drifting, types: Mapping[StockColumn, str], *changes: str) -> Iterator[None]:
    """Give columns of tables without keys these types, and run the changes."""
    with ExitStack() as stack:
        for table in sorted({column.table for column in types}):
            own = {column.name: kind for column, kind in types.items() if column.table == table}
            modify = ", ".join(f"MODIFY `{name}` {kind}" for name, kind in own.items())
            stack.enter_context(world.changed(table, f"ALTER TABLE {table} {modify}", keys=False))
        world.sql(*changes)
        world.expire()
        yield


def assert_answered(world: Drifting) -> None:
    """Send the recorded requests. No response may be a server error."""
    for client, process in world.services:
        wrong = []
        for path in paths():
            response = client.get(path)
            if response.status_code >= 500:
                wrong.append(f"{path}: {response.status_code} {response.text[:100]}")
        log = [line for line in process.output().splitlines() if "status=2" not in line]
        assert not wrong, "\n".join([*wrong, *log[-40:]])
