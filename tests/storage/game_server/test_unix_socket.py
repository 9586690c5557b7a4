"""A game server that listens on a Unix socket, as older ones do by default."""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.test_check import COUNT, ONLINE
from tests.conftest import ROOT, ServiceClient, running, service
from tests.support.checks import check
from tests.support.game_server import DOMAIN, GameServer, game_server, match
from tests.support.http_stub import Answer, answering

# Connects to the socket as a user who may not: prints the state for the start report, and the findings of `check`.
AS_ANOTHER_USER = """
import asyncio, json, os, sys
# Before the user changes, who may not read the packages.
import aiohttp
from contextlib import AsyncExitStack
from pathlib import Path
from api.dependencies import game_server_state
from api.startup import open_game_server
from checks.game_server import run
from config.environment import settings_from

async def main():
    settings = settings_from({"APP_HOST": sys.argv[1]}, Path("/srv"))
    async with AsyncExitStack() as stack:
        server = open_game_server(settings, stack)
        state = await game_server_state(settings, server)
        findings = await run(server, settings, demo=False)
    print(json.dumps([state.description, [[each.code, each.text] for each in findings]]))

if os.getuid() == 0:
    os.setuid(65534)
asyncio.run(main())
"""


@pytest.fixture
def socket() -> Iterator[Path]:
    # The folders of pytest have longer names than a socket may have.
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        yield Path(folder, "bancho.sock")


@pytest.fixture
def server(socket: Path) -> Iterator[GameServer]:
    with game_server(socket=socket) as server:
        yield server


def get(client: ServiceClient, path: str, status: int = 200) -> object:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("name", ["server_addr", "app_host", "game_server_url"])
def test_everything_live_comes_through_the_socket(server: GameServer, recorded_sqlite: str, name: str) -> None:
    server.matches[1] = match("m", (12, "Jaxtal66314"))
    settings = {name: server.url if name == "game_server_url" else str(server.socket), "server_port": ""}
    with running(database_url=recorded_sqlite, domain=DOMAIN, cache="off", **settings) as (client, process):
        assert f"game server   unix:{server.socket}\n" in process.output()
        assert client.get("/v1/get_player_count").json()["counts"]["online"] == 2
        assert [player["id"] for player in client.get("/v1/online").json()["players"]] == [5, 12]
        assert client.get("/v1/get_player_status?id=12").json()["player_status"]["online"] is True
        assert client.get("/v1/get_match?id=1").json()["match"]["name"] == "m"
        assert [each["name"] for each in client.get("/v1/get_matches").json()["matches"]] == ["m"]
        assert client.get("/v2/players/12/status").json()["data"]["action"] == 2
        assert client.get("/v2/server/stats").json()["data"]["online_players"] == 2
        assert client.get("/health/ready").json()["neighbours"]["game_server"] == {"state": "up"}


def test_requests_are_passed_on_through_the_socket(server: GameServer, recorded_sqlite: str) -> None:
    body = b"x" * 3_000_000
    with service(database_url=recorded_sqlite, app_host=str(server.socket)) as client:
        answer = client.post("/fork/echo?a=%20b", content=body, headers={"Host": "api.fork.test"})
        assert answer.json() == {"method": "POST", "sha256": hashlib.sha256(body).hexdigest()}
        (seen,) = server.seen
        assert (seen.target, seen.body, seen.values("host")) == ("/fork/echo?a=%20b", body, ["api.fork.test"])
        server.stop()
        answer = client.post("/fork/echo", content=body)
        assert (answer.status_code, answer.json()) == (502, {"status": "Game server cannot be reached."})
        server.start()
        assert client.get("/fork/echo").status_code == 200


def test_what_a_fork_adds_is_learned_through_the_socket(server: GameServer, recorded_sqlite: str) -> None:
    parameters = [{"name": "page", "in": "query"}]
    server.description = json.dumps({"paths": {"/v1/get_clan": {"get": {"parameters": parameters}}}}).encode()
    server.own = {"/v1/get_clan"}
    with running(database_url=recorded_sqlite, app_host=str(server.socket)) as (client, process):
        assert "passed on     get_clan with page\n" in process.output()
        assert client.get("/v1/get_clan?id=1&page=2").headers["x-fork"] == "yes"


def test_a_socket_that_does_not_exist_or_refuses(socket: Path, recorded_sqlite: str, tmp_path: Path) -> None:
    with running(database_url=recorded_sqlite, server_addr=str(socket)) as (client, process):
        assert f"unix:{socket} NOT REACHED (there is no such socket)" in process.output()
        assert client.get("/v1/get_player_count").json()["counts"]["online"] == 0
        assert client.get("/v1/get_matches").json()["matches"] == []
        findings = check(tmp_path, database_url=recorded_sqlite, server_addr=str(socket))
        assert findings.codes("game-server") == {"game-server.down": "warning"}
        assert "there is no such socket" in findings.text("game-server.down")
        # What a game server leaves behind that was killed.
        socket.touch()
        client.advance(5)
        assert client.get("/v1/get_player_count").json()["counts"]["online"] == 0
        findings = check(tmp_path, database_url=recorded_sqlite, server_addr=str(socket))
        assert "connection refused" in findings.text("game-server.down")


def test_a_socket_without_permission(server: GameServer) -> None:
    assert server.socket
    server.socket.chmod(0)
    command = [sys.executable, "-c", AS_ANOTHER_USER, str(server.socket)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    description, findings = json.loads(run.stdout)
    assert description == f"unix:{server.socket} NOT PERMITTED: the user of apidot must have access to it"
    ((code, text),) = findings
    assert code == "game-server.permission"
    assert "permission denied" in text


def test_the_check_of_a_game_server_on_a_socket(server: GameServer, recorded_sqlite: str, tmp_path: Path) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, server_addr=str(server.socket), domain=DOMAIN)
    assert set(findings.codes("game-server").values()) == {"ok"}
    assert findings.text("game-server.api").startswith(f"unix:{server.socket} answers; 3 online")


def test_an_address_with_its_port(recorded_sqlite: str, tmp_path: Path) -> None:
    def answer(asked: object) -> Answer:
        return Answer(200, ONLINE if "/online" in str(asked) else COUNT)

    with answering(answer) as port:
        for address in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}/", f"0.0.0.0:{port}"):
            findings = check(tmp_path, database_url=recorded_sqlite, app_host=address)
            assert findings.text("game-server.api").startswith(f"http://127.0.0.1:{port} answers")
