"""Who is told of every question to a neighbour: how long it took, and what came of it."""

import logging
import math
import time
from asyncio import CancelledError
from collections.abc import Callable
from types import TracebackType

log = logging.getLogger("apidot.slow")
ANSWERED = "answered"
# By who asked, which says nothing about the neighbour.
ABANDONED = "abandoned"

# Told of the outcome and the seconds.
Tell = Callable[[str, float], None]
Raised = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class Timed:
    """Tells how long its block took, and its outcome: answered, abandoned, or the name of what it raised."""

    __slots__ = ("_begun", "_tell")

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, *raised: *Raised) -> None:
        self._tell(outcome_of(raised[1]), time.perf_counter() - self._begun)


def outcome_of(error: BaseException | None) -> str:
    """Answered, abandoned, or the name of what was raised."""
    if error is None:
        return ANSWERED
    return ABANDONED if isinstance(error, CancelledError) else type(error).__name__


class Observer:
    """Logs statements that are slow, and keeps nothing; whoever measures more overrides what it wants to know."""

    def __init__(self, slow_statement: float = math.inf) -> None:
        """`slow_statement` is how many seconds a statement takes that is logged; 0 for none."""
        self._slow = slow_statement or math.inf
        # Each statement holds one connection, so this is also how many of those are in use.
        self.statements_running = 0

    def statement(self, name: str) -> Timed:
        """Around a statement."""
        self.statements_running += 1

        def tell(outcome: str, seconds: float) -> None:
            self.statements_running -= 1
            if seconds >= self._slow:
                # Its name alone: what is bound to it may be somebody's key.
                log.warning("slow statement: %s.sql took %d ms: %s", name, seconds * 1000, outcome)
            self.on_statement(name, outcome, seconds)

        return Timed(tell)

    def call(self, neighbour: str, question: str) -> Timed:
        """Around a question to a neighbour that is no statement."""
        return Timed(lambda outcome, seconds: self.on_call(neighbour, question, outcome, seconds))

    def reach(self, neighbour: str) -> Callable[[bool], None]:
        """To be told whether a neighbour is there; they are until they are found not to be."""
        return lambda there: self.on_availability(neighbour, there)

    def on_statement(self, name: str, outcome: str, seconds: float) -> None:
        """A statement has ended."""

    def on_call(self, neighbour: str, question: str, outcome: str, seconds: float) -> None:
        """A question has been answered, or not."""

    def on_wait(self, outcome: str, seconds: float) -> None:
        """There is a connection, or waiting for one was given up."""

    def on_availability(self, neighbour: str, there: bool) -> None:
        """A neighbour has come or gone."""
