"""A cache of what slow calls return, in which concurrent callers share one call."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.errors import Unavailable
from storage.cache.bounded import BoundedMap

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# How many values of a cache are renewed in the background at once, so that requests that wait for a value find a
# free connection. The others are renewed by the next request for them.
MAX_RENEWALS = 4


class OutdatedValues:
    """Outdated values that a cache returned because fetching failed.

    `oldest` is when the oldest of them was fetched, on the monotonic clock, infinity if there are none.
    """

    __slots__ = ("oldest",)

    def __init__(self) -> None:
        self.oldest = math.inf


# What is set here, in the context of a request, notes the outdated values that the response is made of.
outdated_values: ContextVar[OutdatedValues | None] = ContextVar("outdated_values", default=None)


class SingleFlight(Generic[K, T]):
    """At most one running task per key, shared by everybody who needs its result.

    Await a task with asyncio.shield(), so that a caller that is cancelled does not cancel it for the others.
    """

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        """Return how many keys have a running task."""
        return len(self._tasks)

    def get(self, key: K) -> asyncio.Task[T] | None:
        """Return the running task of `key`, or None."""
        return self._tasks.get(key)

    def start(self, work: Coroutine[Any, Any, T], *keys: K) -> asyncio.Task[T]:
        """Run `work` as the task of all of `keys`, none of which may have a running one."""
        task = asyncio.create_task(work)
        self._tasks |= dict.fromkeys(keys, task)
        task.add_done_callback(lambda task: self._end(task, keys))
        return task

    def join(self, key: K, work: Callable[[K], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Return the running task of `key`. If there is none, start `work(key)`."""
        return self._tasks.get(key) or self.start(work(key), key)

    def _end(self, task: asyncio.Task[T], keys: tuple[K, ...]) -> None:
        for key in keys:
            del self._tasks[key]
        if not task.cancelled():
            # If every caller has left, nobody else retrieves it, and asyncio would log a complaint.
            task.exception()

    async def close(self) -> None:
        """Cancel every task."""
        tasks = set(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Entry(msgspec.Struct, Generic[T], frozen=True):
    """The last value of a key and when it was fetched; when a fetch was last tried, and how it failed.

    Times are those of the monotonic clock.
    """

    value: T | UnsetType
    fetched: float
    tried: float
    failure: Unavailable | None = None


class SingleFlightCache(Generic[K, T]):
    """Caches what `fetch` returns for a key. Concurrent callers of one key share one call of `fetch`.

    If `fetch` raises Unavailable, the last value is served while it is at most `stale` seconds old.
    """

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[T]],
        *,
        fresh: float = 1.0,
        renew: bool = False,
        stale: float = 30.0,
        size: int = 10_000,
        overhead: int = 1,
        weigh: Callable[[T], int] = lambda _: 0,
    ) -> None:
        """A value is served for `fresh` seconds without another call.

        With `renew`, one that is requested in the last third of that time is served and fetched again in the
        background, so that nobody waits for a value that is requested often. The entries weigh at most `size`
        together: each weighs `overhead`, and as much as `weigh` returns for its value if it has one.
        """
        self._fetch = fetch
        self._fresh = fresh
        # However long a value is fresh: what has failed may work again in a moment.
        self._retry = min(fresh, 1.0)
        # After which part of the time that a value is fresh it is renewed.
        self._renew = 2 / 3 if renew else math.inf
        self._stale = stale

        def weigh_entry(entry: _Entry[T]) -> int:
            return overhead if entry.value is UNSET else overhead + weigh(entry.value)

        self._entries: BoundedMap[K, _Entry[T]] = BoundedMap(size, weigh=weigh_entry)
        self._flights: SingleFlight[K, _Entry[T]] = SingleFlight()
        self._renewals = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def weight(self) -> int:
        """What all entries weigh together."""
        return self._entries.weight

    async def get(self, key: K, fresh: float | None = None) -> T:
        """Return a value that is at most `fresh` seconds old, or an older one if fetching fails.

        Raise what `fetch` raises: Unavailable only if there is no value that is recent enough.
        """
        if fresh is None:
            fresh = self._fresh
        entry = self._entries.get(key)
        age = time.monotonic() - entry.tried if entry else math.inf
        if entry is None or age > (self._retry if entry.failure else fresh):
            entry = await asyncio.shield(self._flights.join(key, self._refresh))
        elif age > fresh * self._renew and not entry.failure:
            self._renew_in_background(key)
        if entry.value is not UNSET:
            if entry.failure is None:
                return entry.value
            if self._is_recent(entry):
                return _outdated(entry.value, entry.fetched)
        assert entry.failure
        # Every caller raises the same exception: without this, its traceback would grow with each of them.
        raise entry.failure.with_traceback(None)

    def recent(self, key: K) -> T:
        """Return the last value without fetching it. Raise KeyError if there is none that is recent enough."""
        entry = self._entries.get(key)
        if entry is None or entry.value is UNSET or not self._is_recent(entry):
            raise KeyError(key)
        return _outdated(entry.value, entry.fetched) if entry.failure else entry.value

    def ready(self, key: K, fresh: float) -> T | None:
        """Return the last value if it is at most `fresh` seconds old, and fetching has not failed since."""
        entry = self._entries.get(key)
        if entry is None or entry.value is UNSET or entry.failure:
            return None
        age = time.monotonic() - entry.tried
        if age > fresh:
            return None
        if age > fresh * self._renew:
            self._renew_in_background(key)
        return entry.value

    def _is_recent(self, entry: _Entry[T]) -> bool:
        return time.monotonic() - entry.fetched <= self._stale

    def _renew_in_background(self, key: K) -> None:
        if self._renewals < MAX_RENEWALS and self._flights.get(key) is None:
            self._renewals += 1
            self._flights.start(self._refresh(key), key).add_done_callback(self._count_renewal)

    def _count_renewal(self, _: object) -> None:
        self._renewals -= 1

    async def _refresh(self, key: K) -> _Entry[T]:
        # Read before the call, during which it may be dropped from a full map.
        last = self._entries.get(key)
        entry: _Entry[T]
        try:
            value = await self._fetch(key)
            now = time.monotonic()
            entry = _Entry(value, fetched=now, tried=now)
        except Unavailable as failure:
            now = time.monotonic()
            entry = _Entry(last.value if last else UNSET, last.fetched if last else now, now, failure)
        except BaseException:
            # The last value may no longer be true.
            self._entries.pop(key)
            raise
        self._entries.put(key, entry)
        return entry

    async def close(self) -> None:
        """Cancel every call of `fetch` that is running."""
        await self._flights.close()


def _outdated(value: T, fetched: float) -> T:
    """Return `value`, and note that the response is made of it."""
    if values := outdated_values.get():
        values.oldest = min(values.oldest, fetched)
    return value
