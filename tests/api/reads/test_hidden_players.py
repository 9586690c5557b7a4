"""Hidden players: in both versions, the response about one is the response about a player who does not exist."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.v2.test_v2 import table
from tests.conftest import Recorded, service
from tests.support import conformance

USERS = {row["id"]: row for row in table("users")}
VISIBLE = {id for id, row in USERS.items() if row["priv"] & 3 == 3}
# Version 1 accepts no id below 3.
HIDDEN = sorted(id for id in USERS.keys() - VISIBLE if id >= 3)
SCORES_OF_HIDDEN = [row["id"] for row in table("scores") if row["userid"] in HIDDEN]
WITH_REPLAY = [id for id in SCORES_OF_HIDDEN if (conformance.WORLD / "osr" / f"{id}.osr").exists()]
CLANS = table("clans")
NOBODY, NO_NAME, NO_SCORE = 2_000_000_000, "nobodyx", 2_000_000_000

BY_ID = (
    *(f"/v1/get_player_info?scope={scope}&id={{}}" for scope in ("info", "stats", "all")),
    "/v1/get_player_status?id={}",
    *(f"/v1/get_player_scores?scope={scope}&id={{}}" for scope in ("best", "recent")),
    "/v1/get_player_scores?scope=best&mods=rx&mode=3&id={}",
    "/v1/get_player_most_played?id={}",
    "/v2/players/{}",
    "/v2/players/{}?key=id",
    "/v2/players/{}?key=username",
    "/v2/players/{}/status",
    "/v2/players/{}/stats",
    "/v2/players/{}/stats?page=2&page_size=1",
    *(f"/v2/players/{{}}/stats/{mode}" for mode in (*range(9), -1, 99)),
    "/v2/players/{}/scores",
    "/v2/players/{}/scores?scope=recent",
    "/v2/players/{}/most_played",
    "/v2/scores?user_id={}",
    "/v2/scores?user_id={}&page=2&mode=0",
)
BY_NAME = (
    "/v1/search_players?q={}",
    "/v1/get_player_info?scope=all&name={}",
    "/v1/get_player_status?name={}",
    "/v1/get_player_scores?scope=best&name={}",
    "/v1/get_player_most_played?name={}",
    "/v2/players/search?q={}",
    "/v2/players/{}",
    "/v2/players/{}?key=id",
    "/v2/players/{}?key=username",
)
BY_SCORE = (
    "/v1/get_score_info?id={}",
    "/v1/get_replay?id={}",
    "/v1/get_replay?id={}&include_headers=false",
    "/v2/scores/{}",
    "/v2/scores/{}/replay",
)


def response(recorded: Recorded, path: str) -> tuple[int, Any]:
    answer = recorded.client.get(path)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("path", BY_ID)
def test_by_id(recorded: Recorded, path: str) -> None:
    expected = response(recorded, path.format(NOBODY))
    for id in HIDDEN:
        assert response(recorded, path.format(id)) == expected


@pytest.mark.parametrize("path", BY_NAME)
def test_by_name(recorded: Recorded, path: str) -> None:
    expected = response(recorded, path.format(NO_NAME))
    for id in HIDDEN:
        assert response(recorded, path.format(USERS[id]["name"])) == expected


@pytest.mark.parametrize("path", BY_SCORE)
def test_by_score(recorded: Recorded, path: str) -> None:
    expected = response(recorded, path.format(NO_SCORE))
    assert expected[0] == 404
    assert WITH_REPLAY
    for id in (*SCORES_OF_HIDDEN[:20], *WITH_REPLAY):
        assert response(recorded, path.format(id)) == expected


def test_a_hidden_player_has_no_stats(recorded: Recorded) -> None:
    empty = {"status": "success", "data": [], "meta": {"total": 0, "page": 1, "page_size": 50}}
    # The bot is hidden too.
    for id in (1, NOBODY, *HIDDEN):
        assert response(recorded, f"/v2/players/{id}/stats") == (200, empty)
        error = {"status": "error", "error": "Player stats not found."}
        assert response(recorded, f"/v2/players/{id}/stats/0") == (404, error)


@pytest.mark.parametrize("path", ["/v2/players/{}", "/v2/players/{}?key=id", "/v2/players/{}?key=username"])
def test_an_unknown_name_in_version_2(recorded: Recorded, path: str) -> None:
    error = {"status": "error", "error": "Player not found."}
    for name in (NO_NAME, "1_", "3.5", "%20", "+", USERS[HIDDEN[0]]["name"]):
        assert response(recorded, path.format(name)) == (404, error)


@pytest.mark.parametrize("resource", ["status", "stats", "stats/0", "scores", "most_played"])
def test_other_resources_of_a_player_require_an_id(recorded: Recorded, resource: str) -> None:
    status, body = response(recorded, f"/v2/players/{NO_NAME}/{resource}")
    assert status == 422
    assert [(error["type"], error["loc"]) for error in body["detail"]] == [("int_parsing", ["path", "player_id"])]


def test_a_hidden_owner_is_left_out_of_clans(recorded: Recorded) -> None:
    owners = {clan["id"]: clan["owner"] if clan["owner"] in VISIBLE else 0 for clan in CLANS}
    assert 0 in owners.values()
    _, clans = response(recorded, "/v2/clans")
    assert {clan["id"]: clan["owner"] for clan in clans["data"]} == owners
    for id, owner in owners.items():
        assert response(recorded, f"/v2/clans/{id}")[1]["data"]["owner"] == owner
        old = response(recorded, f"/v1/get_clan?id={id}")[1]["owner"]
        assert (old["id"] if old else 0) == owner


@pytest.fixture(scope="module")
def showing(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service with SHOW_HIDDEN_PLAYERS=true."""
    with service(database_url=recorded_sqlite, show_hidden_players="true") as client:
        yield client


def test_hidden_players_can_be_shown(showing: httpx2.Client) -> None:
    for id in HIDDEN:
        assert showing.get(f"/v2/players/{id}").json()["data"]["id"] == id
        stats = showing.get(f"/v2/players/{id}/stats").json()
        assert stats["meta"]["total"] == len(stats["data"]) > 0
        for row in stats["data"]:
            assert (row["id"], row["rank"], row["country_rank"]) == (id, None, None)
            assert showing.get(f"/v2/players/{id}/stats/{row['mode']}").json()["data"] == row


def test_hidden_owners_can_be_shown(showing: httpx2.Client) -> None:
    owners = {clan["id"]: clan["owner"] if clan["owner"] in USERS else 0 for clan in CLANS}
    assert {clan["id"]: clan["owner"] for clan in showing.get("/v2/clans").json()["data"]} == owners
    for id, owner in owners.items():
        assert showing.get(f"/v2/clans/{id}").json()["data"]["owner"] == owner
