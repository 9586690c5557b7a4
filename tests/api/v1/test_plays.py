"""How often a player has played in each month."""

from collections import Counter
from typing import Any

import pytest

from tests.api.v2.test_v2 import table
from tests.conftest import Playground, Recorded

PLAYER = 50
SCORES = table("scores")


def plays(recorded: Recorded | Playground, path: str) -> list[dict[str, Any]]:
    response = recorded.client.get(f"/v1/get_player_plays?{path}")
    assert response.status_code == 200, response.text
    body = response.json()
    assert list(body) == ["status", "plays"]
    months: list[dict[str, Any]] = body["plays"]
    return months


@pytest.mark.parametrize("player", [3, 12, PLAYER])
@pytest.mark.parametrize("mode", [0, 2, 4])
def test_every_score_counts_in_its_month(recorded: Recorded, player: int, mode: int) -> None:
    own = [row for row in SCORES if row["userid"] == player and row["mode"] == mode]
    counted = Counter(row["play_time"][:7] for row in own)
    passed = Counter(row["play_time"][:7] for row in own if row["status"])
    expected = [{"month": month, "plays": counted[month], "passes": passed[month]} for month in sorted(counted)]
    assert plays(recorded, f"id={player}&mode={mode}") == expected


def test_a_player_with_many_scores(recorded: Recorded) -> None:
    months = plays(recorded, f"id={PLAYER}")
    assert len(months) > 3
    assert sum(month["plays"] for month in months) > sum(month["passes"] for month in months) > 0
    name = recorded.client.get(f"/v1/get_player_info?scope=info&id={PLAYER}").json()["player"]["info"]["name"]
    assert plays(recorded, f"name={name}&mode=0") == months


def test_the_ends_of_a_month_and_rows_without_a_date(uncached: Playground) -> None:
    own = [row["id"] for row in SCORES if row["userid"] == PLAYER and row["mode"] == 0]
    first, second, third = own[:3]
    others = f"userid = {PLAYER} AND id NOT IN ({first}, {second}, {third})"
    uncached.sql(
        f"DELETE FROM scores WHERE {others}",
        f"UPDATE scores SET play_time = '2024-02-29 23:59:59', status = 0 WHERE id = {first}",
        f"UPDATE scores SET play_time = '2024-03-01 00:00:00', status = 1 WHERE id = {second}",
        f"UPDATE scores SET play_time = '9999-12-31 23:59:59', status = 2 WHERE id = {third}",
    )
    months = [
        {"month": "2024-02", "plays": 1, "passes": 0},
        {"month": "2024-03", "plays": 1, "passes": 1},
        {"month": "9999-12", "plays": 1, "passes": 1},
    ]
    assert plays(uncached, f"id={PLAYER}") == months
    # As old rows may have it.
    uncached.sql(f"UPDATE scores SET play_time = '0000-00-00 00:00:00' WHERE id = {third}")
    assert plays(uncached, f"id={PLAYER}") == months[:2]


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("id=3&name=ab", 400), ("id=3&mode=9", 400), ("id=3&mode=12", 422), ("id=2000000000", 404)],
)
def test_parameters(recorded: Recorded, query: str, status: int) -> None:
    assert recorded.client.get(f"/v1/get_player_plays?{query}").status_code == status
