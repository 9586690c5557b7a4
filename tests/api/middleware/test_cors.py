"""CORS: which responses browsers let scripts of other sites read."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
import pytest
from starlette.testclient import TestClient

from api.app import build
from api.services import Services
from config.settings import Settings
from storage.deadlines import Deadlines
from tests.conftest import service
from tests.support.game_server import DOMAIN, game_server

OWN, OTHER = "https://web.example.test", "https://other.test"
# One path for each kind of response: 200, 400, 404, 422, 503, and one from the game server.
PATHS = {
    "/v1/get_player_info?scope=info&id=3": 200,
    "/v1/get_player_info?scope=info": 400,
    "/v1/get_player_info?scope=info&id=9": 404,
    "/v1/get_player_info?scope=x": 422,
    "/v1/get_player_status?id=12": 503,
    "/fork/cors": 200,
}


@contextmanager
def running(database: str, **settings: str) -> Iterator[httpx2.Client]:
    with game_server() as server:
        # The player is online, and the status is malformed.
        server.statuses[12] = {}
        settings |= {"database_url": database, "game_server_url": server.url, "domain": DOMAIN}
        with service(**settings) as client:
            yield client


def allowed(answer: httpx2.Response) -> tuple[list[str], list[str]]:
    """Return the values of Allow-Origin and Allow-Credentials. Browsers refuse more than one of each."""
    prefix = "access-control-allow-"
    return answer.headers.get_list(f"{prefix}origin"), answer.headers.get_list(f"{prefix}credentials")


def preflight(client: httpx2.Client, path: str, origin: str) -> httpx2.Response:
    headers = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, x-own"}
    return client.options(path, headers={"Origin": origin} | headers)


@pytest.fixture(scope="module")
def any_origin(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    with running(recorded_sqlite) as client:
        yield client


@pytest.fixture(scope="module")
def listed(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    with running(recorded_sqlite, cors_origins=f"{OWN}/, https://second.test") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{}, {"Origin": OTHER}, {"Origin": OWN, "Cookie": "bancho_session=x"}])
def test_every_origin_may_read_every_response(
    any_origin: httpx2.Client, path: str, headers: dict[str, str]
) -> None:
    answer = any_origin.get(path, headers=headers)
    assert answer.status_code == PATHS[path]
    assert allowed(answer) == (["*"], [])
    assert "origin" not in answer.headers.get("vary", "").lower()
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"content-disposition", "etag", "retry-after", "ratelimit-remaining"} <= set(exposed)


@pytest.mark.parametrize("path", ["/v1/get_player_info", "/fork/cors"])
def test_preflight(any_origin: httpx2.Client, path: str) -> None:
    answer = preflight(any_origin, path, OTHER)
    assert (answer.status_code, answer.content) == (204, b"")
    assert allowed(answer) == (["*"], [])
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization, x-own"


@pytest.mark.parametrize("path", PATHS)
def test_a_listed_origin_may_send_credentials(listed: httpx2.Client, path: str) -> None:
    answer = listed.get(path, headers={"Origin": OWN})
    assert answer.status_code == PATHS[path]
    assert allowed(answer) == ([OWN], ["true"])
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [OTHER, "null", f"{OWN}.evil.test", None])
def test_other_origins_may_not_read_responses(listed: httpx2.Client, path: str, origin: str | None) -> None:
    answer = listed.get(path, headers={"Origin": origin} if origin else {})
    assert answer.status_code == PATHS[path]
    assert allowed(answer) == ([], [])
    assert "Origin" in answer.headers["vary"]


def test_preflights_of_a_listed_and_another_origin(listed: httpx2.Client) -> None:
    assert allowed(preflight(listed, "/v1/online", OWN)) == ([OWN], ["true"])
    assert allowed(preflight(listed, "/v1/online", OTHER)) == ([], [])


def test_every_origin_and_one_with_credentials(recorded_sqlite: str) -> None:
    with running(recorded_sqlite, cors_origins=f"*,{OWN}") as client:
        assert allowed(client.get("/v1/online", headers={"Origin": OWN})) == ([OWN], ["true"])
        assert allowed(client.get("/v1/online", headers={"Origin": OTHER})) == (["*"], [])


def test_with_cors_off_no_headers_are_added(recorded_sqlite: str) -> None:
    with running(recorded_sqlite, cors_origins="") as client:
        assert allowed(client.get("/v1/online", headers={"Origin": OWN})) == ([], [])
        assert allowed(client.get("/fork/cors", headers={"Origin": OWN})) == (["*"], ["true"])
        answer = preflight(client, "/v1/online", OWN)
        assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_options_without_a_preflight(any_origin: httpx2.Client) -> None:
    answer = any_origin.options("/get_player_count")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert allowed(answer) == (["*"], [])


class Broken:
    """Services that lack everything handlers use."""

    settings = Settings()
    deadlines = Deadlines()


def test_an_internal_error_can_be_read_too() -> None:
    @asynccontextmanager
    async def broken(_: Settings) -> AsyncIterator[Services]:
        yield Broken()  # type: ignore[misc]

    with TestClient(build(Settings(), broken), raise_server_exceptions=False) as client:
        answer = client.get("/v1/get_player_count", headers={"Origin": OTHER})
        assert (answer.status_code, answer.json()) == (500, {"status": "Internal server error."})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "x-request-id" in answer.headers
