"""Prometheus metrics of one worker, or of several workers together."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

from config.version import VERSION
from storage.observer import ABANDONED, ANSWERED, Observer

# Seconds. A cached response takes 0.1 ms, one from the database a few ms; a statement is cancelled after 5 s.
BUCKETS = (0.0005, 0.002, 0.005, 0.02, 0.1, 0.5, 2.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NO_FAILURE = (ANSWERED, ABANDONED)
REPLAYS = frozenset({"/v1/get_replay", "/v2/scores/{score_id}/replay", "/api/get_replay"})
# More than there are combinations of labels.
LABELLED = 4096
SAMPLE_INTERVAL = 1.0  # seconds
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
# How the values of several workers are combined.
Mode = Literal["livesum", "livemax", "livemostrecent"]

# Each would be one more line for each metric.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Observer):
    """All metrics: of requests for the middleware, of statements and calls to dependencies as an Observer.

    CPU time, memory, open files and event loop delay of this worker are sampled once a second, and so are the
    gauges that are added.
    """

    def __init__(self, folder: Path | None = None, slow_statement: float = 0) -> None:
        """`folder` is where several workers store their values; None for a single worker.

        PROMETHEUS_MULTIPROC_DIR must name the same folder before prometheus_client is imported.
        """
        super().__init__(slow_statement)
        self._folder = folder
        self._registry = CollectorRegistry()
        requests = self._counter("http_requests", "Requests answered.", "route", "method", "status")
        seconds = self._histogram("http_request_seconds", "Time until an answer had been sent.", "route")
        answers = self._counter(
            "cache_answers", "Answers by what the cache had: hit, miss, stale.", "route", "cache"
        )
        self._replays = self._counter("replay_sent_bytes", "Bytes of replays sent.").inc
        statements = self._histogram("database_statement_seconds", "Time of a statement.", "statement")
        self._failures = self._counter("database_failures", "Statements that failed.", "statement", "reason")
        self._waits = self._histogram("database_wait_seconds", "Time until there was a connection.").observe
        self._given_up = self._counter("database_waits_given_up", "Waits for a connection given up.").inc
        self._calls = self._counter("calls", "Questions to neighbours.", "neighbour", "question", "outcome")
        self._call_seconds = self._histogram("call_seconds", "Time of a question.", "neighbour", "question")
        self._events = self._counter("events_sent", "Live events sent to listeners.", "type")
        self._dropped = self._counter("event_listeners_dropped", "Listeners that did not keep up.").inc
        self._up = self._gauge("up", "Whether a neighbour answers.", "livemostrecent", "neighbour")
        # prometheus_client looks labels up under a lock, which costs as much as counting.
        self._requests = lru_cache(LABELLED)(requests.labels)
        self._seconds = lru_cache(LABELLED)(seconds.labels)
        self._cache = lru_cache(LABELLED)(answers.labels)
        self._statements = lru_cache(LABELLED)(statements.labels)

        self._cpu = self._counter("process_cpu_seconds", "CPU time of the workers.")
        self._cpu_before = 0.0
        self._late = self._gauge(
            "loop_delay_seconds", "What of a second the busiest worker was late by.", "livemax"
        )
        self._sampled: list[tuple[Gauge, Callable[[], float]]] = []
        info = self._gauge("build_info", "The version, as a label. The value is 1.", "livemax", "version")
        info.labels(VERSION).set(1)
        self.add_gauge("workers", "Workers that run.", lambda: 1)
        self.add_gauge("process_resident_memory_bytes", "Memory that the workers hold.", resident_memory)
        self.add_gauge("process_open_files", "Files and connections that the workers hold open.", open_files)
        used = "Connections to the database in use."
        self.add_gauge("database_connections_used", used, lambda: self.statements_running)

    def add_gauge(
        self, name: str, help: str, value: Callable[[], float], mode: Literal["livesum", "livemax"] = "livesum"
    ) -> None:
        """Add the gauge apidot_`name`: the sum, or the maximum, of what `value` returns in each worker."""
        self._sampled.append((self._gauge(name, help, mode), value))

    def _gauge(self, name: str, help: str, mode: Mode, *labels: str) -> Gauge:
        return Gauge(f"apidot_{name}", help, labels, registry=self._registry, multiprocess_mode=mode)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"apidot_{name}", help, labels, registry=self._registry)

    def _histogram(self, name: str, help: str, *labels: str) -> Histogram:
        return Histogram(f"apidot_{name}", help, labels, registry=self._registry, buckets=BUCKETS)

    def on_request(
        self, route: str, method: str, status: int, seconds: float | None, size: int, cache: str
    ) -> None:
        """Count a request. `size` is in bytes; `cache` is hit, miss or stale, empty for routes without a cache.

        `seconds` are those until the end of the response, None for a stream, which has no end of its own.
        """
        self._requests(route, method if method in METHODS else OTHER, status).inc()
        if seconds is not None:
            self._seconds(route).observe(seconds)
        if cache:
            self._cache(route, cache).inc()
        if size and route in REPLAYS:
            self._replays(size)

    def on_statement(self, name: str, outcome: str, seconds: float) -> None:
        self._statements(name).observe(seconds)
        if outcome not in NO_FAILURE:
            self._failures.labels(name, outcome).inc()

    def on_wait(self, outcome: str, seconds: float) -> None:
        self._waits(seconds)
        if outcome not in NO_FAILURE:
            self._given_up()

    def on_call(self, dependency: str, operation: str, outcome: str, seconds: float) -> None:
        self._calls.labels(dependency, operation, outcome).inc()
        self._call_seconds.labels(dependency, operation).observe(seconds)

    def on_events(self, sent: Mapping[str, int]) -> None:
        for type, count in sent.items():
            self._events.labels(type).inc(count)

    def on_listener_dropped(self) -> None:
        self._dropped()

    def on_availability(self, dependency: str, available: bool) -> None:
        self._up.labels(dependency).set(available)

    def render(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        for pid in {int(file.stem.rpartition("_")[2]) for file in self._folder.glob("gauge_live*.db")}:
            if not is_alive(pid):
                multiprocess.mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def sample(self) -> None:
        for gauge, value in self._sampled:
            gauge.set(value())
        cpu = time.process_time()
        self._cpu.inc(cpu - self._cpu_before)
        self._cpu_before = cpu

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Take a sample each second while the block runs, then remove this worker's gauges; its counters stay."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if self._folder is not None:
                multiprocess.mark_process_dead(os.getpid(), str(self._folder))  # type: ignore[no-untyped-call]

    async def _run(self) -> None:
        while True:
            self.sample()
            start = time.monotonic()
            await asyncio.sleep(SAMPLE_INTERVAL)
            self._late.set(max(time.monotonic() - start - SAMPLE_INTERVAL, 0.0))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        # There is no such process, or it belongs to another user and is no worker of ours.
        return False
    return True


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
