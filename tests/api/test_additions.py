"""What the game server declares beyond what apidot serves: passed on as it came, and nothing else is."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from api.additions import MAX_LISTED, MAX_PATHS, MAX_TEMPLATES
from api.routes import ROUTES, additions_to_routes
from config.environment import settings_from
from storage.game_server.description import read_description
from tests.conftest import ServiceClient, service, signed
from tests.support.game_server import DOMAIN, GameServer, game_server

STOCK = Path(__file__).parents[1] / "storage" / "game_server" / "bancho_py_5_3_0.json"
SETTINGS = settings_from({"APP_PORT": "10000"}, Path("/srv"))
Parameter = dict[str, Any]


def query(name: str, schema: Any = None) -> Parameter:
    return {"name": name, "in": "query", "required": False, "schema": schema or {"type": "string"}}


def in_path(name: str, schema: Any = None) -> Parameter:
    return {"name": name, "in": "path", "required": True, "schema": schema or {"type": "integer"}}


def document(paths: dict[str, Any], **schemas: Any) -> bytes:
    """Return a description of these paths. A list stands for the parameters of GET."""
    items = {path: {"get": {"parameters": of}} if isinstance(of, list) else of for path, of in paths.items()}
    return json.dumps({"openapi": "3.1.0", "paths": items, "components": {"schemas": schemas}}).encode()


def added(document: bytes) -> str:
    """Return what is passed on to a game server with this description, as text."""
    return str(additions_to_routes(SETTINGS, read_description(document)))


SORT = {"enum": ["tscore", "rscore", "pp", "acc", "plays", "playtime", "replays_watched"]}
FORK = document(
    {
        # More parameters.
        "/v1/get_leaderboard": [
            query("page", {"type": "integer"}),
            query("sort", {"$ref": "#/components/schemas/Sort"}),
        ],
        "/v2/scores": [query("order", {"enum": ["asc", "desc"]}), query("mode")],
        "/v1/get_friends": [query("scope", {"anyOf": [{"const": "all"}, {"type": "null"}]}), query("id")],
        "/v1/get_score_info": [query("id"), query("b", {"type": "integer"})],
        "/v2/players/{id}/scores": [in_path("id"), query("pinned", {"type": "boolean"})],
        # More values.
        "/v1/get_player_scores": [query("scope", {"enum": ["recent", "best", "first", "pinned"]}), query("id")],
        "/v1/get_map_scores": [
            query("scope", {"allOf": [{"enum": ["recent", "best", "country"]}], "default": "best"})
        ],
        "/v2/leaderboards/{m}": [in_path("m", {"enum": [0, 1, 2, 3, "std"]})],
        # Paths that apidot would take for others.
        "/v2/players/friends": [query("page")],
        "/v2/maps/{map_id}/scores": [in_path("map_id")],
        "/v2/players/{id}/stats/total": [in_path("id")],
        "/v2/scores/{id}.osr": [in_path("id")],
        # Another method.
        "/v1/get_clan": {"post": {}, "get": {"parameters": [query("id")]}},
        # Of other hosts, and paths that are passed on in any case.
        "/get_leaderboard": [query("of_another_host")],
        "/web/get_leaderboard": [query("page")],
        "/v1/get_replay_views": [query("id")],
        "/v2/{anything}/search": [],
    },
    Sort=SORT,
)


class Forked(NamedTuple):
    """A fork, and a client of a service in front of it."""

    server: GameServer
    client: ServiceClient


@pytest.fixture(scope="module")
def running(recorded_sqlite: str) -> Iterator[Forked]:
    with game_server() as server:
        server.description = FORK
        server.own = {route for route in ROUTES if route.startswith("/v1/")}
        settings = {"database_url": recorded_sqlite, "game_server_url": server.url, "domain": DOMAIN}
        with service(**settings) as client:
            yield Forked(server, client)


@pytest.fixture
def fork(running: Forked) -> Forked:
    running.server.seen.clear()
    return running


def test_of_the_stock_game_server_nothing_is_passed_on() -> None:
    declared = read_description(STOCK.read_bytes())
    assert len(declared) == 26
    assert declared.keys() <= ROUTES.keys()
    assert {"sort", "mode", "limit", "offset", "country"} == declared["/v1/get_leaderboard"]["GET"].query.keys()
    assert not additions_to_routes(SETTINGS, declared)
    assert added(STOCK.read_bytes()) == ""


def test_what_is_passed_on_is_listed() -> None:
    assert added(FORK).split("; ") == [
        "/v2/players/friends",
        "/v2/players/{id}/stats/total",
        "/v2/scores/{id}.osr",
        "POST get_clan",
        "get_leaderboard with page, sort=replays_watched",
        "/v2/scores with order",
        "get_friends with id, scope",
        "get_score_info with b",
        "/v2/players/{player_id}/scores with pinned",
        "get_map_scores with scope=country",
        "/v2/leaderboards/{mode} with mode=std",
    ]


def test_endpoints_of_the_osu_api_that_a_fork_has_are_its_own() -> None:
    paths = {"/v1/get_user": [query("u")], "/v1/get_beatmaps": [query("q")], "/v1/get_match": [query("id")]}
    fork = document(paths | {"/get_scores": [query("b")]})
    additions = additions_to_routes(SETTINGS, read_description(fork))
    assert additions.paths == {"/api/get_user": "/v1/get_user"}
    assert added(fork) == "/v1/get_user"


@pytest.mark.parametrize(
    ("target", "reaches"),
    [
        ("/v1/get_leaderboard?page=2", ""),
        ("/v1/get_leaderboard?limit=10&page=%32&x=+a%20b", ""),
        ("/v1/get_leaderboard?sort=replays_watched", ""),
        ("/v1/get_leaderboard?page=2&limit=500", ""),
        # The database lacks the column.
        ("/v1/get_player_scores?scope=pinned&id=10", ""),
        ("/api/get_player_scores/?scope=pinned&id=10", "/v1/get_player_scores?scope=pinned&id=10"),
        ("/v1/get_player_scores?scope=pinned&name=a%20b&mode=0", ""),
        ("/v1/get_map_scores?scope=country&id=1", ""),
        ("/v1/get_score_info?b=1", ""),
        ("/v1/get_friends?scope=all&id=4", ""),
        ("/v2/scores?order=desc", ""),
        ("/v2/players/friends", ""),
        ("/v2/players/friends?page=2", ""),
        ("/v2/players/12/stats/total", ""),
        ("/v2/scores/12.osr", ""),
        ("/v2/players/12/scores?pinned=true", ""),
        ("/v2/leaderboards/std", ""),
        # Other forms of these paths.
        ("/get_leaderboard?page=2", "/v1/get_leaderboard?page=2"),
        ("/api/get_leaderboard?page=2", "/v1/get_leaderboard?page=2"),
        ("/api/v1/get_leaderboard/?page=2", "/v1/get_leaderboard?page=2"),
        ("/v1/get_leaderboard/?page=2", "/v1/get_leaderboard?page=2"),
        ("/api/v2/scores?order=desc", "/v2/scores?order=desc"),
        ("/v2/scores/?order=desc", "/v2/scores?order=desc"),
        ("/api/v2/players/friends/", "/v2/players/friends"),
        ("/api/v2/players/12/scores/?pinned=1", "/v2/players/12/scores?pinned=1"),
    ],
)
def test_a_request_for_what_the_fork_adds_reaches_it(fork: Forked, target: str, reaches: str) -> None:
    headers = signed("a key") | {"X-Of-A-Client": "1", "Cookie": "session=1"}
    answer = fork.client.get(target, headers=headers)
    assert answer.headers["x-fork"] == "yes"
    (seen,) = fork.server.seen
    assert (seen.method, seen.target) == ("GET", reaches or target)
    assert seen.values("authorization") == ["Bearer a key"]
    assert (seen.values("cookie"), seen.values("x-of-a-client")) == (["session=1"], ["1"])
    assert seen.values("host") == [f"api.{DOMAIN}"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/get_leaderboard", 200),
        ("/v1/get_leaderboard?Page=2", 200),
        ("/v1/get_leaderboard?page=", 200),
        ("/v1/get_leaderboard?country=my&unknown=1", 200),
        ("/v1/get_leaderboard?sort=pp", 200),
        ("/v1/get_leaderboard?sort=worst", 422),
        ("/v1/get_leaderboard?limit=abc", 422),
        ("/v1/get_leaderboard?limit=500", 422),
        ("/v1/get_leaderboard?page=2&limit=abc", 422),
        ("/v1/get_leaderboard?page=2&sort=worst", 422),
        ("/v1/get_leaderboard?page=2&" + "x" * 16_384, 414),
        ("/v1/get_player_scores?scope=first&id=12", 200),
        ("/v1/get_player_scores?scope=pinned&id=abc", 422),
        ("/v1/get_player_scores?scope=pinned&limit=1e3", 422),
        ("/v2/players/12/scores?scope=pinned", 422),
        ("/v1/get_player_scores?scope=second&id=10", 422),
        ("/v1/get_player_scores?scope=best&id=12", 200),
        ("/v1/get_score_info?b=1&id=x", 422),
        ("/v1/get_clan?id=1&b=1", 200),
        ("/v2/players/nobody/scores?pinned=1", 422),
        ("/v2/players/12/stats/best", 422),
        ("/v2/players/12/scores", 200),
        ("/v2/players/search?q=jax", 200),
        ("/v2/players/friend", 404),
        ("/v2/leaderboards/mania", 422),
        ("/v2/leaderboards/0", 200),
    ],
)
def test_every_other_request_is_answered_here(fork: Forked, target: str, status: int) -> None:
    answer = fork.client.get(target)
    assert (answer.status_code, answer.headers.get("x-fork")) == (status, None)
    assert not fork.server.seen


# What apidot has and the stock game server does not, by a request for it.
YIELDING = {
    "/v1/get_clan_leaderboard": "/v1/get_clan_leaderboard?sort=worst",
    "/v1/get_maps_info": "/v1/get_maps_info?id=78",
    "/v1/get_player_achievements": "/v1/get_player_achievements?id=3",
    "/v1/get_player_map_scores": "/v1/get_player_map_scores?id=3&map_id=78",
    "/v1/get_player_plays": "/v1/get_player_plays?id=3",
    "/v1/get_players_info": "/v1/get_players_info?id=3",
    "/v1/get_recent_scores": "/v1/get_recent_scores",
    "/v1/get_scores_info": "/v1/get_scores_info?id=1",
    "/v1/get_set_info": "/v1/get_set_info?id=6",
    "/v1/get_top_plays": "/v1/get_top_plays",
    "/v1/search_maps": "/v1/search_maps?q=an",
    "/v2/achievements": "/v2/achievements",
    "/v2/players/{user}/achievements": "/v2/players/3/achievements",
    "/v2/players/{user}/maps/{map_id}/scores": "/v2/players/3/maps/78/scores",
}


def test_every_name_that_yields_is_tried() -> None:
    routes = {route for route, endpoint in ROUTES.items() if endpoint.yields}
    assert routes == {path.replace("{user}", "{player_id}") for path in YIELDING}


@pytest.mark.parametrize("path", YIELDING)
def test_a_name_that_a_fork_has_already_stays_its_own(recorded_sqlite: str, path: str) -> None:
    assert added(document({path: []})) == path
    # Another method is not the same endpoint.
    assert added(document({path: {"post": {}}})).startswith("POST ")
    target = YIELDING[path]
    with game_server() as server:
        server.description = document({path: []})
        server.own = {target.partition("?")[0]}
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            for prefix in ("", "/api"):
                answer = client.get(prefix + target)
                assert answer.headers["x-fork"] == "yes"
            assert [seen.target for seen in server.seen] == [target, target]
            others = set(YIELDING.values()) - {target, YIELDING["/v1/get_clan_leaderboard"]}
            assert {client.get(other).status_code for other in others} == {200}
            assert len(server.seen) == 2


def test_a_parameter_that_a_fork_has_already_stays_its_own(recorded_sqlite: str) -> None:
    own = [query("page"), query("page_size"), query("sort", {"enum": ["pp", "rscore"]})]
    assert added(document({"/v2/clans": own})) == "/v2/clans with sort"
    with game_server() as server:
        server.description = document({"/v2/clans": own})
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            assert client.get("/v2/clans?page=2").json()["status"] == "success"
            assert not server.seen
            assert client.get("/v2/clans?sort=pp").headers["x-fork"] == "yes"


def test_methods_that_only_the_fork_has(fork: Forked) -> None:
    assert fork.client.post("/api/get_clan?x=1", content=b"body").headers["x-fork"] == "yes"
    (seen,) = fork.server.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/get_clan?x=1", b"body")
    assert fork.client.put("/v1/get_clan").status_code == 405
    assert fork.client.post("/v1/get_leaderboard").status_code == 405
    assert fork.client.head("/v1/get_leaderboard?page=2").headers["x-fork"] == "yes"
    assert [(seen.method, seen.target) for seen in fork.server.seen[1:]] == [
        ("HEAD", "/v1/get_leaderboard?page=2")
    ]


# Endpoints and parameters of our own that a fork has too.
SAME_NAMES = document(
    {
        "/v1/search_maps": [query("query")],
        "/v1/get_set_info": [query("set")],
        "/v1/get_players_info": [query("ids")],
        "/v1/get_scores_info": {"post": {}},
        "/v2/maps": [query("q"), query("set_id", {"type": "integer"})],
        "/v2/players/{id}/favourites": [in_path("id")],
    }
)


def test_a_name_that_a_fork_has_too_is_the_forks(recorded_sqlite: str) -> None:
    with game_server() as server:
        server.description = SAME_NAMES
        server.own = {route for route in ROUTES if route.startswith("/v1/")}
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            for target in (
                "/v1/search_maps?query=a",
                "/api/search_maps?q=an",
                "/get_set_info?id=1",
                "/v1/get_players_info?id=3&id=4",
                "/v2/maps?q=an",
                "/v2/maps?set_id=1&q=an&page=2",
            ):
                assert is_passed_on(client, target), target
            for target in (
                "/v1/get_maps_info?id=78",
                "/v1/get_scores_info?id=1",
                "/v2/maps?set_id=1",
                # That the fork does not declare.
                "/v2/maps?sort=plays",
                # In the game, a player's favourites are public: a request without a session gets them from here.
                "/v2/players/50/favourites",
            ):
                assert not is_passed_on(client, target), target


@pytest.mark.parametrize("path", ["/v2/players/50/favourites", "/api/v2/players/50/favourites/"])
def test_favourites_with_a_session_are_the_game_servers(recorded_sqlite: str, path: str) -> None:
    session = {"Cookie": "theme=dark; bancho_session=abc"}
    with (
        game_server() as server,
        service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client,
    ):
        own = client.get(path, headers={"Cookie": "theme=dark; not_bancho_session=1"})
        assert (own.status_code, own.headers["cache-control"]) == (200, "no-store")
        assert not server.seen
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert "x-fork" in client.request(method, path, headers=session).headers
        assert client.put("/v2/players/50/favourites/7", headers=session).headers["x-fork"] == "yes"
        assert [seen.method for seen in server.seen] == ["GET", "HEAD", "PUT", "DELETE", "PUT"]
        assert {seen.target.rstrip("/") for seen in server.seen[:4]} == {"/v2/players/50/favourites"}
    with service(database_url=recorded_sqlite) as alone:
        assert alone.get(path, headers=session).json() == own.json()


def test_without_a_game_server_all_of_it_is_answered_here(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, pass_on="/v1/get_clan") as client:
        assert client.get("/v1/get_player_scores?scope=pinned&id=10").status_code == 422
        assert client.get("/v2/players/friends").status_code == 404
        assert client.get("/v1/get_leaderboard?page=2").status_code == 200
        assert client.get("/v1/get_clan?id=1").status_code == 200


@pytest.mark.parametrize("settings", [{"learn_fork": "false"}, {"passthrough": "false"}])
def test_turned_off(recorded_sqlite: str, settings: dict[str, str]) -> None:
    with game_server() as server:
        server.description = FORK
        with service(database_url=recorded_sqlite, game_server_url=server.url, **settings) as client:
            assert client.get("/v1/get_player_scores?scope=pinned&id=10").status_code == 422
            assert client.get("/v1/get_leaderboard?page=2").status_code == 200
        assert server.asked["/openapi.json"] == 0
        assert not server.seen


def test_paths_that_the_operator_lists(recorded_sqlite: str) -> None:
    listed = "/v1/get_leaderboard, /v2/scores/,/v2/players/{id}/status,/get_clan,/docs"
    with game_server() as server:
        server.own = {"/v1/get_leaderboard", "/get_clan", "/docs"}
        settings = {"game_server_url": server.url, "pass_on": listed, "learn_fork": "false"}
        with service(database_url=recorded_sqlite, **settings) as client:
            for target in (
                "/v1/get_leaderboard",
                "/api/get_leaderboard/?limit=abc",
                "/api/v2/scores?page=0",
                "/v2/players/12/status",
                "/v1/get_clan?id=1",
                "/docs",
            ):
                client.get(target)
            client.post("/v1/get_leaderboard", content=b"x")
            assert client.get("/v1/get_clan_members").status_code == 404
            assert client.get("/v2/scores/12").json()["status"] in ("success", "error")
        targets = [(seen.method, seen.target) for seen in server.seen]
        assert server.asked["/v2/players/12/status"] == 1
    assert targets == [
        ("GET", "/v1/get_leaderboard"),
        ("GET", "/v1/get_leaderboard?limit=abc"),
        ("GET", "/v2/scores/?page=0"),
        ("GET", "/get_clan?id=1"),
        ("GET", "/docs"),
        ("POST", "/v1/get_leaderboard"),
    ]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the service has noticed something. Raise AssertionError after 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_asked_again(server: GameServer, asked: int) -> bool:
    return server.asked["/openapi.json"] > asked


def is_passed_on(client: httpx2.Client, target: str) -> bool:
    return "x-fork" in client.get(target).headers


def test_a_document_that_changes(recorded_sqlite: str) -> None:
    with game_server() as server:
        server.own = {"/v1/get_leaderboard", "/v1/get_clan"}
        server.description = STOCK.read_bytes()
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            assert not is_passed_on(client, "/v1/get_leaderboard?page=2")
            server.description = document({"/v1/get_leaderboard": [query("page")]})
            client.advance(590)
            # This one is answered from the cache all the time, others never.
            kept = "/v1/get_leaderboard?page=2"
            assert not is_passed_on(client, kept)
            client.advance(10)
            others = (f"/v1/get_leaderboard?page={number}" for number in count(3))
            eventually(lambda: is_passed_on(client, kept) or is_passed_on(client, next(others)))
            assert is_passed_on(client, kept)
            # What it declared last counts as long as there is nothing better.
            for broken in (b'{"paths":' + b"[" * 100_000, None):
                server.description = broken
                asked = server.asked["/openapi.json"]
                client.advance(600)
                eventually(partial(is_asked_again, server, asked))
                assert is_passed_on(client, kept)
            server.description = document({"/v1/get_clan": [query("page")]})
            client.advance(600)
            eventually(lambda: not is_passed_on(client, kept))
            assert is_passed_on(client, "/v1/get_clan?id=1&page=2")


def test_a_game_server_that_starts_later(recorded_sqlite: str) -> None:
    with game_server() as server:
        server.own = {"/v1/get_leaderboard"}
        server.description = FORK
        server.stop()
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            assert client.get("/v1/get_leaderboard?page=2").status_code == 200
            server.start()
            client.advance(15)
            eventually(lambda: is_passed_on(client, "/v1/get_leaderboard?page=2"))


def test_a_long_document(recorded_sqlite: str) -> None:
    paths = {f"/web/{number}": [query("x" * 100)] for number in range(16_000)}
    long = document(paths | {"/v1/get_leaderboard": [query("page")]})
    assert 3_000_000 < len(long) < 4 * 1024 * 1024
    with game_server() as server:
        server.own = {"/v1/get_leaderboard"}
        server.description = long
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            eventually(lambda: is_passed_on(client, "/v1/get_leaderboard?page=2"))
        server.description = long + b" " * 4 * 1024 * 1024
        with service(database_url=recorded_sqlite, game_server_url=server.url, domain=DOMAIN) as client:
            assert client.get("/v1/get_leaderboard?page=2").json()["status"] == "success"


def test_a_game_server_that_hangs_does_not_hold_up_the_start(recorded_sqlite: str) -> None:
    with game_server() as server:
        server.mode = "hung"
        with service(database_url=recorded_sqlite, game_server_url=server.url) as client:
            assert client.get("/v1/get_leaderboard?page=2").status_code == 200


def test_the_number_of_additions_is_bounded() -> None:
    paths: dict[str, Any] = {f"/v2/players/p{number}": [] for number in range(9_000)}
    templates: dict[str, Any] = {f"/v2/players/{{id}}/stats/s{number}": [] for number in range(900)}
    parameters = [query(f"p{number}") for number in range(1000)]
    values = [query("sort", {"enum": list(range(100_000))})]
    found = additions_to_routes(
        SETTINGS,
        read_description(document(paths | templates | {"/v2/scores": parameters, "/v1/get_leaderboard": values})),
    )
    assert (len(found.paths), len(found.templates)) == (MAX_PATHS, MAX_TEMPLATES)
    assert {len(addition.names) + len(addition.values) for addition in found.operations.values()} == {100}
    assert str(found).endswith(f"; and {MAX_PATHS + MAX_TEMPLATES + 2 - MAX_LISTED} more")
    assert len(str(found)) < 1000


@pytest.mark.parametrize(
    "name", ["a b", "a\nlevel=error", "\x1b[31m", "a;b", "", "x" * 101, "é", "a\u202eb", "a,b"]
)
def test_names_that_could_deceive_are_left_out(name: str) -> None:
    values = query("sort", {"enum": [name]})
    is_value = name and name.isprintable() and len(name) <= 100
    assert added(document({"/v1/get_clan": [query(name)]})) == ""
    assert added(document({f"/v2/players/{name}": []})) == ""
    assert added(document({"/v1/get_leaderboard": [values]})) == (
        f"get_leaderboard with sort={name}" if is_value else ""
    )
