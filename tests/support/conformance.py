"""The recorded world: its tables and ranks, and the requests with the responses that clients expect."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.load import Rows, load_mysql, load_redis, load_sqlite

FOLDER = Path(__file__).parents[1] / "conformance"
WORLD = FOLDER / "world"


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
        load_sqlite(Path(database_url.removeprefix("sqlite:///")), tables())
    else:
        load_mysql(database_url, tables())


def load_ranks(redis_url: str) -> None:
    """Load the recorded sorted sets into an empty Redis."""
    load_redis(redis_url, ranks())
