"""A version number of all changes made through this service, shared by its workers."""

import mmap
import os
from pathlib import Path

LENGTH = 8


class ChangeMarker:
    """A version that differs after each change. The workers of one service see the same version."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` is shared by the workers, and created if it does not exist. A single worker needs none."""
        if file is None:
            self._shared = mmap.mmap(-1, LENGTH)
            return
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < LENGTH:
                # Not ftruncate(), which reserves no space: if the disk is full later, a write to the mapping would
                # kill the process.
                os.pwrite(descriptor, bytes(LENGTH), 0)
            self._shared = mmap.mmap(descriptor, LENGTH)
        finally:
            os.close(descriptor)

    @property
    def version(self) -> bytes:
        return self._shared[:LENGTH]

    def bump(self) -> None:
        # Random, because one of two workers that count up at once would be lost.
        self._shared[:LENGTH] = os.urandom(LENGTH)

    def close(self) -> None:
        self._shared.close()
