"""The recorded world: its tables and ranks, and the requests with the responses that clients expect."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from demo.load import Rows, load_mysql, load_redis, load_sqlite
from tests.support import mariadbd

FOLDER = Path(__file__).parents[1] / "conformance"
WORLD = FOLDER / "world"
# The database of a test's own MariaDB that holds the recorded world, to be copied.
TEMPLATE = "apidot_template"


def tables() -> Iterator[Rows]:
    """Yield the tables of the recorded world."""
    for file in sorted((WORLD / "tables").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            columns: list[str] = json.loads(next(lines))
            yield file.name.removesuffix(".jsonl.gz"), columns, [tuple(json.loads(line)) for line in lines]


def ranks() -> Iterator[tuple[str, str, float]]:
    """Yield the members of the recorded sorted sets: key, member, score."""
    for key, members in json.loads((WORLD / "redis.json").read_text()).items():
        for member, score in members:
            yield key, member, score


def cases() -> list[dict[str, Any]]:
    """Return the recorded requests."""
    return [json.loads(line) for line in (FOLDER / "requests.jsonl").read_text(encoding="utf-8").splitlines()]


def load(database_url: str) -> None:
    """Load the recorded tables into an empty database, or into a SQLite file that does not exist yet."""
    if database_url.startswith("sqlite:///"):
        Path(database_url.removeprefix("sqlite:///")).write_bytes(_sqlite())
    elif not _copied(database_url):
        load_mysql(database_url, tables())


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        load_sqlite(Path(folder, "world.sqlite"), tables())
        return Path(folder, "world.sqlite").read_bytes()


def _copied(database_url: str) -> bool:
    """Copy the template, in a tenth of the time of loading the tables. Return False if the server has none."""
    with closing(mariadbd.connect(database_url)) as connection, connection.cursor() as cursor:
        if not cursor.execute(f"SHOW DATABASES LIKE '{TEMPLATE}'") or database_url.endswith(f"/{TEMPLATE}"):
            return False
        cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute(f"SHOW TABLES IN {TEMPLATE}")
        for (table,) in cursor.fetchall():
            cursor.execute(f"CREATE TABLE {table} LIKE {TEMPLATE}.{table}")
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {TEMPLATE}.{table}")
        return True


def load_ranks(redis_url: str) -> None:
    """Load the recorded sorted sets into an empty Redis."""
    load_redis(redis_url, ranks())
