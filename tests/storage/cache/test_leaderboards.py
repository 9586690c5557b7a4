"""The order of leaderboards: read in segments and cached for some seconds, unlike what is shown of the players."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.modes import Mode
from storage.cache import leaderboards
from storage.cache.leaderboards import FRESH_SECONDS, LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.database.statement import Statement
from tests.conftest import Playground, connected
from tests.support import conformance

VISIBLE = 1
WORLD = [LeaderboardKey(sort, mode, None) for sort in ("pp", "acc") for mode in (Mode.VN_STD, Mode.RX_STD)]
COUNTRY = LeaderboardKey("tscore", Mode.VN_STD, "de")


class Counting(Database):
    """Remembers the names of the statements it ran."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.statements: list[str] = []

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        self.statements.append(query.name)
        return await super()._run(query, values)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments so small that the recorded leaderboards have several, the last of them deep."""
    monkeypatch.setattr(leaderboards, "SEGMENT", 20)
    monkeypatch.setattr(leaderboards, "PAGE", 7)
    monkeypatch.setattr(leaderboards, "DEEP", 40)


async def whole(database: Database, board: LeaderboardKey) -> tuple[int, ...]:
    """Return the ids of all players on a leaderboard, read by one statement."""
    sort, mode, country = board
    values = {"mode": mode, "country": country, "visible": VISIBLE, "least": 0, "limit": 1000, "offset": 0}
    return tuple(row.player_id for row in await database.all(catalogue.leaderboard_order[sort], **values))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("board", [*WORLD, COUNTRY])
def test_every_page_is_a_part_of_the_whole_order(recorded_url: str, board: LeaderboardKey) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            all_ids = await whole(database, board)
            assert len(all_ids) > (45 if board in WORLD else 3)
            order = LeaderboardOrder(database, visible=VISIBLE)
            for offset in range(len(all_ids) + 3):
                for limit in (1, 7):
                    page = await order.page(board, offset=offset, limit=limit)
                    assert page == all_ids[offset : offset + limit]
            assert await order.page(board, offset=2**63 - 1, limit=7) == ()
            assert await order.total(board) == len(all_ids)

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_players_are_counted_once_where_a_segment_does_not_hold_them_all(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            order = LeaderboardOrder(database, visible=VISIBLE)
            await order.page(WORLD[0], offset=0, limit=7)
            await order.page(COUNTRY, offset=0, limit=7)
            database.statements.clear()
            for _ in range(3):
                assert await order.total(WORLD[0]) > 27
                assert await order.total(COUNTRY) < 27
            assert database.statements == ["leaderboard_total"]

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_players_with_several_rows_are_counted_once(tmp_path: Path) -> None:
    file = tmp_path / "world.sqlite"
    conformance.load(f"sqlite:///{file}")

    async def test() -> None:
        async with connected(Counting(f"sqlite:///{file}")) as database:
            expected = await LeaderboardOrder(database, visible=VISIBLE).total(WORLD[0])
            players = await whole(database, WORLD[0])
            with closing(sqlite3.connect(file)) as connection, connection:
                connection.execute("CREATE TABLE twice AS SELECT * FROM stats UNION ALL SELECT * FROM stats")
                connection.execute("DROP TABLE stats")
                connection.execute("ALTER TABLE twice RENAME TO stats")
            order = LeaderboardOrder(database, visible=VISIBLE)
            assert len(await order.page(WORLD[0], offset=0, limit=7)) == 7
            assert await order.total(WORLD[0]) == expected == len(players)
            for place in (0, 5):
                assert await order.position(WORLD[0], players[place]) == place

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_a_segment_is_read_once(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            order = LeaderboardOrder(database, visible=VISIBLE)

            async def statements(board: LeaderboardKey, *offsets: int) -> list[str]:
                database.statements.clear()
                await asyncio.gather(*(order.page(board, offset=offset, limit=7) for offset in offsets))
                return database.statements

            first = ["leaderboard_least", "leaderboard_order"]
            assert await statements(WORLD[0], 0, 0, 13, 19) == first
            assert await statements(WORLD[0], 5) == []
            assert await statements(WORLD[0], 20) == first
            # Further down, and in a country, the value of the last player is not read.
            assert await statements(WORLD[0], 40) == ["leaderboard_order"]
            assert await statements(COUNTRY, 0) == ["leaderboard_order"]
            assert await statements(WORLD[1], 0) == first

    asyncio.run(test())


@pytest.mark.usefixtures("small")
def test_the_cache_is_bounded(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            monkeypatch.setattr(leaderboards, "SIZE", 100)
            order = LeaderboardOrder(database, visible=VISIBLE)
            for number in range(200):
                await order.page(WORLD[0], offset=1000 * number, limit=7)
            assert len(order._segments) == 5
            assert order._segments.weight <= 100

    asyncio.run(test())


def leaders(uncached: Playground, limit: int = 5) -> list[tuple[int, int]]:
    """Return the id and pp of the first players."""
    entries = (
        uncached.client.get(f"/get_leaderboard?mode=0&limit={limit}").raise_for_status().json()["leaderboard"]
    )
    return [(entry["player_id"], entry["pp"]) for entry in entries]


def test_values_change_at_once_and_newcomers_appear_in_time(uncached: Playground) -> None:
    before = leaders(uncached, 20)
    first, second, third, fourth, fifth = (id for id, _ in before[:5])
    newcomer = before[15][0]
    uncached.sql(
        f"UPDATE users SET priv = 2 WHERE id = {first}",
        f"UPDATE stats SET pp = 90000 WHERE id = {fifth} AND mode = 0",
        f"UPDATE stats SET pp = 80000 WHERE id = {newcomer} AND mode = 0",
        f"UPDATE stats SET pp = 0 WHERE id = {third} AND mode = 0",
    )
    # Hidden players and old values are not shown, and the order is that of the new values.
    assert leaders(uncached) == [(fifth, 90000), (second, before[1][1]), (fourth, before[3][1])]
    uncached.client.advance(FRESH_SECONDS)
    now = [(fifth, 90000), (newcomer, 80000), (second, before[1][1]), (fourth, before[3][1]), before[5]]
    assert leaders(uncached) == now
