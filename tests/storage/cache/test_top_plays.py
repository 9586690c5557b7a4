"""Top plays of a mode that is slow to read do not keep those of the other modes from being read."""

import asyncio
import time
from typing import Any

import pytest

from domain.errors import Unavailable
from domain.modes import Mode
from domain.players import VISIBLE
from storage.cache.top_plays import SLOW_SECONDS, TopPlays
from storage.database.database import SLOW, Database
from storage.database.statement import Statement
from tests.conftest import connected

WAIT = 0.2


class SlowForRelax(Database):
    """Ends the statement on one mode as the time limit does, and remembers which modes it was asked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.modes: list[Mode] = []
        self.end = asyncio.Event()

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        self.modes.append(values["mode"])
        if values["mode"] == Mode.RX_STD:
            await self.end.wait()
            raise Unavailable(SLOW.message)
        return await super()._run(query, values)


def test_a_slow_mode(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now() + ahead[0])

    async def test() -> None:
        async with connected(SlowForRelax(recorded_sqlite)) as database:
            plays = TopPlays(database, visible=VISIBLE, wait=WAIT)
            try:
                slow = asyncio.create_task(plays.page(Mode.RX_STD, offset=0, limit=5))
                await asyncio.sleep(0)
                with pytest.raises(Unavailable, match="in time"):
                    await plays.page(Mode.VN_STD, offset=0, limit=5)
                assert not slow.done()
                database.end.set()
                with pytest.raises(Unavailable, match="in time"):
                    await slow
                # After a second, the cache tries again: the mode that had to wait is read, the slow one is not.
                ahead[0] += 2
                with pytest.raises(Unavailable, match="in time"):
                    await plays.page(Mode.RX_STD, offset=0, limit=5)
                assert len(await plays.page(Mode.VN_STD, offset=0, limit=5)) == 5
                assert database.modes == [Mode.RX_STD, Mode.VN_STD]
                ahead[0] += SLOW_SECONDS
                with pytest.raises(Unavailable, match="in time"):
                    await plays.page(Mode.RX_STD, offset=0, limit=5)
                assert database.modes.count(Mode.RX_STD) == 2
            finally:
                await plays.close()

    asyncio.run(asyncio.wait_for(test(), 30))
