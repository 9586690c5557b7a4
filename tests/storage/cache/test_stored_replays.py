"""Which replays are stored: the storage is asked for each at most every ten seconds."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from storage.cache.stored_replays import CONCURRENT, FRESH_SECONDS, PAUSE_SECONDS, StoredReplays


def test_the_storage_is_asked_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    there = {1, 3}

    async def look(ids: Sequence[int]) -> set[int]:
        asked.append(list(ids))
        return there & set(ids)

    async def test() -> None:
        stored = StoredReplays(look)
        assert await stored.of([1, 2]) == {1: True, 2: False}
        there.add(2)
        assert await stored.of([2, 1, 3]) == {1: True, 2: False, 3: True}
        assert await stored.of([]) == {}
        assert asked == [[1, 2], [3]]
        now = time.monotonic() + FRESH_SECONDS + 1
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert await stored.of([1, 2]) == {1: True, 2: True}
        assert asked == [[1, 2], [3], [1, 2]]

    asyncio.run(test())


def test_a_storage_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    now, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now() + ahead[0])
    asked: list[list[int]] = []

    async def test() -> None:
        answers = asyncio.Event()

        async def look(ids: Sequence[int]) -> set[int]:
            asked.append(list(ids))
            await answers.wait()
            return set(ids)

        stored = StoredReplays(look)
        found = await asyncio.gather(*(stored.of([id]) for id in range(5)))
        assert found == [{id: None} for id in range(5)]
        # Two look, and nobody else for some seconds.
        assert len(asked) == CONCURRENT
        assert await stored.of([7]) == {7: None}
        ahead[0] += PAUSE_SECONDS
        assert await stored.of([7]) == {7: None}
        assert len(asked) == CONCURRENT
        answers.set()
        await asyncio.sleep(0)
        ahead[0] += PAUSE_SECONDS
        assert await stored.of([7]) == {7: True}
        # A look that took longer counts nevertheless.
        assert await stored.of([0]) == {0: True}
        assert len(asked) == CONCURRENT + 1

    asyncio.run(asyncio.wait_for(test(), 30))
