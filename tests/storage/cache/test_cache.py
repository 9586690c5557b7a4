"""SingleFlightCache: fresh and stale values, failures and shared calls, with ages of tenths of seconds."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from domain.errors import Unavailable
from storage.cache.cache import MAX_RENEWALS, SingleFlight, SingleFlightCache


class Source:
    """Counts its calls. A call returns the key and its number, or raises Unavailable while `failing`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls = 0
        self.failing = False
        self.seconds = seconds

    async def __call__(self, key: str) -> str:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        if self.failing:
            raise Unavailable("No.")
        return f"{key}{self.calls}"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def is_cached(cache: SingleFlightCache[str, str], key: str) -> bool:
    try:
        cache.recent(key)
    except KeyError:
        return False
    return True


def test_concurrent_callers_share_one_call() -> None:
    async def test() -> None:
        cache = SingleFlightCache(Source(0.02), fresh=0.1)
        assert set(await asyncio.gather(*(cache.get("a") for _ in range(100)))) == {"a1"}
        assert await cache.get("a") == "a1"
        assert await cache.get("b") == "b2"
        await asyncio.sleep(0.12)
        assert await cache.get("a") == "a3"

    run(test)


def test_a_caller_that_is_cancelled_does_not_cancel_the_others() -> None:
    async def test() -> None:
        cache = SingleFlightCache(Source(0.05))
        first = asyncio.create_task(cache.get("a"))
        second = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second == "a1"

    run(test)


def test_a_stale_value_is_served_until_it_is_too_old() -> None:
    async def test() -> None:
        source = Source()
        cache = SingleFlightCache(source, fresh=0.01, stale=0.2)
        assert await cache.get("a") == "a1"
        source.failing = True
        await asyncio.sleep(0.02)
        assert await cache.get("a") == "a1"
        assert cache.recent("a") == "a1"
        assert cache.ready("a", 10.0) is None
        await asyncio.sleep(0.2)
        with pytest.raises(Unavailable):
            await cache.get("a")
        with pytest.raises(KeyError):
            cache.recent("a")
        source.failing = False
        await asyncio.sleep(0.02)
        assert await cache.get("a") == f"a{source.calls}"

    run(test)


def test_a_failure_is_cached_too() -> None:
    async def test() -> None:
        source = Source()
        source.failing = True
        cache = SingleFlightCache(source)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await cache.get("a")
        assert source.calls == 1
        assert cache.ready("a", 10.0) is None

    run(test)


def test_an_unexpected_error_drops_the_last_value() -> None:
    async def test() -> None:
        values = ["a1"]

        async def fetch(key: str) -> str:
            return values.pop()

        cache = SingleFlightCache(fetch, fresh=0.01)
        assert await cache.get("a") == "a1"
        await asyncio.sleep(0.02)
        with pytest.raises(IndexError):
            await cache.get("a")
        assert not is_cached(cache, "a")
        assert len(cache) == 0

    run(test)


def test_the_oldest_entries_make_room() -> None:
    async def test() -> None:
        cache = SingleFlightCache(Source(), size=2)
        for key in "abc":
            await cache.get(key)
        assert [is_cached(cache, key) for key in "abc"] == [False, True, True]
        assert (len(cache), cache.weight) == (2, 2)

    run(test)


def test_values_and_failures_have_a_weight() -> None:
    async def test() -> None:
        source = Source()
        cache = SingleFlightCache(source, size=40, overhead=10, weigh=len)
        assert await cache.get("a") == "a1"
        source.failing = True
        with pytest.raises(Unavailable):
            await cache.get("b")
        assert (len(cache), cache.weight) == (2, 22)

    run(test)


def test_closing_cancels_what_is_running() -> None:
    async def test() -> None:
        cache = SingleFlightCache(Source(60))
        waiting = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0.01)
        await cache.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(test)


class Clock:
    """The monotonic clock of the cache, which the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("storage.cache.cache.time", self)

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("ready", [False, True])
def test_nobody_waits_for_a_value_that_is_requested_in_the_last_third_of_its_time(
    monkeypatch: pytest.MonkeyPatch, ready: bool
) -> None:
    clock = Clock(monkeypatch)

    async def test() -> None:
        source = Source()
        cache = SingleFlightCache(source, fresh=30.0, renew=True)

        async def read() -> str | None:
            return cache.ready("a", 30.0) if ready else await cache.get("a")

        assert await cache.get("a") == "a1"
        clock.now += 19.0
        assert await read() == "a1"
        await asyncio.sleep(0.01)
        assert source.calls == 1
        clock.now += 2.0
        source.seconds = 0.05
        assert {await read() for _ in range(9)} == {"a1"}
        await asyncio.sleep(0.1)
        assert await read() == "a2"
        assert source.calls == 2

    run(test)


def test_a_failed_renewal_is_tried_again_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def test() -> None:
        source = Source()
        cache = SingleFlightCache(source, fresh=30.0, renew=True, stale=100.0)
        assert await cache.get("a") == "a1"
        source.failing = True
        clock.now += 21.0
        for _ in range(3):
            assert await cache.get("a") == "a1"
            await asyncio.sleep(0.01)
        source.failing = False
        assert source.calls == 2
        clock.now += 1.1
        assert await cache.get("a") == "a3"

    run(test)


def test_few_values_are_renewed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def test() -> None:
        source = Source()
        cache = SingleFlightCache(source, fresh=30.0, renew=True)
        keys = [str(number) for number in range(20)]
        for key in keys:
            await cache.get(key)
        clock.now += 21.0
        source.seconds = 0.05
        for _ in range(3):
            for key in keys:
                await cache.get(key)
        assert source.calls == len(keys)
        await asyncio.sleep(0.01)
        assert source.calls == len(keys) + MAX_RENEWALS
        # When they have ended, those that are requested again are next.
        await asyncio.sleep(0.1)
        for key in keys:
            await cache.get(key)
        await asyncio.sleep(0.01)
        assert source.calls == len(keys) + 2 * MAX_RENEWALS
        await cache.close()

    run(test)


def test_a_value_whose_renewal_raises_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def test() -> None:
        values = ["a1"]

        async def fetch(key: str) -> str:
            return values.pop()

        cache = SingleFlightCache(fetch, fresh=30.0, renew=True)
        assert await cache.get("a") == "a1"
        clock.now += 21.0
        assert await cache.get("a") == "a1"
        await asyncio.sleep(0.01)
        assert not is_cached(cache, "a")

    run(test)


def test_an_error_that_nobody_waits_for_is_not_reported() -> None:
    async def test() -> None:
        reports: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))

        async def fail(key: str) -> None:
            raise RuntimeError(key)

        flights: SingleFlight[str, None] = SingleFlight()
        flights.join("a", fail)
        assert flights.get("a") is flights.join("a", fail)
        await asyncio.sleep(0.01)
        assert flights.get("a") is None
        gc.collect()
        assert reports == []

    run(test)


def test_keys_of_one_task_end_together() -> None:
    async def test() -> None:
        async def work() -> int:
            return 7

        flights: SingleFlight[str, int] = SingleFlight()
        task = flights.start(work(), "a", "b")
        assert flights.get("a") is flights.get("b") is task
        assert await task == 7
        await asyncio.sleep(0)
        assert flights.get("a") is flights.get("b") is None

    run(test)
