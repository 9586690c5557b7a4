"""Questions that are asked together."""

import asyncio
from collections.abc import Sequence

import pytest

from storage.batches import Batches
from storage.redis_client import RedisAway


class Doubling:
    """Answers numbers with their doubles, once it may go on."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await self.may_go_on.wait()
        if self.failure:
            raise self.failure
        return [2 * number for number in numbers]


async def started(batches: Batches[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """Return tasks that have asked."""
    tasks = [asyncio.create_task(batches.get(number)) for number in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


def test_what_comes_meanwhile_is_asked_together() -> None:
    async def ask() -> None:
        double = Doubling()
        batches = Batches(double, most=3)
        first = await started(batches, [1])
        others = await started(batches, [2, 3, 4, 5])
        double.may_go_on.set()
        assert await asyncio.gather(*first, *others) == [2, 4, 6, 8, 10]
        assert double.asked == [[1], [2, 3, 4], [5]]
        await batches.close()

    asyncio.run(ask())


def test_a_question_whose_asker_has_left_holds_up_no_other() -> None:
    async def ask() -> None:
        double = Doubling()
        batches = Batches(double, most=3)
        tasks = await started(batches, [1, 2])
        tasks[0].cancel()
        double.may_go_on.set()
        assert await tasks[1] == 4
        assert await batches.get(3) == 6

    asyncio.run(ask())


def test_after_a_failure_nobody_waits_and_the_next_is_asked() -> None:
    async def ask() -> None:
        double = Doubling()
        batches = Batches(double, most=3)
        tasks = await started(batches, [1, 2]) + await started(batches, [3])
        double.failure = ValueError("no")
        double.may_go_on.set()
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert outcomes == [double.failure] * 3
        assert double.asked == [[1, 2]]
        double.failure = None
        assert await batches.get(4) == 8

    asyncio.run(ask())


def test_if_its_task_is_cancelled_nobody_waits_and_the_next_is_asked() -> None:
    async def ask() -> None:
        double = Doubling()
        batches = Batches(double, most=3)
        tasks = await started(batches, [1, 2]) + await started(batches, [3])
        assert batches._sender
        batches._sender.cancel()
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert [type(outcome) for outcome in outcomes] == [RedisAway] * 3
        double.may_go_on.set()
        assert await batches.get(4) == 8

    asyncio.run(ask())


def test_a_wrong_number_of_answers_is_a_failure() -> None:
    async def answer(_: Sequence[int]) -> list[int]:
        return []

    with pytest.raises(ValueError, match="zip"):
        asyncio.run(Batches(answer, most=3).get(1))
