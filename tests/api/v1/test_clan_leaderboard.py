"""The leaderboard of clans: sums of visible members, in both versions."""

import math
from collections import defaultdict
from typing import Any

import pytest

from storage.cache.clans import FRESH_SECONDS
from tests.api.v2.test_v2 import table
from tests.conftest import Playground, Recorded

COLUMNS = {"pp": "total_pp", "rscore": "total_rscore", "acc": "avg_acc", "plays": "total_plays"}
KEYS = ["id", "name", "tag", "total_tscore", "total_rscore", "total_pp", "avg_acc", "total_plays"]
KEYS += ["total_playtime", "member_count"]
CLANS = {row["id"]: row for row in table("clans")}


def expected(mode: int) -> dict[int, dict[str, Any]]:
    """Return the row of each clan with a visible member, from the tables."""
    members = {row["id"]: row["clan_id"] for row in table("users") if row["priv"] & 3 == 3 and row["clan_id"]}
    stats: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in table("stats"):
        if row["mode"] == mode and row["id"] in members:
            stats[members[row["id"]]].append(row)
    rows = {}
    for clan in set(members.values()) & CLANS.keys():
        own = stats[clan]
        played = [row["acc"] for row in own if row["plays"]]
        rows[clan] = {
            **{key: CLANS[clan][key] for key in ("id", "name", "tag")},
            **{
                f"total_{key}": sum(row[key] for row in own)
                for key in ("tscore", "rscore", "pp", "plays", "playtime")
            },
            "avg_acc": sum(played) / len(played) if played else 0,
            "member_count": list(members.values()).count(clan),
        }
    return rows


def same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two rows are the same. Servers round the average of floats in their own way."""
    return row | {"avg_acc": 0} == other | {"avg_acc": 0} and math.isclose(
        row["avg_acc"], other["avg_acc"], abs_tol=0.0011
    )


def get(recorded: Recorded, path: str) -> Any:
    response = recorded.client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("mode", [0, 3, 4, 8])
@pytest.mark.parametrize("sort", COLUMNS)
def test_the_whole_leaderboard(recorded: Recorded, sort: str, mode: int) -> None:
    rows = expected(mode)
    column = COLUMNS[sort]
    body = get(recorded, f"/v1/get_clan_leaderboard?sort={sort}&mode={mode}&limit=100")
    assert list(body) == ["status", "total", "leaderboard"]
    board = body["leaderboard"]
    assert board
    assert all(list(row) == KEYS for row in board)
    assert all(same(row, rows[row["id"]]) for row in board)
    assert {row["id"] for row in board} == {id for id, row in rows.items() if row[column] > 0}
    assert body["total"] == len(board)
    assert board == sorted(board, key=lambda row: (-row[column], row["id"]))

    pages = [
        get(recorded, f"/v1/get_clan_leaderboard?sort={sort}&mode={mode}&limit=3&offset={offset}")
        for offset in range(0, len(board) + 3, 3)
    ]
    assert [row for page in pages for row in page["leaderboard"]] == board
    assert {page["total"] for page in pages} == {len(board)}

    of_v2 = get(recorded, f"/v2/clans?sort={sort}&mode={mode}&page_size=100")
    assert of_v2["meta"] == {"total": len(board), "page": 1, "page_size": 100}
    clans = {clan["id"]: clan for clan in get(recorded, "/v2/clans?page_size=100")["data"]}
    # The rows have what the list without `sort` has, and the sums.
    assert of_v2["data"] == [{**row, **clans[row["id"]]} for row in board]
    assert get(recorded, f"/v2/clans?sort={sort}&mode={mode}&page=2&page_size=3")["data"] == of_v2["data"][3:6]


def test_the_list_of_clans_has_no_sums(recorded: Recorded) -> None:
    for path in ("/v2/clans", "/v2/clans?sort=", "/v2/clans?mode=4", "/v2/clans?mode=9", "/v2/clans?mode=abc"):
        body = get(recorded, path)
        assert [set(clan) for clan in body["data"]] == [{"id", "name", "tag", "owner", "created_at"}] * len(CLANS)
        assert [clan["id"] for clan in body["data"]] == sorted(CLANS)
        assert body["meta"]["total"] == len(CLANS)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/get_clan_leaderboard?sort=tscore", 422),
        ("/v1/get_clan_leaderboard?mode=9", 400),
        ("/v1/get_clan_leaderboard?mode=7", 200),
        ("/v1/get_clan_leaderboard?offset=9223372036854775807", 200),
        ("/v1/get_clan_leaderboard?limit=101", 422),
        ("/v2/clans?sort=owner", 422),
        ("/v2/clans?sort=pp&mode=7", 400),
        ("/v2/clans?sort=pp&mode=12", 422),
        ("/v2/clans?sort=pp&mode=abc", 422),
        ("/v2/clans?sort=pp&page=9223372036854775807", 200),
    ],
)
def test_parameters(recorded: Recorded, path: str, status: int) -> None:
    assert recorded.client.get(path).status_code == status


def test_what_changes_shows_in_time(uncached: Playground) -> None:
    def board() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = uncached.client.get("/v1/get_clan_leaderboard").json()["leaderboard"]
        return rows

    before = board()
    first, second = before[0], before[1]
    members = uncached.client.get(f"/v1/get_clan?id={second['id']}").json()["members"]
    member = members[0]["id"]
    gain = first["total_pp"] - second["total_pp"] + 1
    uncached.sql(f"UPDATE stats SET pp = pp + {gain} WHERE id = {member} AND mode = 0")
    # The sums on a page are new, and so is its order.
    after = board()
    assert [row["id"] for row in after[:2]] == [second["id"], first["id"]]
    assert after[0]["total_pp"] == first["total_pp"] + 1
    uncached.sql(f"UPDATE users SET priv = 2 WHERE id = {member}")
    (row,) = (row for row in board() if row["id"] == second["id"])
    assert row["member_count"] == second["member_count"] - 1
    # A clan whose members are all hidden is gone, from the total within a minute.
    uncached.sql(f"UPDATE users SET priv = 2 WHERE clan_id = {first['id']}")
    assert first["id"] not in {row["id"] for row in board()}
    uncached.client.advance(FRESH_SECONDS)
    assert uncached.client.get("/v1/get_clan_leaderboard").json()["total"] == len(board())
