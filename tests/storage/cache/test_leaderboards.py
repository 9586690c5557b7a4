"""The order of leaderboards: read in parts, kept for some seconds; what is said of who is on them is not kept."""

import asyncio
import time
from typing import Any

import pytest

from domain.modes import Mode
from storage.cache import leaderboards
from storage.cache.leaderboards import SECONDS, LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.database.statement import Statement
from tests.conftest import Playground, connected

VISIBLE = 1
WORLD = [LeaderboardKey(sort, mode, None) for sort in ("pp", "acc") for mode in (Mode.VN_STD, Mode.RX_STD)]
COUNTRY = LeaderboardKey("tscore", Mode.VN_STD, "de")


class Counting(Database):
    """Remembers which statements it ran."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[str] = []

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        self.asked.append(query.name)
        return await super()._run(query, values)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts so small that the recorded boards have several, the last of them deep."""
    monkeypatch.setattr(leaderboards, "PART", 20)
    monkeypatch.setattr(leaderboards, "PAGE", 7)
    monkeypatch.setattr(leaderboards, "DEEP", 40)


async def whole(database: Database, board: LeaderboardKey) -> tuple[int, ...]:
    """Everybody on a board, in one statement."""
    sort, mode, country = board
    values = {"mode": mode, "country": country, "visible": VISIBLE, "least": 0, "limit": 1000, "offset": 0}
    return tuple(each.player_id for each in await database.all(catalogue.leaderboard_order[sort], **values))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("board", [*WORLD, COUNTRY])
def test_every_page_is_a_run_of_the_whole(recorded_url: str, board: LeaderboardKey) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            everybody = await whole(database, board)
            assert len(everybody) > (45 if board in WORLD else 3)
            there = LeaderboardOrder(database, visible=VISIBLE)
            for offset in range(len(everybody) + 3):
                for limit in (1, 7):
                    page = await there.places(board, offset=offset, limit=limit)
                    assert page == everybody[offset : offset + limit]
            assert await there.places(board, offset=2**63 - 1, limit=7) == ()

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_a_part_is_read_once(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            there = LeaderboardOrder(database, visible=VISIBLE)

            async def asked(board: LeaderboardKey, *offsets: int) -> list[str]:
                database.asked.clear()
                await asyncio.gather(*(there.places(board, offset=offset, limit=7) for offset in offsets))
                return database.asked

            first = ["leaderboard_least", "leaderboard_order"]
            assert await asked(WORLD[0], 0, 0, 13, 19) == first
            assert await asked(WORLD[0], 5) == []
            assert await asked(WORLD[0], 20) == first
            # Deep in it, and in a country, nothing is gained by knowing what the last one has.
            assert await asked(WORLD[0], 40) == ["leaderboard_order"]
            assert await asked(COUNTRY, 0) == ["leaderboard_order"]
            assert await asked(WORLD[1], 0) == first

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_no_more_is_kept_than_it_may(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            monkeypatch.setattr(leaderboards, "PLACES", 100)
            there = LeaderboardOrder(database, visible=VISIBLE)
            for number in range(200):
                await there.places(WORLD[0], offset=1000 * number, limit=7)
            assert len(there._parts) == 5
            assert there._parts.weight <= 100

    asyncio.run(test())


def leaders(uncached: Playground, limit: int = 5) -> list[tuple[int, int]]:
    """Who leads, and with how much."""
    found = uncached.client.get(f"/get_leaderboard?mode=0&limit={limit}").raise_for_status().json()["leaderboard"]
    return [(each["player_id"], each["pp"]) for each in found]


def test_what_changes_is_seen_at_once_and_who_comes_in_time(uncached: Playground) -> None:
    before = leaders(uncached, 20)
    began = time.monotonic()
    first, second, third, fourth, fifth = (id for id, _ in before[:5])
    newcomer = before[15][0]
    uncached.sql(
        f"UPDATE users SET priv = 2 WHERE id = {first}",
        f"UPDATE stats SET pp = 90000 WHERE id = {fifth} AND mode = 0",
        f"UPDATE stats SET pp = 80000 WHERE id = {newcomer} AND mode = 0",
        f"UPDATE stats SET pp = 0 WHERE id = {third} AND mode = 0",
    )
    # Nobody is shown who may not be seen, nothing that is no longer so, and in no other order than by it.
    assert leaders(uncached) == [(fifth, 90000), (second, before[1][1]), (fourth, before[3][1])]
    time.sleep(max(0.0, began + SECONDS - time.monotonic()))
    now = [(fifth, 90000), (newcomer, 80000), (second, before[1][1]), (fourth, before[3][1]), before[5]]
    assert leaders(uncached) == now
