"""Whether the data folder is there, and whether replays and avatars can be read and written."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from doctor.findings import Finding, ok, warning

SAMPLE = 20  # replays
REPLAY = re.compile(r"[0-9]{1,19}\.osr")
LZMA = b"\x5d\x00\x00"


def sample(folder: Path) -> list[Path]:
    """Some of the replays of a data folder; none when they cannot be listed."""
    try:
        with os.scandir(folder / "osr") as entries:
            paths = (Path(entry.path) for entry in islice(entries, 10 * SAMPLE))
            return list(islice((path for path in paths if REPLAY.fullmatch(path.name)), SAMPLE))
    except OSError:
        return []


def examine(folder: Path, replays: list[Path], known: int | None) -> list[Finding]:
    """The data folder, with a sample of its replays; `known` of them belong to scores of the database."""
    if not folder.is_dir():
        advice = "set DATA_DIRECTORY to the game server's .data; without it there are no replays"
        return [warning("files.no-folder", f"{folder} is not there, or cannot be seen by this user", advice)]
    return [*_replays(folder / "osr", replays, known), *_beatmaps(folder / "osu"), *_avatars(folder / "avatars")]


def _unreadable(folder: Path) -> Finding:
    advice = "give this service's user the right to read the folder, or a group that has it"
    return warning(f"files.{folder.name}-unreadable", f"{folder} cannot be read by this user", advice)


def _is_readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _replays(folder: Path, replays: list[Path], known: int | None) -> Iterator[Finding]:
    if not folder.is_dir():
        yield warning("files.no-osr", f"{folder} is not there: no replays", "is DATA_DIRECTORY right?")
        return
    if not _is_readable(folder):
        yield _unreadable(folder)
        return
    begins = {path.name: _begin(path) for path in replays}
    denied = [name for name, begin in begins.items() if begin is None]
    odd = [name for name, begin in begins.items() if begin is not None and not _is_replay(begin)]
    of = f"of {len(replays)} replays looked at"
    if denied:
        text = f"{len(denied)} {of} cannot be read ({denied[0]})"
        yield warning("files.replays-unreadable", text, "give this service's user the right to read them")
    if odd:
        text = f"{len(odd)} {of} are none ({odd[0]})"
        yield warning("files.replays-odd", text, "look whether those files are whole")
    if replays and known == 0:
        text = f"none {of} belongs to a score of this database"
        yield warning("files.replays-unknown", text, "is DATA_DIRECTORY that of this database's game server?")
    elif not denied and not odd:
        yield ok("files.replays", f"{len(replays)} replays looked at can be read")


def _begin(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(5)
    except OSError:
        return None


def _is_replay(begin: bytes) -> bool:
    """Whether a file begins as frames do, or as a whole .osr file does: a mode, then the date of a version."""
    if begin.startswith(LZMA):
        return True
    return len(begin) == 5 and begin[0] <= 8 and 20070000 < int.from_bytes(begin[1:], "little") < 21000000


def _beatmaps(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield ok("files.no-osu", f"{folder} is not there; it is needed for pp alone")
    elif not _is_readable(folder):
        yield _unreadable(folder)
    else:
        yield ok("files.osu", "the folder of .osu files can be read")


def _avatars(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield ok("files.no-avatars", f"{folder} is not there; it is needed for setting avatars alone")
    elif not _is_readable(folder):
        yield _unreadable(folder)
    else:
        can = (
            "can be read and written"
            if os.access(folder, os.W_OK)
            else "can be read, not written: none can be set"
        )
        yield ok("files.avatars", f"avatars {can}")
