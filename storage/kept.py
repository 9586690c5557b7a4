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
        self.answered = 0.0
        self.asked = -math.inf
        self.failure: Unavailable | None = None

    def recent(self, seconds: float) -> list[T]:
        """The answer if it is at most so old."""
        return self.answer if time.monotonic() - self.answered <= seconds else []


class Kept(Generic[K, T]):
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
    ) -> None:
        """`size` is how many answers are kept at the most.

        An answer older than `renew` seconds is given, and asked for again, so that while many ask nobody waits.
        """
        self._ask = ask
        self._renew = renew
        self._fresh = fresh
        # Who failed may be well again in a moment, however long an answer is good for.
        self._again = min(fresh, 1.0)
        self._stale = stale
        self._size = size
        self._last: dict[K, _Last[T]] = {}
        self._flights: dict[K, asyncio.Task[_Last[T]]] = {}

    async def get(self, key: K) -> T:
        """The answer to the question `key`. Raises Unavailable."""
        last = self._last.get(key)
        age = time.monotonic() - last.asked if last else math.inf
        if last is None or age > (self._again if last.failure else self._fresh):
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

    def _flight(self, key: K) -> asyncio.Task[_Last[T]]:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key))
            flight.add_done_callback(lambda _: self._flights.pop(key))
        return flight

    async def _fly(self, key: K) -> _Last[T]:
        last = self._last.pop(key, None) or _Last()
        # Back in its place at once, as the youngest: the oldest make room.
        self._last[key] = last
        while len(self._last) > self._size:
            del self._last[next(iter(self._last))]
        try:
            last.answer = [await self._ask(key)]
            last.answered = time.monotonic()
            last.failure = None
        except Unavailable as failure:
            last.failure = failure
        last.asked = time.monotonic()
        return last

    async def close(self) -> None:
        """End what is still being asked."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
