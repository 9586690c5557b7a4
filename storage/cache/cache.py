"""Answers kept for a moment, so that many who ask the same at once cost one question."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from domain.errors import Unavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Last(Generic[T]):
    """The last answer to a question, and how asking it went last."""

    def __init__(self) -> None:
        self.answer: list[T] = []
        self.weight = 0
        self.answered = 0.0
        self.asked = -math.inf
        self.failure: Unavailable | None = None

    def recent(self, seconds: float) -> list[T]:
        """The answer if it is at most so old."""
        return self.answer if time.monotonic() - self.answered <= seconds else []


class SingleFlightCache(Generic[K, T]):
    """Asks `ask` each question once at a time, and at most once in `fresh` seconds.

    When it raises Unavailable, its last answer is given instead, if that is at most `stale` seconds old.
    """

    def __init__(
        self,
        ask: Callable[[K], Awaitable[T]],
        *,
        fresh: float = 1.0,
        renew: float = math.inf,
        stale: float = 30.0,
        size: int = 10_000,
        weigh: Callable[[list[T]], int] = lambda _: 1,
    ) -> None:
        """What is kept weighs `size` at the most: questions with their answer, or without when asking failed.

        An answer older than `renew` seconds is given, and asked for again, so that while many ask nobody waits.
        """
        self._ask = ask
        self._renew = renew
        self._fresh = fresh
        # Who failed may be well again in a moment, however long an answer is good for.
        self._again = min(fresh, 1.0)
        self._stale = stale
        self._size = size
        self._weigh = weigh
        self.weight = 0
        self._last: dict[K, _Last[T]] = {}
        self._flights: dict[K, asyncio.Task[_Last[T]]] = {}

    def __len__(self) -> int:
        return len(self._last)

    async def get(self, key: K, fresh: float | None = None) -> T:
        """The answer to the question `key`, at most `fresh` seconds old. Raises Unavailable."""
        last = self._last.get(key)
        age = time.monotonic() - last.asked if last else math.inf
        if last is None or age > (self._again if last.failure else self._fresh if fresh is None else fresh):
            # Whoever asks next waits for the same answer, so one who leaves does not end it.
            last = await asyncio.shield(self._flight(key))
        elif age > self._renew and not last.failure:
            self._flight(key)
        if last.failure is None:
            return last.answer[0]
        for answer in last.recent(self._stale):
            return answer
        raise last.failure.with_traceback(None)

    def recent(self, key: K) -> list[T]:
        """The last answer, nothing asked; empty when there is none, or it is too old."""
        last = self._last.get(key)
        return last.recent(self._stale) if last else []

    def ready(self, key: K, fresh: float) -> T | None:
        """The last answer if it is at most `fresh` seconds old, and asking did not fail since."""
        last = self._last.get(key)
        if last is None or last.failure or time.monotonic() - last.asked > fresh:
            return None
        return last.answer[0]

    def _flight(self, key: K) -> asyncio.Task[_Last[T]]:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key))
            flight.add_done_callback(lambda _: self._flights.pop(key))
        return flight

    async def _fly(self, key: K) -> _Last[T]:
        last = self._last.get(key) or _Last()
        try:
            last.answer = [await self._ask(key)]
            last.answered = time.monotonic()
            last.failure = None
        except Unavailable as failure:
            last.failure = failure
        except BaseException:
            # What was true before is so no longer, or nobody knows.
            self._drop(key)
            raise
        last.asked = time.monotonic()
        # Back in its place as the youngest: the oldest make room.
        self._drop(key)
        self._last[key] = last
        last.weight = self._weigh(last.answer)
        self.weight += last.weight
        while self.weight > self._size:
            self._drop(next(iter(self._last)))
        return last

    def _drop(self, key: K) -> None:
        if last := self._last.pop(key, None):
            self.weight -= last.weight

    async def close(self) -> None:
        """End what is still being asked."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
