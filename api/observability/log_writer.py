"""The log handler: writes whole lines to a file descriptor and never blocks a request."""

import logging
import os
import select
import threading
from collections import deque

# POSIX: a write of up to this many bytes to a pipe is atomic, so lines of several workers are not interleaved.
CHUNK = select.PIPE_BUF
# Lines that are queued while nobody reads the pipe; then the oldest are dropped.
MAX_QUEUED = 10_000
FLUSH_INTERVAL = 0.1  # seconds


class LogWriter(logging.Handler):
    """Queues lines and writes them ten times a second. Warnings, and with `unbuffered` all lines, cause a write.

    A write never blocks: lines that a full pipe does not accept remain queued, and those for a closed pipe are
    dropped.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.unbuffered = True
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record).encode("utf-8", "backslashreplace") + b"\n")
        except Exception:
            # A message that does not match its arguments costs its line, not the request.
            self.handleError(record)
            return
        if len(self._lines) > MAX_QUEUED:
            self._lines.popleft()
            self._dropped += 1
        if self.unbuffered or record.levelno >= logging.WARNING:
            self._write()
        elif self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Write the queued lines, as far as the file accepts them without blocking."""
        if self._lines:
            with self.lock or threading.RLock():
                self._write()

    def close(self) -> None:
        """Write the remaining lines; logging calls this at exit."""
        self._stop.set()
        self.flush()
        super().close()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_INTERVAL):
            self.flush()

    def _write(self) -> None:
        while self._lines and (ready := self._poll.poll(0)):
            if ready[0][1] & (select.POLLERR | select.POLLNVAL):
                self._lines.clear()
                return
            if self._dropped:
                self._lines.appendleft(b"(%d lines were lost: nobody read them)\n" % self._dropped)
                self._dropped = 0
            chunk = self._lines.popleft()
            while self._lines and len(chunk) + len(self._lines[0]) <= CHUNK:
                chunk += self._lines.popleft()
            try:
                # A pipe that is ready accepts a whole chunk; the rest of a longer line goes back to the queue.
                written = os.write(self._descriptor, chunk[:CHUNK])
                if written < len(chunk):
                    self._lines.appendleft(chunk[written:])
            except OSError:
                self._lines.clear()
