"""Which replays are stored: the storage is asked for each at most every ten seconds."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from storage.cache.stored_replays import FRESH_SECONDS, StoredReplays


def test_the_storage_is_asked_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    there = {1, 3}

    async def look(ids: Sequence[int]) -> set[int]:
        asked.append(list(ids))
        return there & set(ids)

    async def test() -> None:
        stored = StoredReplays(look)
        assert await stored.of([1, 2]) == {1}
        there.add(2)
        assert await stored.of([2, 1, 3]) == {1, 3}
        assert await stored.of([]) == set()
        assert asked == [[1, 2], [3]]
        now = time.monotonic() + FRESH_SECONDS + 1
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert await stored.of([1, 2]) == {1, 2}
        assert asked == [[1, 2], [3], [1, 2]]

    asyncio.run(test())
