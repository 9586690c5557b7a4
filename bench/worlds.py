"""The worlds that are measured, in a private MariaDB and Redis. They can be kept in a folder for the next run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pymysql.cursors import Cursor

from bench.plan import Plan
from bench.results import IndexSize
from checks.expected import indexes
from demo.build import build_on_servers
from demo.command import Bars
from demo.world import Sizes
from tests.support import mariadbd, servers

# A buffer pool of a typical size for a game server. Durability is not needed: a world can be built again.
OPTIONS = (
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=512M",
    "--innodb-sort-buffer-size=64M",
    "--innodb-doublewrite=OFF",
    "--max-connections=300",
)
STATEMENT_TIMEOUT = 900  # seconds; for statements of the benchmark itself
Row = tuple[object, ...]


class UnfitFolder(Exception):
    """The folder for the worlds contains an unfinished world, or one of other sizes."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A world and its location. `built_in` is the time it took to build, in seconds (0: it existed already)."""

    name: str
    database: str
    redis: str
    data: Path
    sizes: Sizes
    built_in: float

    def rows(self, statement: str) -> Sequence[Row]:
        """Return the rows of a query."""
        with self._cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def execute(self, *statements: str) -> None:
        """Execute statements that return no rows."""
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with (
            closing(mariadbd.connect(self.database, timeout=STATEMENT_TIMEOUT)) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The servers, and the worlds on them, by name."""

    mariadb: servers.MariaDB
    redis: servers.Redis
    worlds: dict[str, World]


@contextmanager
def setup(plan: Plan, folder: Path, *, keep: bool) -> Iterator[Setup]:
    """Build the missing worlds of the plan in `folder`. They can be used again only with `keep`.

    Raise UnfitFolder if the folder contains an unfinished world or one of other sizes, and CannotInstall.
    """
    folders = (folder / "mariadb", folder / "redis") if keep else (None, None)
    with (
        servers.mariadb(private=True, options=OPTIONS, keep=folders[0]) as mariadb,
        servers.redis(private=True, keep=folders[1]) as redis,
    ):
        worlds = {
            name: _world(mariadb, redis, folder, number, name, sizes)
            for number, (name, sizes) in enumerate(plan.worlds.items())
        }
        yield Setup(mariadb=mariadb, redis=redis, worlds=worlds)


def _world(
    mariadb: servers.MariaDB, redis: servers.Redis, folder: Path, number: int, name: str, sizes: Sizes
) -> World:
    """Return a world, and build it if it is missing. A file that is written last marks it as complete."""
    database = urlsplit(mariadb.url)._replace(path=f"/{name}").geturl()
    ranks = urlsplit(redis.url)._replace(path=f"/{number}").geturl()
    data, complete = folder / f"{name}-data", folder / f"{name}.json"
    if complete.exists():
        if msgspec.json.decode(complete.read_bytes(), type=Sizes) != sizes:
            raise UnfitFolder(f"{folder} contains a {name} world of other sizes ({complete}): use another folder")
        return World(name=name, database=database, redis=ranks, data=data, sizes=sizes, built_in=0)
    if data.exists():
        raise UnfitFolder(f"{folder} contains a {name} world that was not finished: use another folder")
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
    """Create the indexes of sql/indexes.sql. Return the seconds that each took, by name."""
    drop_indexes(world)
    seconds = {}
    for index in indexes():
        began = time.monotonic()
        world.execute(index.statement)
        seconds[index.name] = round(time.monotonic() - began, 2)
    return seconds


def drop_indexes(world: World) -> None:
    """Drop the indexes of sql/indexes.sql that an earlier run has left in the world."""
    existing = set(world.rows(_INDEXES))
    for index in indexes():
        if (index.table, index.name) in existing:
            world.execute(f"DROP INDEX {index.name} ON {index.table}")


_INDEXES = (
    "SELECT DISTINCT table_name, index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
)


def analyze(world: World) -> None:
    """Update the statistics of the optimizer."""
    for (table,) in world.rows("SHOW TABLES"):
        world.execute(f"ANALYZE TABLE `{table}`")


def index_sizes(world: World, created: dict[str, float]) -> list[IndexSize]:
    """Return the sizes of all indexes of the tables for which sql/indexes.sql has one."""
    tables = ", ".join(f"'{table}'" for table in sorted({index.table for index in indexes()}))
    rows = world.rows(
        "SELECT table_name, index_name, stat_value * @@innodb_page_size / 1048576 FROM mysql.innodb_index_stats"
        f" WHERE database_name = DATABASE() AND stat_name = 'size' AND table_name IN ({tables})"
        " ORDER BY table_name, index_name"
    )
    return [
        IndexSize(world.name, str(table), str(name), round(float(str(size)), 1), created.get(str(name)))
        for table, name, size in rows
    ]
