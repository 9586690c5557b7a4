"""Answers kept for a moment, by themselves: their ages are told in tenths of seconds here."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from domain.errors import Unavailable
from storage.cache.cache import SingleFlightCache


class Asked:
    """Counts how often it is asked; answers, or fails while `failing`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.times = 0
        self.failing = False
        self.seconds = seconds

    async def __call__(self, key: str) -> str:
        self.times += 1
        await asyncio.sleep(self.seconds)
        if self.failing:
            raise Unavailable("No.")
        return f"{key}{self.times}"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_one_question_for_all_who_ask_at_once() -> None:
    async def test() -> None:
        asked = Asked(0.02)
        kept = SingleFlightCache(asked, fresh=0.1)
        assert set(await asyncio.gather(*(kept.get("a") for _ in range(100)))) == {"a1"}
        assert await kept.get("a") == "a1"
        assert await kept.get("b") == "b2"
        await asyncio.sleep(0.12)
        assert await kept.get("a") == "a3"

    run(test)


def test_who_leaves_does_not_end_it_for_the_others() -> None:
    async def test() -> None:
        kept = SingleFlightCache(Asked(0.05))
        first = asyncio.create_task(kept.get("a"))
        second = asyncio.create_task(kept.get("a"))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second == "a1"

    run(test)


def test_last_answer_until_it_is_too_old() -> None:
    async def test() -> None:
        asked = Asked()
        kept = SingleFlightCache(asked, fresh=0.01, stale=0.2)
        assert await kept.get("a") == "a1"
        asked.failing = True
        await asyncio.sleep(0.02)
        assert await kept.get("a") == "a1"
        assert kept.recent("a") == ["a1"]
        await asyncio.sleep(0.2)
        with pytest.raises(Unavailable):
            await kept.get("a")
        assert kept.recent("a") == []
        asked.failing = False
        await asyncio.sleep(0.02)
        assert await kept.get("a") == f"a{asked.times}"

    run(test)


def test_failure_is_kept_too() -> None:
    async def test() -> None:
        asked = Asked()
        asked.failing = True
        kept = SingleFlightCache(asked)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await kept.get("a")
        assert asked.times == 1

    run(test)


def test_no_more_than_its_size() -> None:
    async def test() -> None:
        kept = SingleFlightCache(Asked(), size=2)
        for key in "abc":
            await kept.get(key)
        assert [kept.recent(key) for key in "abc"] == [[], ["b2"], ["c3"]]

    run(test)


def test_closing_ends_what_is_asked() -> None:
    async def test() -> None:
        kept = SingleFlightCache(Asked(60))
        waiting = asyncio.create_task(kept.get("a"))
        await asyncio.sleep(0.01)
        await kept.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(test)


def test_nobody_waits_for_an_answer_that_is_renewed() -> None:
    async def test() -> None:
        asked = Asked()
        kept = SingleFlightCache(asked, fresh=10.0, renew=0.05)
        assert await kept.get("a") == "a1"
        asked.seconds = 0.05
        await asyncio.sleep(0.06)
        assert {await kept.get("a") for _ in range(9)} == {"a1"}
        await asyncio.sleep(0.07)
        assert await kept.get("a") == "a2"
        assert asked.times == 2

    run(test)


def test_a_failure_to_renew_is_tried_again_in_a_second() -> None:
    async def test() -> None:
        asked = Asked()
        kept = SingleFlightCache(asked, fresh=100.0, renew=0.01, stale=100.0)
        assert await kept.get("a") == "a1"
        asked.failing = True
        await asyncio.sleep(0.02)
        for _ in range(3):
            assert await kept.get("a") == "a1"
            await asyncio.sleep(0.01)
        asked.failing = False
        assert asked.times == 2
        await asyncio.sleep(1.0)
        assert await kept.get("a") == "a3"

    run(test)
