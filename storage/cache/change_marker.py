"""Whether anything was changed through this service, told between its processes."""

import mmap
import os
from pathlib import Path

LENGTH = 8


class ChangeMarker:
    """A mark that is another after each change; the workers of one service see the same."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` is what the workers share; it is made when it is not there. One worker needs none."""
        if file is None:
            self._shared = mmap.mmap(-1, LENGTH)
            return
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, LENGTH)
            self._shared = mmap.mmap(descriptor, LENGTH)
        finally:
            os.close(descriptor)

    @property
    def version(self) -> bytes:
        """The mark now."""
        return self._shared[:LENGTH]

    def bump(self) -> None:
        """Something was changed."""
        # Random, since one of two workers that count up at once would be lost.
        self._shared[:LENGTH] = os.urandom(LENGTH)

    def close(self) -> None:
        """Let go of what is shared."""
        self._shared.close()
