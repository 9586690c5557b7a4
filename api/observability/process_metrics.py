"""Figures that are looked at once a second instead of being counted with each request."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from api.observability.metrics import Metrics, Mode

EVERY = 1.0
PAGE = os.sysconf("SC_PAGE_SIZE")
Look = Callable[[], float]


class Samples:
    """Looks at this worker, and at what else it is told to look at."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauges: list[tuple[Callable[[float], None], Look]] = []
        self._metrics = metrics
        self._cpu = metrics.counter("process_cpu_seconds", "CPU time of the workers.")
        self._cpu_before = 0.0
        self._late = metrics.gauge(
            "loop_delay_seconds", "What of a second the busiest worker was late by.", "livemax"
        )
        self.add("workers", "Workers that run.", lambda: 1)
        self.add("process_resident_memory_bytes", "Memory that the workers hold.", resident)
        self.add("process_open_files", "Files and connections that the workers hold open.", open_files)
        used = "Connections to the database in use."
        self.add("database_connections_used", used, lambda: metrics.statements_running)

    def add(self, name: str, about: str, look: Look, mode: Mode = "livesum") -> None:
        """A figure apidot_…, which is what `look` says."""
        self._gauges.append((self._metrics.gauge(name, about, mode).set, look))

    def take(self) -> None:
        """Looks at everything."""
        for put, look in self._gauges:
            put(look())
        cpu = time.process_time()
        self._cpu.inc(cpu - self._cpu_before)
        self._cpu_before = cpu

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Looks while the block runs."""
        looking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            self._metrics.close()

    async def _run(self) -> None:
        while True:
            self.take()
            begun = time.monotonic()
            await asyncio.sleep(EVERY)
            self._late.set(max(time.monotonic() - begun - EVERY, 0.0))


def resident() -> float:
    """Bytes of memory that this process holds; where /proc does not tell, the most it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def open_files() -> float:
    """Files and connections that this process holds open; 0 where /proc does not tell."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
