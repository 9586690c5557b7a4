"""Times every statement and every call to a dependency, for the log and for the metrics."""

import logging
import math
import time
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

log = logging.getLogger("apidot.slow")

# Outcomes. Any other one is the name of the exception that was raised.
ANSWERED = "answered"
# The client went away, which says nothing about the dependency.
ABANDONED = "abandoned"


class Observer:
    """Logs slow statements. A subclass overrides the `on_` methods to record more."""

    def __init__(self, slow_statement: float = math.inf) -> None:
        """Statements that take `slow_statement` seconds or longer are logged; 0 logs none."""
        self._slow_statement = slow_statement or math.inf
        # Each statement holds one connection, so this is also the number of connections in use.
        self.statements_running = 0

    def statement(self, name: str) -> AbstractContextManager[None]:
        """Time a statement."""
        self.statements_running += 1
        return _Timed(partial(self._statement_ended, name))

    def wait(self) -> AbstractContextManager[None]:
        """Time the wait for a database connection."""
        return _Timed(self.on_wait)

    def call(self, dependency: str, name: str) -> AbstractContextManager[None]:
        """Time a call to a dependency other than the database."""
        return _Timed(partial(self.on_call, dependency, name))

    def _statement_ended(self, name: str, outcome: str, seconds: float) -> None:
        self.statements_running -= 1
        if seconds >= self._slow_statement:
            # Only the name: the values may include an API key.
            log.warning("slow statement: %s.sql took %d ms: %s", name, seconds * 1000, outcome)
        self.on_statement(name, outcome, seconds)

    def on_statement(self, name: str, outcome: str, seconds: float) -> None:
        """Called when a statement has ended."""

    def on_wait(self, outcome: str, seconds: float) -> None:
        """Called when a wait for a connection has ended, with one or without."""

    def on_call(self, dependency: str, name: str, outcome: str, seconds: float) -> None:
        """Called when a call to a dependency has ended."""

    def on_events(self, sent: Mapping[str, int]) -> None:
        """Called with how many live events of each type listeners got since the last call."""

    def on_listener_dropped(self) -> None:
        """Called when a listener is dropped because it has left too many events unread."""

    def on_availability(self, dependency: str, available: bool) -> None:
        """Called when a dependency is first used, with True, and whenever it goes down or comes back."""


class _Timed:
    """Calls `report` with the outcome of the block and the seconds it took.

    A class, because a generator takes three times as long, and each statement is timed twice.
    """

    __slots__ = ("_began", "_report")

    def __init__(self, report: Callable[[str, float], None]) -> None:
        self._report = report

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        outcome = ANSWERED if kind is None else ABANDONED if kind is CancelledError else kind.__name__
        self._report(outcome, time.perf_counter() - self._began)
