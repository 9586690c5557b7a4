"""Builds the demo world: embedded in a folder, or in a MySQL database with Redis beside it."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from demo.load import (
    Row,
    Rows,
    WorldExists,
    check_mysql,
    check_redis,
    load_mysql,
    load_redis,
    load_sqlite,
    write_files,
)
from demo.progress import Counter, Stage, silent
from demo.world import Sizes, World

DATABASE = "world.sqlite"
UNFINISHED = ".unfinished"  # a file that says: osr/ and osu/ here are what a build has written so far


def build(folder: Path, seed: int = 1, sizes: Sizes | None = None, progress: Stage = silent) -> None:
    """Makes `folder`/world.sqlite, osr/ and osu/. The database comes last: with it, the world is complete."""
    database, unfinished = folder / DATABASE, folder / UNFINISHED
    if database.exists():
        raise WorldExists(f"{database} exists already.")
    _make_room(folder, unfinished)
    world = World(seed, sizes, progress)
    _write_files(world, folder, progress)
    load_sqlite(database, _watched(world, progress))
    unfinished.unlink()


def _make_room(folder: Path, unfinished: Path) -> None:
    """Removes what an interrupted build left behind, and nothing else."""
    there = [path for path in (folder / "osr", folder / "osu") if path.exists()]
    if there and not unfinished.exists():
        raise WorldExists(f"{there[0]} exists already, and is not what an interrupted build left behind.")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    for path in there:
        shutil.rmtree(path)


def build_on_servers(
    database_url: str,
    redis_url: str | None,
    folder: Path,
    seed: int = 1,
    sizes: Sizes | None = None,
    progress: Stage = silent,
) -> None:
    """The same world in MySQL and, if there is one, Redis; the files below `folder`. The ranks come last.

    Nothing is written if the database has a table of the schema or Redis a key of the ranks.
    """
    check_mysql(database_url)
    world = World(seed, sizes, progress)
    if redis_url:
        check_redis(redis_url, {key for key, _, _ in world.ranks()})
    _write_files(world, folder, progress)
    load_mysql(database_url, _watched(world, progress))
    if redis_url:
        load_redis(redis_url, world.ranks())


def _write_files(world: World, folder: Path, progress: Stage) -> None:
    beatmaps = len(world.beatmaps[: world.sizes.beatmaps][: world.sizes.files])
    write_files(folder, world.files(), Counter(progress, "writing files", beatmaps + len(world.replays)))


def _watched(world: World, progress: Stage) -> Iterator[Rows]:
    """The tables; of the one that takes long, progress is told."""
    for table, columns, rows in world.tables():
        if table == "scores":
            rows = _counted(rows, Counter(progress, "storing scores", len(world.scores)))
        yield table, columns, rows


def _counted(rows: Iterable[Row], counter: Counter) -> Iterator[Row]:
    for row in rows:
        yield row
        counter(1)
