"""Whether the data folder is there, and what in it can be read and written."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from checks.findings import Finding, ok, warning

INSTALL_PILLOW = "run .venv/bin/pip install pillow"


def run(folder: Path) -> list[Finding]:
    """Check the data folder, except for the replays."""
    if not os.path.isdir(folder):
        advice = "set DATA_DIRECTORY to the game server's .data"
        return [warning("files.no-folder", f"{folder} is not there, or cannot be seen by this user", advice)]
    return [*_beatmaps(folder / "osu"), *_avatars(folder / "avatars")]


def _beatmaps(folder: Path) -> Iterator[Finding]:
    if not os.path.isdir(folder):
        yield ok("files.no-osu", f"{folder} is not there; it is needed only for pp")
    elif not _is_readable(folder):
        yield _unreadable(folder)
    else:
        yield ok("files.osu", "the folder of .osu files can be read")


def _avatars(folder: Path) -> Iterator[Finding]:
    if not os.path.isdir(folder):
        yield ok("files.no-avatars", f"{folder} is not there; it is needed for setting avatars alone")
    elif not _is_readable(folder):
        yield _unreadable(folder)
    elif os.access(folder, os.W_OK):
        yield ok("files.avatars", "avatars can be read and written")
    else:
        yield ok("files.avatars", "avatars can be read, not written: none can be set")
    if find_spec("PIL") is None:
        yield warning("files.no-pillow", "Pillow is not installed: no avatar can be set", INSTALL_PILLOW)


def _is_readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _unreadable(folder: Path) -> Finding:
    advice = "give this service's user the right to read the folder, or a group that has it"
    return warning(f"files.{folder.name}-unreadable", f"{folder} cannot be read by this user", advice)
