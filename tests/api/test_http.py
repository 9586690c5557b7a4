"""What all responses have in common: methods, paths, headers, and the form of errors."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import msgspec
import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.app import build
from api.middleware.request_log import RequestLog
from api.routes import V1, V2
from api.services import Services
from api.startup import open_services
from config.settings import Settings
from config.types import Secret
from domain.live import Live
from tests.conftest import Recorded

ENDPOINTS = {f"v1/{name}": endpoint for name, endpoint in V1.items()}
ENDPOINTS |= {f"v2/{name}": endpoint for name, endpoint in V2.items()}
REQUEST_ID = re.compile(r"[0-9a-f]{32}")
STATUSES = {
    "/v1/get_player_count": 200,
    "/v1/get_player_info?scope=all&id=3": 200,
    "/v1/search_players?q=%F0%9F%98%80": 200,
    "/v1/get_clan": 422,
    "/v1/get_clan?id=2147483647": 404,
    "/v1/get_player_status": 400,
    "/v1/no_such_thing": 404,
    "/v2": 404,
    "/v2/clans": 200,
    "/v2/players/3/stats/0/": 200,
    "/v2/players/0": 404,
    "/v2/scores?page=0": 422,
    "/v2/leaderboards/7": 400,
    "/v2/no_such_thing": 404,
    "/": 404,
    "/v1": 404,
    "/v1/": 404,
    "/v3/get_clan?id=1": 404,
    "//get_player_count": 404,
    "/v1/get_player_count//": 404,
    "/get_clan?id=1&x=" + "y" * 20_000: 414,
}


@pytest.mark.parametrize("path", STATUSES)
def test_every_response_is_json_with_a_request_id(recorded: Recorded, path: str) -> None:
    answers = [recorded.client.get(path) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == STATUSES[path]
        assert answer.headers["Content-Type"] == "application/json"
        # The length as sent: long responses are compressed.
        assert answer.headers["Content-Length"] == str(answer.num_bytes_downloaded)
        assert isinstance(answer.json(), dict)
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert all(map(REQUEST_ID.fullmatch, ids))
    assert ids[0] != ids[1]


@pytest.mark.parametrize("path", STATUSES)
def test_head_is_get_without_the_body(recorded: Recorded, path: str) -> None:
    got, head = recorded.client.get(path), recorded.client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    varying = {"x-request-id", "date", "age"}
    assert {name: value for name, value in head.headers.items() if name not in varying} == {
        name: value for name, value in got.headers.items() if name not in varying
    }


ALLOWED: dict[tuple[str, ...], str] = {
    ("GET", "HEAD"): "GET, HEAD, OPTIONS",
    ("POST", "PUT"): "POST, PUT, OPTIONS",
}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_not_allowed(recorded: Recorded, path: str, method: str) -> None:
    if method in ENDPOINTS[path].methods:
        method = "GET"
    answer = recorded.client.request(method, f"/{path}?id=x")
    assert answer.status_code == 405
    assert answer.json() == {"detail": "Method Not Allowed"}
    assert answer.headers["Allow"] == ALLOWED[ENDPOINTS[path].methods]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_options_lists_the_allowed_methods(recorded: Recorded, path: str) -> None:
    answer = recorded.client.options(f"/{path}")
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (
        204,
        b"",
        ALLOWED[ENDPOINTS[path].methods],
    )
    assert answer.headers["X-Request-ID"]


def test_an_unknown_path_is_404_for_every_method(recorded: Recorded) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = recorded.client.request(method, "/v1/nothing")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("prefix", ["/", "/v1/", "/api/", "/api/v1/"])
@pytest.mark.parametrize("host", ["api.example.com", "example.com:8000", "[::1]", "bücher.example".encode(), ""])
def test_any_prefix_slash_and_host(recorded: Recorded, prefix: str, host: str | bytes) -> None:
    plain = recorded.client.get("/v1/get_clan?id=1")
    for path in (f"{prefix}get_clan?id=1", f"{prefix}get_clan/?id=1"):
        answer = recorded.client.get(path, headers={b"Host": host} if isinstance(host, bytes) else {"Host": host})
        assert (answer.status_code, answer.content) == (plain.status_code, plain.content)


def test_unicode_is_not_escaped(recorded: Recorded) -> None:
    answer = recorded.client.get("/v1/get_player_info?scope=all&name=%E8%A9%A6%C3%9F%21")
    assert answer.json()["detail"][0]["input"] == "試ß!"
    assert "試ß!".encode() in answer.content


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /v1/get_player_info?scope=all&name=\xff\xc3\x28 HTTP/1.1",
        b"GET /v1/\xff HTTP/1.1",
        b"GET /%ff HTTP/1.1",
    ],
)
def test_raw_bytes_in_the_target_are_a_client_error(recorded: Recorded, request_line: bytes) -> None:
    host, port = recorded.client.base_url.host, recorded.client.base_url.port
    with socket.create_connection((host, port or 80), timeout=5) as connection:
        connection.sendall(request_line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        status = connection.makefile("rb").readline()
    assert re.match(rb"HTTP/1.1 4\d\d ", status), status


class Faulty(Live):
    """A Live with a bug."""

    async def count(self) -> int:
        raise ZeroDivisionError("the bug")


@pytest.fixture
def faulty(recorded_sqlite: str) -> Iterator[TestClient]:
    """A service in which only get_player_count fails."""

    @asynccontextmanager
    async def open_faulty(settings: Settings) -> AsyncIterator[Services]:
        async with open_services(settings) as services:
            yield msgspec.structs.replace(services, live=Faulty())

    with TestClient(build(Settings(database_url=Secret(recorded_sqlite)), open_faulty)) as client:
        yield client


def test_an_internal_error(faulty: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = faulty.get("/v1/get_player_count?x=%0Aforged")
    assert (answer.status_code, answer.json()) == (500, {"status": "Internal server error."})
    assert answer.headers["Content-Type"] == "application/json"
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert answer.headers["X-Request-ID"] in record.getMessage()
    assert "/v1/get_player_count" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert faulty.get("/v1/get_clan?id=1").status_code == 200


def test_an_internal_error_in_version_2(faulty: TestClient) -> None:
    answer = faulty.get("/api/v2/server/stats")
    assert (answer.status_code, answer.json()) == (500, {"status": "error", "error": "Internal server error."})


def test_an_incomplete_response_closes_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/\nforged line"}
    with pytest.raises(ZeroDivisionError):
        asyncio.run(RequestLog(app)(scope, receive, send))
    (record,) = caplog.records
    assert "\nforged" not in record.getMessage()


def test_connections_are_kept_alive(recorded: Recorded) -> None:
    with httpx2.Client(base_url=recorded.client.base_url, trust_env=False) as client:
        for path in list(STATUSES) * 3:
            assert client.get(path).headers.get("Connection", "") != "close"


def test_an_invalid_http_request_gets_a_json_response(recorded: Recorded) -> None:
    url = recorded.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=5) as connection:
        connection.sendall(b"BREW /v1/get_clan HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body) == {"status": "This is not a valid HTTP request."}
