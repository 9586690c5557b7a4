"""Patience ends what takes too long, and nothing else."""

import asyncio
import time

import pytest

from storage.database.patience import Patience

SHORT = 0.05
LONG = 10.0


async def wait(patience: Patience, seconds: float) -> float:
    """Waits with patience; how long it took."""
    began = time.monotonic()
    try:
        with patience:
            await asyncio.sleep(seconds)
    finally:
        took = time.monotonic() - began
    return took


def test_what_is_in_time_goes_on() -> None:
    async def test() -> None:
        patience = Patience(SHORT)
        for _ in range(4):
            assert await wait(patience, SHORT / 2) < LONG
        await asyncio.sleep(2 * SHORT)
        # With nobody waiting no timer is left.
        assert patience._timer is None
        assert not patience._begun
        assert not patience._ended

    asyncio.run(test())


def test_each_is_ended_when_its_own_time_is_up() -> None:
    async def test() -> None:
        patience = Patience(4 * SHORT)
        began = time.monotonic()
        ended = []

        async def one(number: int) -> None:
            await asyncio.sleep(number * SHORT)
            with pytest.raises(TimeoutError):
                await wait(patience, LONG)
            ended.append((number, time.monotonic() - began))

        await asyncio.gather(*(one(number) for number in range(5)), wait(patience, SHORT))
        assert [number for number, _ in ended] == [0, 1, 2, 3, 4]
        for number, after in ended:
            assert number * SHORT + 4 * SHORT - 0.01 <= after < LONG
        assert asyncio.current_task() is not None
        assert not patience._begun
        assert not patience._ended

    asyncio.run(test())


def test_the_task_can_wait_again() -> None:
    async def test() -> None:
        patience = Patience(SHORT)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await wait(patience, LONG)
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            await wait(patience, SHORT / 5)

    asyncio.run(test())


def test_who_is_cancelled_is_told_so() -> None:
    async def test() -> None:
        patience = Patience(LONG)
        task = asyncio.create_task(wait(patience, LONG))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not patience._begun

    asyncio.run(test())


def test_cancelled_by_both_is_cancelled() -> None:
    async def test() -> None:
        patience = Patience(SHORT)

        async def stubborn() -> None:
            with patience:
                try:
                    await asyncio.sleep(LONG)
                finally:
                    # Before it knows that its time is up, somebody cancels it too.
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()

        task = asyncio.create_task(stubborn())
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelling() == 1
        assert not patience._ended

    asyncio.run(test())


def test_another_failure_stays_what_it_is() -> None:
    async def test() -> None:
        patience = Patience(SHORT)
        with pytest.raises(ValueError, match="mine"), patience:
            raise ValueError("mine")

        async def fail() -> None:
            with patience:
                try:
                    await asyncio.sleep(LONG)
                except asyncio.CancelledError:
                    raise KeyError from None

        with pytest.raises(KeyError):
            await fail()

    asyncio.run(test())


def test_no_block_within_another() -> None:
    async def test() -> None:
        patience = Patience(SHORT)
        with patience, pytest.raises(AssertionError), patience:
            pass

    asyncio.run(test())
