"""The worlds that are asked: built in a MariaDB and a Redis of their own, and kept where a folder is named."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pymysql.cursors import Cursor

from bench.plan import Plan
from checks.expected import indexes
from demo.build import build_on_servers
from demo.command import Bars
from demo.world import Sizes
from tests.support import mariadbd, servers

# As much memory as a game server's database is given. What a crash would lose is built anew.
OPTIONS = (
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=512M",
    "--innodb-sort-buffer-size=64M",
    "--innodb-doublewrite=OFF",
    "--max-connections=300",
)
PATIENCE = 900  # seconds that a statement of the bench itself may take
Row = tuple[object, ...]


class UnfitFolder(Exception):
    """The folder that was named holds something else than this bench's worlds."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A world: where it is, and how long it took to build, in seconds (0: it was kept)."""

    name: str
    database: str
    redis: str
    data: Path
    sizes: Sizes
    built_in: float

    def rows(self, statement: str) -> Sequence[Row]:
        """What the database answers."""
        with self._cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def execute(self, *statements: str) -> None:
        """Runs statements that answer nothing."""
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with (
            closing(mariadbd.connect(self.database, timeout=PATIENCE)) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """The servers, and the worlds on them by name."""

    mariadb: servers.MariaDB
    redis: servers.Redis
    worlds: dict[str, World]


@contextmanager
def ground(plan: Plan, folder: Path, *, keep: bool) -> Iterator[Ground]:
    """The worlds of the plan, built where they are missing, below `folder`; only `keep` leaves them usable.

    Raises UnfitFolder when there is another world already, or an unfinished one, and CannotInstall.
    """
    places = (folder / "mariadb", folder / "redis") if keep else (None, None)
    with (
        servers.mariadb(private=True, options=OPTIONS, keep=places[0]) as mariadb,
        servers.redis(private=True, keep=places[1]) as redis,
    ):
        worlds = {
            name: _built(mariadb, redis, folder, number, name, sizes)
            for number, (name, sizes) in enumerate(plan.worlds.items())
        }
        yield Ground(mariadb=mariadb, redis=redis, worlds=worlds)


def _built(
    mariadb: servers.MariaDB, redis: servers.Redis, folder: Path, number: int, name: str, sizes: Sizes
) -> World:
    """The world of these sizes; a file beside its data, written last, says that it is complete."""
    database = urlsplit(mariadb.url)._replace(path=f"/{name}").geturl()
    ranks = urlsplit(redis.url)._replace(path=f"/{number}").geturl()
    data, complete = folder / f"{name}-data", folder / f"{name}.json"
    if complete.exists():
        if msgspec.json.decode(complete.read_bytes(), type=Sizes) != sizes:
            raise UnfitFolder(f"{folder} holds a {name} world of other sizes ({complete}): name another folder")
        return World(name=name, database=database, redis=ranks, data=data, sizes=sizes, built_in=0)
    if data.exists():
        raise UnfitFolder(f"{folder} holds a {name} world that was not finished: name another folder")
    data.mkdir(parents=True)
    began = time.monotonic()
    mariadbd.execute(mariadb.url, f"CREATE DATABASE {name}")
    with Bars() as bars:
        build_on_servers(database, ranks, data, sizes=sizes, progress=bars)
    world = World(
        name=name, database=database, redis=ranks, data=data, sizes=sizes, built_in=time.monotonic() - began
    )
    complete.write_bytes(msgspec.json.encode(sizes))
    return world


def create_indexes(world: World) -> dict[str, float]:
    """Creates the indexes of sql/indexes.sql; how many seconds each took, by name."""
    drop_indexes(world)
    took = {}
    for index in indexes():
        began = time.monotonic()
        world.execute(index.statement)
        took[_name(index.statement)] = round(time.monotonic() - began, 2)
    return took


def drop_indexes(world: World) -> None:
    """The stock schema: without the indexes that an earlier run has left on a kept world."""
    there = set(world.rows(_INDEXES))
    for index in indexes():
        if (index.table, _name(index.statement)) in there:
            world.execute(f"DROP INDEX {_name(index.statement)} ON {index.table}")


_INDEXES = (
    "SELECT DISTINCT table_name, index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
)


def _name(statement: str) -> str:
    found = re.search(r"INDEX (\w+) ON", statement)
    assert found, statement
    return found[1]


def analyze(world: World) -> None:
    """Lets the optimizer know what is in the tables."""
    for (table,) in world.rows("SHOW TABLES"):
        world.execute(f"ANALYZE TABLE `{table}`")


class IndexSize(msgspec.Struct, frozen=True):
    """An index on a world: how large it is, and for a table's own (PRIMARY) how large the rows are."""

    world: str
    table: str
    name: str
    mebibytes: float
    created_in: float | None = None  # seconds


def index_sizes(world: World, created: dict[str, float]) -> list[IndexSize]:
    """Every index of the tables that sql/indexes.sql adds one to."""
    tables = ", ".join(f"'{table}'" for table in sorted({index.table for index in indexes()}))
    found = world.rows(
        "SELECT table_name, index_name, stat_value * @@innodb_page_size / 1048576 FROM mysql.innodb_index_stats"
        f" WHERE database_name = DATABASE() AND stat_name = 'size' AND table_name IN ({tables})"
        " ORDER BY table_name, index_name"
    )
    return [
        IndexSize(world.name, str(table), str(name), round(float(str(size)), 1), created.get(str(name)))
        for table, name, size in found
    ]
