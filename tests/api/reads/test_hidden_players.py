"""Hidden players: in both versions, the response about one is the response about a player who does not exist."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.v2.test_v2 import table
from tests.conftest import IDS, Playground, Recorded, service, signed
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
    *(f"/v1/get_player_scores?scope={scope}&id={{}}" for scope in ("best", "recent", "first")),
    "/v1/get_player_scores?scope=best&mods=rx&mode=3&id={}",
    "/v1/get_player_map_scores?id={}&map_id=78",
    "/v1/get_player_most_played?id={}",
    "/v1/get_player_plays?id={}",
    "/v1/get_player_achievements?id={}",
    "/v1/get_leaderboard?around={}",
    "/v2/players/{}",
    "/v2/players/{}?key=id",
    "/v2/players/{}?key=username",
    "/v2/players/{}/status",
    "/v2/players/{}/stats",
    "/v2/players/{}/stats?page=2&page_size=1",
    *(f"/v2/players/{{}}/stats/{mode}" for mode in (*range(9), -1, 99)),
    "/v2/players/{}/scores",
    "/v2/players/{}/scores?scope=recent",
    "/v2/players/{}/scores?scope=first",
    "/v2/players/{}/maps/78/scores",
    "/v2/players/{}/most_played",
    "/v2/players/{}/favourites",
    "/v1/get_players_info?id={}",
    "/v1/get_players_info?id=3&id={}",
    "/v2/players/{}/achievements",
    "/v2/scores?user_id={}",
    "/v2/scores?user_id={}&page=2&mode=0",
)
BY_NAME = (
    "/v1/search_players?q={}",
    "/v1/get_player_info?scope=all&name={}",
    "/v1/get_player_status?name={}",
    "/v1/get_player_scores?scope=best&name={}",
    "/v1/get_player_map_scores?name={}&map_id=78",
    "/v1/get_player_most_played?name={}",
    "/v1/get_player_plays?name={}",
    "/v1/get_player_achievements?name={}",
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


# Headers that differ between any two responses.
UNIQUE = {"date", "x-request-id"}


def response(recorded: Recorded, path: str) -> tuple[int, Any]:
    answer = recorded.client.get(path)
    return answer.status_code, answer.json()


def everything(client: httpx2.Client, path: str, **headers: str) -> list[Any]:
    """Return all that a client can see of the responses to GET and HEAD."""
    seen = []
    for method in ("GET", "HEAD"):
        answer = client.request(method, path, headers=headers)
        shown = {(name, value) for name, value in answer.headers.multi_items() if name not in UNIQUE}
        seen.append((answer.status_code, answer.content, shown))
    return seen


@pytest.mark.parametrize("path", BY_ID)
def test_by_id(recorded: Recorded, path: str) -> None:
    expected = everything(recorded.client, path.format(NOBODY))
    for id in HIDDEN:
        assert everything(recorded.client, path.format(id)) == expected


@pytest.mark.parametrize("path", BY_NAME)
def test_by_name(recorded: Recorded, path: str) -> None:
    expected = everything(recorded.client, path.format(NO_NAME))
    for id in HIDDEN:
        for name in {USERS[id]["name"], USERS[id]["name"].upper(), USERS[id]["safe_name"]}:
            assert everything(recorded.client, path.format(name)) == expected


@pytest.mark.parametrize("path", BY_SCORE)
def test_by_score(recorded: Recorded, path: str) -> None:
    expected = everything(recorded.client, path.format(NO_SCORE))
    assert expected[0][0] == 404
    assert WITH_REPLAY
    for id in (*SCORES_OF_HIDDEN[:20], *WITH_REPLAY):
        assert everything(recorded.client, path.format(id)) == expected
    for headers in ({"Range": "bytes=0-10"}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
        for id in WITH_REPLAY:
            assert everything(recorded.client, path.format(id), **headers) == expected


@pytest.mark.parametrize("path", ["/v1/get_scores_info?id={}", "/v1/get_scores_info?id=1&id={}"])
def test_in_a_list_of_scores(recorded: Recorded, path: str) -> None:
    expected = everything(recorded.client, path.format(NO_SCORE))
    assert expected[0][0] == 200
    for id in (*SCORES_OF_HIDDEN[:20], *WITH_REPLAY):
        assert everything(recorded.client, path.format(id)) == expected


# Filters of version 2 that hidden players match.
FILTERS = ("priv", "country", "clan_id", "clan_priv", "preferred_mode", "play_style")


@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_finds_a_hidden_player(recorded: Recorded, name: str) -> None:
    for value in {str(USERS[id][name]) for id in HIDDEN}:
        _, found = response(recorded, f"/v2/players?{name}={value}&page_size=100")
        matching = {id for id in VISIBLE if str(USERS[id][name]) == value}
        assert {player["id"] for player in found["data"]} <= matching
        assert found["meta"]["total"] == len(matching)


def test_a_key_does_not_show_more(recorded: Recorded) -> None:
    for key, id in IDS.items():
        for path in BY_ID:
            answer = recorded.client.get(path.format(HIDDEN[0]), headers=signed(key))
            nobody = recorded.client.get(path.format(NOBODY), headers=signed(key))
            assert (answer.status_code, answer.content) == (nobody.status_code, nobody.content), id


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


def test_a_player_who_becomes_hidden(world: Playground) -> None:
    templates = [(path, 12, NOBODY) for path in BY_ID] + [(path, "Jaxtal66314", NO_NAME) for path in BY_NAME]
    before = [world.client.get(path.format(player)) for path, player, _ in templates]
    etags = [answer.headers.get("etag", "") for answer in before]
    assert sum(answer.status_code == 200 for answer in before) > 20
    world.sql("UPDATE users SET priv = priv & ~1 WHERE id = 12")
    try:
        # Totals of lists are counted at most once a minute.
        world.client.advance(120)
        for (path, player, nobody), etag in zip(templates, etags, strict=True):
            for headers in ({}, {"If-None-Match": etag}):
                expected = everything(world.client, path.format(nobody), **headers)
                assert everything(world.client, path.format(player), **headers) == expected
    finally:
        world.sql("UPDATE users SET priv = priv | 1 WHERE id = 12")


def test_a_replay_that_cannot_be_read(world: Playground) -> None:
    hidden, visible = (
        next(row["id"] for row in table("scores") if (row["userid"] in VISIBLE) == shown)
        for shown in (False, True)
    )
    folder = world.data / "osr"
    folder.mkdir(exist_ok=True)
    for id in (hidden, visible):
        # Root may read every file, but not a link to itself.
        (folder / f"{id}.osr").symlink_to(f"{id}.osr")
    for path in (path for path in BY_SCORE if "replay" in path):
        assert everything(world.client, path.format(hidden)) == everything(world.client, path.format(NO_SCORE))
        assert world.client.get(path.format(visible)).status_code == 503
