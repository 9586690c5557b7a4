"""Scores of all players: the ones with the most pp, and the latest ones."""

from typing import Any

import pytest

from domain.modes import Mode
from tests.api.v2.test_v2 import table
from tests.conftest import Recorded

PLAYERS = {row["id"]: row for row in table("users")}
VISIBLE = {id for id, row in PLAYERS.items() if row["priv"] & 3 == 3}
MAPS = {row["md5"]: row for row in table("maps")}
SCORES = [row for row in table("scores") if row["userid"] in VISIBLE and row["map_md5"] in MAPS]


def ask(recorded: Recorded, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = recorded.client.get(f"/v1/{path}", params={"limit": 100} | params)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["plays" if path == "get_top_plays" else "scores"]
    for row in rows:
        player = PLAYERS[row["userid"]]
        assert (row["player_name"], row["player_country"]) == (player["name"], player["country"])
        assert row["beatmap"]["md5"] == row["map_md5"]
        assert row["beatmap"]["title"] == MAPS[row["map_md5"]]["title"]
    return rows


@pytest.mark.parametrize("mode", Mode)
def test_top_plays(recorded: Recorded, mode: Mode) -> None:
    expected = [
        (row["pp"], row["id"])
        for row in SCORES
        if row["mode"] == mode and row["status"] == 2 and MAPS[row["map_md5"]]["status"] in (2, 3)
    ]
    expected.sort(reverse=True)
    assert len(expected) > 10
    plays = ask(recorded, "get_top_plays", mode=mode.value)
    assert [(row["pp"], row["id"]) for row in plays] == expected[:100]
    assert ask(recorded, "get_top_plays", mode=mode.value, limit=2, offset=3) == plays[3:5]
    assert ask(recorded, "get_top_plays", mode=mode.value, offset=1000) == []


@pytest.mark.parametrize("mode", [None, *Mode])
def test_recent_scores(recorded: Recorded, mode: Mode | None) -> None:
    which = {} if mode is None else {"mode": mode.value}
    ids = sorted((row["id"] for row in SCORES if mode in (None, row["mode"])), reverse=True)
    scores = ask(recorded, "get_recent_scores", **which)
    assert [row["id"] for row in scores] == ids[:100]
    passed = [row["id"] for row in SCORES if row["status"] and mode in (None, row["mode"])]
    found = ask(recorded, "get_recent_scores", include_failed=0, **which)
    assert [row["id"] for row in found] == sorted(passed, reverse=True)[:100]
    assert ask(recorded, "get_recent_scores", limit=1, **which) == scores[:1]


@pytest.mark.parametrize("path", ["get_top_plays", "get_recent_scores"])
def test_wrong_parameters(recorded: Recorded, path: str) -> None:
    assert recorded.client.get(f"/v1/{path}?mode=9").json() == {"status": "Invalid gamemode."}
    for query in ("mode=12", "limit=0", "limit=101", "mode=x"):
        assert recorded.client.get(f"/v1/{path}?{query}").status_code == 422


def test_the_depth_of_top_plays_is_limited(recorded: Recorded) -> None:
    assert recorded.client.get("/v1/get_top_plays?offset=1001").status_code == 422
