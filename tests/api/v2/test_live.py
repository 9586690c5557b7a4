"""Version 2 beside a game server: who is online, and which requests are passed on."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.conftest import service
from tests.support.game_server import DOMAIN, GameServer, game_server

PLAYING, IDLING, LEFT, HIDDEN, AWAY = 12, 5, 57, 134, 130
# Paths that this service serves, and others that only the game server serves.
OURS = ("players/3", "players/search", "maps/78/rating", "scores/1/", "players/3/stats/0")
THEIRS = ("sessions", "sessions/current", "players/3/friends/4", "players/3/avatar", "accounts")
WRITES = ("POST", "PATCH", "PUT", "DELETE")


@pytest.fixture(scope="module")
def running(recorded_sqlite: str) -> Iterator[tuple[GameServer, httpx2.Client]]:
    settings = {"database_url": recorded_sqlite, "domain": DOMAIN, "passthrough_max_body": "1000", "cache": "off"}
    with game_server() as server, service(game_server_url=server.url, **settings) as client:
        yield server, client


@pytest.fixture
def server(running: tuple[GameServer, httpx2.Client]) -> GameServer:
    running[0].seen.clear()
    return running[0]


@pytest.fixture
def client(running: tuple[GameServer, httpx2.Client]) -> httpx2.Client:
    running[1].cookies.clear()
    return running[1]


def data(client: httpx2.Client, path: str) -> Any:
    answer = client.get(f"/v2/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_players_who_are_online(client: httpx2.Client) -> None:
    assert data(client, "server/stats")["online_players"] == 2
    song = {"action": 2, "info_text": "t+pazolite - Endless 之歌 [Hard]", "mode": 0, "mods": 72, "beatmap_id": 78}
    assert data(client, f"players/{PLAYING}/status") == {"login_time": 1795456424, **song}
    assert type(client.get(f"/v2/players/{PLAYING}/status").json()["data"]["login_time"]) is int
    idle = {"action": 0, "info_text": "", "mode": 0, "mods": 0, "beatmap_id": 0}
    assert data(client, f"players/{IDLING}/status") == {"login_time": 1795456425, **idle}


@pytest.mark.parametrize("id", [LEFT, HIDDEN, AWAY, 1])
def test_players_who_are_not_online(client: httpx2.Client, id: int) -> None:
    answer = client.get(f"/v2/players/{id}/status")
    assert (answer.status_code, answer.json()) == (404, {"status": "error", "error": "Player status not found."})


@pytest.mark.parametrize("prefix", ["/v2/", "/api/v2/"])
@pytest.mark.parametrize("path", [*OURS, *THEIRS])
@pytest.mark.parametrize("method", WRITES)
def test_writes_are_passed_on(
    server: GameServer, client: httpx2.Client, method: str, path: str, prefix: str
) -> None:
    headers = {"Cookie": "bancho_session=secret; other=1", "Content-Type": "application/json"}
    answer = client.request(method, f"{prefix}{path}?a=%20b", headers=headers, content=b'{"a": 1}')
    assert answer.json()["method"] == method
    assert answer.headers.get_list("set-cookie") == ["one=1; Path=/", "two=2; HttpOnly"]
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == (method, f"/v2/{path}?a=%20b", b'{"a": 1}')
    assert seen.values("cookie") == ["bancho_session=secret; other=1"]
    assert seen.values("host") == [f"api.{DOMAIN}"]


@pytest.mark.parametrize("path", THEIRS)
def test_reads_of_other_paths_are_passed_on_with_the_cookie(
    server: GameServer, client: httpx2.Client, path: str
) -> None:
    assert client.get(f"/v2/{path}", headers={"Cookie": "bancho_session=secret"}).json()["method"] == "GET"
    assert [seen.values("cookie") for seen in server.seen] == [["bancho_session=secret"]]


@pytest.mark.parametrize("path", OURS)
def test_reads_of_our_paths_are_not_passed_on(server: GameServer, client: httpx2.Client, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = client.request(method, f"/v2/{path}?q=re", headers={"Cookie": "bancho_session=secret"})
        assert answer.status_code == (204 if method == "OPTIONS" else 200)
        assert "set-cookie" not in answer.headers
    assert server.seen == []


def test_a_write_that_cannot_be_passed_on_is_an_error_in_the_envelope(
    server: GameServer, client: httpx2.Client
) -> None:
    answer = client.put("/v2/players/3/avatar", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["status"]) == (413, "error")
    server.stop()
    try:
        for path in ("/v2/players/3", "/v2/sessions"):
            answer = client.patch(path, content=b"{}")
            expected = {"status": "error", "error": "Game server cannot be reached."}
            assert (answer.status_code, answer.json()) == (502, expected)
    finally:
        server.start()


def test_without_passthrough(recorded_sqlite: str) -> None:
    with game_server() as server:
        settings = {"game_server_url": server.url, "passthrough": "false"}
        with service(database_url=recorded_sqlite, **settings) as client:
            for path in OURS:
                answer = client.patch(f"/v2/{path}", content=b"{}")
                assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
            assert client.post("/v2/sessions").status_code == 404
        assert server.seen == []
