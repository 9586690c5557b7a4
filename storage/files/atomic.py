"""Writing files so that a reader sees the old one or the new one, whole, whatever happens meanwhile."""

import os
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Put a file with that content at `path`, for everybody to read. Raises OSError.

    A process that is killed leaves at most one unfinished file per name, which the next one overwrites; so two
    must not write one name at a time.
    """
    partial = path.with_name(f".{path.name}.tmp")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
