"""Replacing files atomically: a reader sees the whole old file or the whole new one, even after a crash."""

import os
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write `content` to the file at `path`, readable for everybody, in a folder made if missing. Raise OSError.

    It must not run twice at once for one path. A process that is killed leaves at most one temporary file for each
    path, which the next call overwrites.
    """
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        # On a full disk it would take what little room is left.
        partial.unlink(missing_ok=True)
        raise
    # The rename survives a power cut only once the folder is on disk too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
