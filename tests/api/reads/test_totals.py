"""A list is sent without its total where the database cannot count the total in time."""

import asyncio
from typing import Any

import pytest

from api.reads import scores
from api.reads.totals import if_counted
from api.services import Services
from domain.errors import Unavailable
from storage.cache import leaderboards
from storage.database.statement import Statement
from tests.api.v2 import test_table
from tests.api.v2.test_table import InProcess

service = test_table.service


def fail(service: InProcess, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the database fail to run these statements."""
    run = service.database._run

    async def run_others(query: Statement, values: dict[str, Any]) -> Any:
        if query.name in names:
            raise Unavailable("slow")
        return await run(query, values)

    monkeypatch.setattr(service.database, "_run", run_others)


def test_lists_without_their_totals(service: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboards, "SEGMENT", 20)
    monkeypatch.setattr(leaderboards, "PAGE", 7)
    lists = {
        "/v1/get_leaderboard?limit=5": "leaderboard",
        "/v2/leaderboards/0?page_size=5": "data",
        "/v1/get_player_scores?scope=best&id=50&limit=1": "scores",
    }
    names = ["leaderboard_total", "count_player_scores_best"]
    fail(service, monkeypatch, *names)
    for path, key in lists.items():
        answer = service.client.get(path)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body[key]
        assert (body["meta"] if "/v2" in path else body)["total"] is None


def test_statistics_without_their_totals(service: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(service, monkeypatch, "score_blocks")
    answer = service.client.get("/v2/server/stats")
    assert answer.status_code == 200, answer.text
    stats = answer.json()["data"]
    assert stats.pop("online_players") is not None
    assert stats.pop("total_players") > 0
    assert stats == {"total_scores": None, "total_maps": None, "total_clans": None}


def test_a_response_does_not_wait_for_a_slow_count() -> None:
    async def test() -> None:
        async def count() -> int:
            await asyncio.sleep(60)
            return 1

        assert await if_counted(asyncio.shield(asyncio.ensure_future(count()))) is None

    asyncio.run(test())


def test_the_total_of_a_page_that_lacks_scores(service: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/v1/get_player_scores?scope=best&id=50&limit=2"
    total = service.client.get(path).json()["total"]
    assert total > 2

    async def lose_them(_: Services, rows: list[Any], *, stripped: bool) -> list[Any]:
        return []

    # Their beatmaps have been deleted between the two statements.
    monkeypatch.setattr(scores, "with_beatmaps", lose_them)
    assert service.client.get(path).json() | {"player": None} == {
        "status": "success",
        "total": total,
        "scores": [],
        "player": None,
    }
