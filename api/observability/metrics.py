"""Prometheus metrics of one worker, or of several workers together."""

import os
from collections.abc import Callable
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

from storage.observer import ABANDONED, ANSWERED, Observer

# Seconds. A cached response takes 0.1 ms, one from the database a few ms; a statement is cancelled after 5 s.
BUCKETS = (0.0005, 0.002, 0.005, 0.02, 0.1, 0.5, 2.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NO_FAILURE = (ANSWERED, ABANDONED)
REPLAYS = frozenset({"/v1/get_replay", "/v2/scores/{score_id}/replay"})
# More than there are combinations of labels.
LABELLED = 4096
Add = Callable[[], None]
Observe = Callable[[float], None]
# How the values of several workers are combined.
Mode = Literal["livesum", "livemax", "livemostrecent"]

# Each would be one more line for each metric.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Observer):
    """All metrics. Counts requests for the middleware, and statements and calls to dependencies as an Observer."""

    def __init__(self, folder: Path | None = None, slow_statement: float = 0) -> None:
        """`folder` is where several workers store their values; None for a single worker.

        PROMETHEUS_MULTIPROC_DIR must name the same folder before prometheus_client is imported.
        """
        super().__init__(slow_statement)
        self._folder = folder
        self.registry = CollectorRegistry()
        self._requests = self.counter("http_requests", "Requests answered.", "route", "method", "status")
        self._seconds = self._histogram("http_request_seconds", "Time until an answer had been sent.", "route")
        self._cache = self.counter(
            "cache_answers", "Answers by what the cache had: hit, miss, stale.", "route", "cache"
        )
        self._replays = self.counter("replay_sent_bytes", "Bytes of replays sent.").inc
        self._statements = self._histogram("database_statement_seconds", "Time of a statement.", "statement")
        self._failures = self.counter("database_failures", "Statements that failed.", "statement", "reason")
        self._waits = self._histogram("database_wait_seconds", "Time until there was a connection.").observe
        self._given_up = self.counter("database_waits_given_up", "Waits for a connection given up.").inc
        self._calls = self.counter("calls", "Questions to neighbours.", "neighbour", "question", "outcome")
        self._call_seconds = self._histogram("call_seconds", "Time of a question.", "neighbour", "question")
        self._up = self.gauge("up", "Whether a neighbour answers.", "livemostrecent", "neighbour")
        # prometheus_client looks labels up under a lock, which costs as much as counting.
        self._count_request = lru_cache(LABELLED)(self._request_counter)
        self._time_request = lru_cache(LABELLED)(self._request_timer)
        self._count_cache = lru_cache(LABELLED)(self._cache_counter)
        self._time_statement = lru_cache(LABELLED)(self._statement_timer)

    def gauge(self, name: str, help: str, mode: Mode, *labels: str) -> Gauge:
        """Return a new gauge, apidot_`name`."""
        return Gauge(f"apidot_{name}", help, labels, registry=self.registry, multiprocess_mode=mode)

    def counter(self, name: str, help: str, *labels: str) -> Counter:
        """Return a new counter, apidot_`name`_total."""
        return Counter(f"apidot_{name}", help, labels, registry=self.registry)

    def _histogram(self, name: str, help: str, *labels: str) -> Histogram:
        return Histogram(f"apidot_{name}", help, labels, registry=self.registry, buckets=BUCKETS)

    def on_request(self, route: str, method: str, status: int, seconds: float, size: int, cache: str) -> None:
        """Count a request. `size` is in bytes; `cache` is hit, miss or stale, empty for routes without a cache."""
        self._count_request(route, method if method in METHODS else OTHER, status)()
        self._time_request(route)(seconds)
        if cache:
            self._count_cache(route, cache)()
        if size and route in REPLAYS:
            self._replays(size)

    def on_statement(self, name: str, outcome: str, seconds: float) -> None:
        self._time_statement(name)(seconds)
        if outcome not in NO_FAILURE:
            self._failures.labels(name, outcome).inc()

    def on_wait(self, outcome: str, seconds: float) -> None:
        self._waits(seconds)
        if outcome not in NO_FAILURE:
            self._given_up()

    def on_call(self, dependency: str, operation: str, outcome: str, seconds: float) -> None:
        self._calls.labels(dependency, operation, outcome).inc()
        self._call_seconds.labels(dependency, operation).observe(seconds)

    def on_availability(self, dependency: str, available: bool) -> None:
        self._up.labels(dependency).set(available)

    def _request_counter(self, route: str, method: str, status: int) -> Add:
        return self._requests.labels(route, method, str(status)).inc

    def _request_timer(self, route: str) -> Observe:
        return self._seconds.labels(route).observe

    def _cache_counter(self, route: str, cache: str) -> Add:
        return self._cache.labels(route, cache).inc

    def _statement_timer(self, name: str) -> Observe:
        return self._statements.labels(name).observe

    def render(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self.registry)
        self._remove_gauges_of_dead_workers(self._folder)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _remove_gauges_of_dead_workers(self, folder: Path) -> None:
        for pid in {file.stem.rpartition("_")[2] for file in folder.glob("gauge_live*.db")}:
            if not is_alive(int(pid)):
                multiprocess.mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Remove this worker's gauges; its counters stay."""
        if self._folder is not None:
            multiprocess.mark_process_dead(os.getpid(), str(self._folder))  # type: ignore[no-untyped-call]


def is_alive(pid: int) -> bool:
    """Return whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
