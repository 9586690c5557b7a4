"""Metrics that are sampled once a second instead of being updated by each request."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from api.observability.metrics import Metrics

INTERVAL = 1.0  # seconds
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class ProcessMetrics:
    """Samples CPU time, memory, open files and event loop delay of this worker, and the gauges added to it."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._gauges: list[tuple[Callable[[float], None], Callable[[], float]]] = []
        self._cpu = metrics.counter("process_cpu_seconds", "CPU time of the workers.")
        self._cpu_before = 0.0
        self._late = metrics.gauge(
            "loop_delay_seconds", "What of a second the busiest worker was late by.", "livemax"
        )
        self.add("workers", "Workers that run.", lambda: 1)
        self.add("process_resident_memory_bytes", "Memory that the workers hold.", resident_memory)
        self.add("process_open_files", "Files and connections that the workers hold open.", open_files)
        used = "Connections to the database in use."
        self.add("database_connections_used", used, lambda: metrics.statements_running)

    def add(self, name: str, help: str, value: Callable[[], float]) -> None:
        """Add the gauge apidot_`name`, the sum of what `value` returns in each worker."""
        self._gauges.append((self.metrics.gauge(name, help, "livesum").set, value))

    def sample(self) -> None:
        for set_gauge, value in self._gauges:
            set_gauge(value())
        cpu = time.process_time()
        self._cpu.inc(cpu - self._cpu_before)
        self._cpu_before = cpu

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Take a sample each second while the block runs."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.metrics.close()

    async def _run(self) -> None:
        while True:
            self.sample()
            start = time.monotonic()
            await asyncio.sleep(INTERVAL)
            self._late.set(max(time.monotonic() - start - INTERVAL, 0.0))


def resident_memory() -> float:
    """Return the resident memory of this process in bytes; its maximum so far where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_SIZE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def open_files() -> float:
    """Return how many files and connections this process has open; 0 where there is no /proc."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
