"""The totals of the server: counted at most once a minute, and all scores by nobody who waits."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.cache.totals import ServerTotals, Totals
from tests.api.v2.test_pages import RecordingDatabase
from tests.api.v2.test_v2 import table
from tests.conftest import connected
from tests.support import conformance

EXPECTED = Totals(len(table("scores")), len(table("maps")), len(table("clans")))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Puts the monotonic clock forward."""
    ahead = [0.0]
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + ahead[0])

    def advance(seconds: float) -> None:
        ahead[0] += seconds

    return advance


def with_totals(url: str, use: Callable[[ServerTotals, RecordingDatabase], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(RecordingDatabase(url)) as database:
            totals = ServerTotals(database)
            try:
                await use(totals, database)
            finally:
                await totals.close()

    asyncio.run(run())


def test_everything_is_counted_once(recorded_url: str) -> None:
    async def use(totals: ServerTotals, database: RecordingDatabase) -> None:
        assert set(await asyncio.gather(*(totals.get() for _ in range(5)))) == {EXPECTED}
        assert database.statements == ["score_next", "score_blocks", "score_next", "server_totals"]
        assert await totals.get() == EXPECTED
        assert len(database.statements) == 4

    with_totals(recorded_url, use)


def test_new_scores_are_added_and_all_are_counted_in_the_background(
    tmp_path: Path, clock: Callable[[float], None]
) -> None:
    file = tmp_path / "world.sqlite"
    conformance.load(f"sqlite:///{file}")

    def sql(statement: str) -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement)

    async def use(totals: ServerTotals, database: RecordingDatabase) -> None:
        async def later(*expected: str) -> Totals:
            """Return the totals a minute later, which these statements have read."""
            clock(61)
            database.statements.clear()
            result = await totals.get()
            assert database.statements[0] == "server_totals"
            await asyncio.gather(*totals._recounts._tasks.values())
            assert sorted(database.statements) == sorted(["server_totals", *expected])
            return result

        assert await totals.get() == EXPECTED
        counting = ("score_next", "score_blocks", "score_next")
        columns = ", ".join(name for name in table("scores")[0] if name != "id")
        for _ in range(3):
            sql(f"INSERT INTO scores ({columns}) SELECT {columns} FROM scores WHERE id = 1")
        # The new ones are added to those that were counted a minute ago.
        assert (await later(*counting)).scores == EXPECTED.scores + 3
        sql("DELETE FROM scores WHERE id < 11")
        deleted = EXPECTED.scores - len([row for row in table("scores") if row["id"] < 11]) + 3
        assert (await later(*counting)).scores == EXPECTED.scores + 3
        assert (await later(*counting)).scores == deleted
        sql("DELETE FROM scores")
        await later("score_next")
        assert (await later("score_next")).scores == 0

    with_totals(f"sqlite:///{file}", use)


def test_a_database_without_scores(tmp_path: Path) -> None:
    file = tmp_path / "world.sqlite"
    conformance.load(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM scores")

    async def use(totals: ServerTotals, database: RecordingDatabase) -> None:
        assert await totals.get() == Totals(0, EXPECTED.maps, EXPECTED.clans)

    with_totals(f"sqlite:///{file}", use)
