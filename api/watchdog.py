"""Ends a process that makes no progress, so that its supervisor starts another one."""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from storage.deadlines import Deadlines

log = logging.getLogger("apidot")

# sysexits.h: an internal software error. uvicorn starts no other worker after 3, its own code of a failed start.
EXIT_CODE = 70
TICK = 1.0  # seconds
# Seconds that writing the log line may take: another thread may hold the lock of the log.
LOG_TIMEOUT = 1.0


class Watchdog:
    """A thread that looks once a second whether the event loop runs, and whether deadlines are kept.

    It counts its own ticks instead of measuring time: of a process that was suspended, neither the thread nor the
    event loop has run.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, ticks: int) -> None:
        """The process ends after `ticks` seconds without progress."""
        self._loop = loop
        self._deadlines = deadlines
        self._ticks = ticks
        self._stop = threading.Event()
        # Ticks since the event loop has last run, and since each deadline was found to be exceeded.
        self._silent = 0
        self._exceeded: dict[Hashable, int] = {}
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(TICK):
            if reason := self._reason_to_end():
                _end(reason)
            try:
                self._loop.call_soon_threadsafe(self._loop_runs)
            except RuntimeError:
                # The loop is closed.
                return

    def _loop_runs(self) -> None:
        self._silent = 0

    def _reason_to_end(self) -> str | None:
        exceeded = self._deadlines.exceeded(time.monotonic())
        self._exceeded = {subject: self._exceeded.get(subject, 0) + 1 for subject in exceeded}
        self._silent += 1
        if self._silent > self._ticks:
            return f"the event loop has not run for {self._ticks} s"
        for subject, ticks in self._exceeded.items():
            if ticks > self._ticks:
                return f"{subject} has not ended {self._ticks} s after its deadline"
        return None


@contextmanager
def watching(deadlines: Deadlines, seconds: float) -> Iterator[None]:
    """End the process if it makes no progress for `seconds` (0: never) while the block runs."""
    if not seconds:
        yield
        return
    watchdog = Watchdog(asyncio.get_running_loop(), deadlines, max(1, round(seconds / TICK)))
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


def _end(reason: str) -> None:
    line = threading.Thread(
        target=log.critical, args=("worker %d ends itself: %s", os.getpid(), reason), daemon=True
    )
    line.start()
    line.join(LOG_TIMEOUT)
    # In a process that was started without standard error, descriptor 2 belongs to another file.
    if sys.stderr is not None:
        faulthandler.dump_traceback(2, all_threads=True)
    os._exit(EXIT_CODE)
