"""What is counted and measured, for Prometheus; of one worker, or of all of them together."""

import os
from collections.abc import Callable
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

# Seconds. A hot answer takes one tenth of a millisecond, one from the database a few, a statement ends after five.
BUCKETS = (0.0005, 0.002, 0.005, 0.02, 0.1, 0.5, 2.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NO_FAILURE = (ANSWERED, ABANDONED)
REPLAYS = frozenset({"/v1/get_replay", "/v2/scores/{score_id}/replay"})
Add = Callable[[], None]
Observe = Callable[[float], None]
Mode = Literal["livesum", "livemax", "livemostrecent"]

# One more line for each figure, which says when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Observer):
    """Every figure; told of requests by the middleware, of neighbours as an Observer."""

    def __init__(self, folder: Path | None = None, slow_statement: float = 0) -> None:
        """`folder` is where several workers keep their figures; None for a single one.

        Where there is one, PROMETHEUS_MULTIPROC_DIR named it before the library was imported.
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
        # Looking a label up costs as much as counting.
        self._request: dict[tuple[str, str, int], Add] = {}
        self._taken: dict[str, Observe] = {}
        self._cached: dict[tuple[str, str], Add] = {}
        self._ran: dict[str, Observe] = {}

    def gauge(self, name: str, about: str, mode: Mode, *labels: str) -> Gauge:
        """A figure that goes up and down, apidot_…; `mode` is how those of several workers are taken together."""
        return Gauge(f"apidot_{name}", about, labels, registry=self.registry, multiprocess_mode=mode)

    def counter(self, name: str, about: str, *labels: str) -> Counter:
        """A figure that goes up, apidot_…_total."""
        return Counter(f"apidot_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(f"apidot_{name}", about, labels, registry=self.registry, buckets=BUCKETS)

    def on_request(self, route: str, method: str, status: int, seconds: float, size: int, cache: str) -> None:
        """A request has been answered; `size` is in bytes, `cache` empty for what is not kept."""
        add = self._request.get((route, method, status))
        if add is None:
            add = self._first_request(route, method, status)
        add()
        self._taken[route](seconds)
        if cache:
            add = self._cached.get((route, cache))
            if add is None:
                add = self._cached[route, cache] = self._cache.labels(route, cache).inc
            add()
        if size and route in REPLAYS:
            self._replays(size)

    def _first_request(self, route: str, method: str, status: int) -> Add:
        add = self._requests.labels(route, method if method in METHODS else OTHER, str(status)).inc
        if route not in self._taken:
            self._taken[route] = self._seconds.labels(route).observe
        if method in METHODS:
            self._request[route, method, status] = add
        return add

    def on_statement(self, name: str, outcome: str, seconds: float) -> None:
        """See Observer."""
        observe = self._ran.get(name)
        if observe is None:
            observe = self._ran[name] = self._statements.labels(name).observe
        observe(seconds)
        if outcome not in NO_FAILURE:
            self._failures.labels(name, outcome).inc()

    def on_wait(self, outcome: str, seconds: float) -> None:
        """See Observer."""
        self._waits(seconds)
        if outcome not in NO_FAILURE:
            self._given_up()

    def on_call(self, neighbour: str, question: str, outcome: str, seconds: float) -> None:
        """See Observer."""
        self._calls.labels(neighbour, question, outcome).inc()
        self._call_seconds.labels(neighbour, question).observe(seconds)

    def on_availability(self, neighbour: str, there: bool) -> None:
        """See Observer."""
        self._up.labels(neighbour).set(there)

    def page(self) -> bytes:
        """What Prometheus reads."""
        if self._folder is None:
            return generate_latest(self.registry)
        self._forget_the_dead(self._folder)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _forget_the_dead(self, folder: Path) -> None:
        # What a worker counted stays; what it last held is no more.
        for process in {file.stem.rpartition("_")[2] for file in folder.glob("gauge_live*.db")}:
            if not is_alive(int(process)):
                multiprocess.mark_process_dead(int(process), str(folder))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """What this worker holds is no more."""
        if self._folder is not None:
            multiprocess.mark_process_dead(os.getpid(), str(self._folder))  # type: ignore[no-untyped-call]


def is_alive(process: int) -> bool:
    """Whether there is a process of that id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
