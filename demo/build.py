"""Build the demo world: as a SQLite file in a folder, or in a MySQL database and Redis."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from demo.load import (
    Rows,
    WorldExists,
    check_mysql,
    check_redis,
    load_mysql,
    load_redis,
    load_sqlite,
    write_files,
)
from demo.progress import Stage, reporting, silent
from demo.world import Sizes, World

DATABASE = "world.sqlite"
# As some forks have it: players have pinned one in twenty of their best scores.
PINNED = (
    "ALTER TABLE scores ADD COLUMN pinned tinyint(1) NOT NULL DEFAULT 0",
    "UPDATE scores SET pinned = 1 WHERE status = 2 AND id % 20 = 0",
)
UNFINISHED = ".unfinished"  # marks a folder in which osr/ and osu/ are from a build that has not finished


def build(folder: Path, seed: int = 1, sizes: Sizes | None = None, progress: Stage = silent) -> None:
    """Create world.sqlite, osr/ and osu/ in `folder`. Raise WorldExists rather than overwrite files.

    The database is created last: if it exists, the world is complete.
    """
    database, unfinished = folder / DATABASE, folder / UNFINISHED
    if database.exists():
        raise WorldExists(f"{database} exists already.")
    _remove_unfinished(folder, unfinished)
    world = World(seed, sizes, progress)
    _write_files(world, folder, progress)
    load_sqlite(database, _with_progress(world, progress), after=PINNED)
    unfinished.unlink()


def _remove_unfinished(folder: Path, unfinished: Path) -> None:
    existing = [path for path in (folder / "osr", folder / "osu") if path.exists()]
    if existing and not unfinished.exists():
        raise WorldExists(f"{existing[0]} exists already, and is not what an interrupted build left behind.")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    for path in existing:
        shutil.rmtree(path)


def build_on_servers(
    database_url: str,
    redis_url: str | None,
    folder: Path,
    seed: int = 1,
    sizes: Sizes | None = None,
    progress: Stage = silent,
) -> None:
    """Create the tables in MySQL, the files in `folder` and, if `redis_url` is given, the ranks in Redis.

    Raise WorldExists, before anything is written, if the database or Redis already holds a world.
    """
    check_mysql(database_url)
    world = World(seed, sizes, progress)
    if redis_url:
        check_redis(redis_url, {key for key, _, _ in world.ranks()})
    _write_files(world, folder, progress)
    load_mysql(database_url, _with_progress(world, progress))
    if redis_url:
        load_redis(redis_url, world.ranks())


def _write_files(world: World, folder: Path, progress: Stage) -> None:
    beatmaps = len(world.beatmaps[: world.sizes.beatmaps][: world.sizes.files])
    write_files(folder, reporting(world.files(), progress, "writing files", beatmaps + len(world.replays)))


def _with_progress(world: World, progress: Stage) -> Iterator[Rows]:
    """Yield the tables, and report progress while the largest one is read."""
    for table, columns, rows in world.tables():
        if table == "scores":
            rows = reporting(rows, progress, "storing scores", len(world.scores))
        yield table, columns, rows
