"""get_match and get_replay are names of version 1 too, and get_beatmaps is one of a fork."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from api.request.osu_v1 import OF_FORKS, V1_PREFIXES
from tests.conftest import service
from tests.support import conformance
from tests.support.game_server import GameServer, game_server, match

# Requests that mean the endpoints of version 1, or lack a parameter for both.
OF_V1 = (
    *("get_match?id=0", "get_match?id=63", "get_match?id=64", "get_match?id=x", "get_match?id=", "get_match"),
    *("get_match?id=0&mp=1", "get_match?mp=1&id=x", "get_match?m=1", "get_match?%69d=0&mp=1", "get_match?mp%3d=1"),
    *("get_replay?id=805", "get_replay?id=805&include_headers=false", "get_replay?id=806", "get_replay?id=x"),
    *("get_replay?id=805&s=1", "get_replay?s=805&id=1", "get_replay?b=78&u=50&id=805", "get_replay?id="),
    *(
        "get_replay",
        "get_replay?k=x",
        "get_replay?b=78",
        "get_replay?u=50&m=0",
        "get_replay?include_headers=false",
    ),
)
VARYING = {"date", "x-request-id", "age"}


@pytest.fixture(scope="module")
def game() -> Iterator[GameServer]:
    with game_server() as game:
        game.matches = {0: match("demo", (3, "name"))}
        yield game


@pytest.fixture(scope="module")
def both(recorded_sqlite: str, game: GameServer) -> Iterator[tuple[httpx2.Client, httpx2.Client]]:
    """A service with the osu! API v1, and one without."""
    settings = {
        "database_url": recorded_sqlite,
        "data_directory": str(conformance.WORLD),
        "game_server_url": game.url,
    }
    with service(**settings) as with_it, service(**settings, osu_api_v1="false") as without:
        yield with_it, without


@pytest.mark.parametrize("request_", OF_V1)
def test_requests_for_version_1_have_the_same_response(
    both: tuple[httpx2.Client, httpx2.Client], request_: str
) -> None:
    for prefix in V1_PREFIXES:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            with_it, without = (client.request(method, f"{prefix}{request_}") for client in both)
            assert (with_it.status_code, with_it.content) == (without.status_code, without.content)
            headers = [
                {name: value for name, value in answer.headers.items() if name not in VARYING}
                for answer in (with_it, without)
            ]
            assert headers[0] == headers[1]


@pytest.mark.parametrize(
    "request_",
    [
        *("get_match?mp=1", "get_match?mp=", "get_match?mp=1&id=", "get_match?id&mp=1"),
        *("get_replay?s=805", "get_replay?s=x", "get_replay?id=&s=805", "get_replay?u=50&b=78&id="),
        *("get_replay?s=", "get_replay?s=805&id=805&id="),
    ],
)
def test_requests_that_were_wrong_are_those_of_the_osu_api(
    both: tuple[httpx2.Client, httpx2.Client], request_: str
) -> None:
    with_it, without = (client.get(f"/api/{request_}") for client in both)
    assert (with_it.status_code, without.status_code) == (200, 422)


def test_get_beatmaps_of_a_fork_is_passed_on(both: tuple[httpx2.Client, httpx2.Client], game: GameServer) -> None:
    with_it, _ = both
    for parameter in sorted(OF_FORKS):
        game.asked.clear()
        answer = with_it.get(f"/v1/get_beatmaps?{parameter}=1&limit=2")
        assert game.asked[f"/v1/get_beatmaps?{parameter}=1&limit=2"] == 1
        assert answer.status_code == 404
        # An empty one is absent.
        assert len(with_it.get(f"/v1/get_beatmaps?{parameter}=&limit=2").json()) == 2


def test_without_a_game_server_all_of_get_beatmaps_is_served(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client:
        for parameter in sorted(OF_FORKS):
            assert len(client.get(f"/v1/get_beatmaps?{parameter}=1&limit=2").json()) == 2


def test_without_the_osu_api_its_requests_are_passed_on(
    both: tuple[httpx2.Client, httpx2.Client], game: GameServer
) -> None:
    _, without = both
    for path in ("/api/get_user?u=3", "/v1/get_scores?b=1", "/get_beatmaps?b=1"):
        game.asked.clear()
        assert without.get(path).status_code == 404
        assert game.asked[path] == 1
    paths = without.get("/openapi.json").json()["paths"]
    assert "/v1/get_match" in paths
    assert "/api/get_match" not in paths


def test_an_operator_may_pass_an_endpoint_on(recorded_sqlite: str, game: GameServer) -> None:
    with service(database_url=recorded_sqlite, game_server_url=game.url, pass_on="/v1/get_beatmaps") as client:
        for path in ("/v1/get_beatmaps?b=1", "/api/get_beatmaps?b=1", "/api//get_beatmaps/?b=1"):
            game.asked.clear()
            client.get(path)
            assert game.asked["/v1/get_beatmaps?b=1"] == 1
        assert client.get("/api/get_user?u=50").json()[0]["user_id"] == "50"


def test_an_endpoint_that_a_fork_declares_stays_its_own(recorded_sqlite: str, game: GameServer) -> None:
    item = {"get": {"parameters": [{"name": "u", "in": "query", "schema": {"type": "string"}}]}}
    game.description = json.dumps({"openapi": "3.1.0", "paths": {"/v1/get_user": item}}).encode()
    with service(database_url=recorded_sqlite, game_server_url=game.url) as client:
        for path in ("/v1/get_user?u=50", "/api//get_user/?u=50"):
            game.asked.clear()
            client.get(path)
            assert game.asked["/v1/get_user?u=50"] == 1
        assert client.get("/api/get_user_best?u=50").json()
    game.description = None
