"""Where log lines go: to standard error, whole, and never at the price of an answer."""

import logging
import os
import select
import threading
from collections import deque

# A pipe takes up to this many bytes as one piece, so that the lines of several workers do not run together.
PIECE = select.PIPE_BUF
# Lines that wait at the most for a reader that takes none; the oldest make room.
WAITING = 10_000
EVERY = 0.1


class Writer(logging.Handler):
    """Collects lines and writes them many at a time, ten times a second; warnings, or all lines, `at_once`.

    Writing never waits: what a full pipe does not take stays here for a while, what a closed one refuses is gone.
    """

    def __init__(self, file: int) -> None:
        """`file` is the number of an open file."""
        super().__init__()
        self.at_once = True
        self._file = file
        self._lines: deque[bytes] = deque()
        self._lost = 0
        self._poll = select.poll()
        self._poll.register(file, select.POLLOUT)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record; the caller holds the handler's lock."""
        try:
            self._lines.append(self.format(record).encode("utf-8", "backslashreplace") + b"\n")
        except Exception:
            # A message that does not fit its arguments costs its line, not the request.
            self.handleError(record)
            return
        if len(self._lines) > WAITING:
            self._lines.popleft()
            self._lost += 1
        if self.at_once or record.levelno >= logging.WARNING:
            self._write()
        elif self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Writes what there is, as far as it is taken without waiting."""
        if self._lines:
            with self.lock or threading.RLock():
                self._write()

    def close(self) -> None:
        """Writes the rest; logging calls this when the process ends."""
        self._stop.set()
        self.flush()
        super().close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self.flush()

    def _write(self) -> None:
        while self._lines and (ready := self._poll.poll(0)):
            if ready[0][1] & (select.POLLERR | select.POLLNVAL):
                self._lines.clear()
                return
            if self._lost:
                self._lines.appendleft(b"(%d lines were lost: nobody read them)\n" % self._lost)
                self._lost = 0
            piece = self._lines.popleft()
            while self._lines and len(piece) + len(self._lines[0]) <= PIECE:
                piece += self._lines.popleft()
            try:
                self._put(piece)
            except OSError:
                self._lines.clear()

    def _put(self, piece: bytes) -> None:
        # A pipe that has room has it for a piece; of a longer line the rest waits for its turn.
        taken = os.write(self._file, piece[:PIECE])
        if taken < len(piece):
            self._lines.appendleft(piece[taken:])
