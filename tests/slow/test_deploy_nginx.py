"""The shipped nginx configuration, in a real nginx in front of the service."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from httpx2 import URL

from api.routes import V1
from tests.conftest import service
from tests.support import conformance
from tests.support.expectations import check
from tests.support.http_stub import Answer, Asked, answering
from tests.support.nginx import NAME, Nginx, nginx
from tests.support.processes import free_port
from tests.support.raw_client import exchange

# The block of the game server, after `api.` has been removed from it.
SHARED = """
    server {
        listen 127.0.0.1:{tls} ssl http2;
        server_name c.example.com osu.example.com b.example.com;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        return 200 "the game server";
    }
"""
RECORDED = [case for case in conformance.cases() if "host" not in case and case["method"] == "GET"]


@pytest.fixture(scope="module")
def front(recorded_mysql: str) -> Iterator[Nginx]:
    """nginx in front of the service on the recorded world."""
    with service(database_url=recorded_mysql) as client:
        port = client.base_url.port
        assert port is not None
        with nginx(port, beside=SHARED) as server:
            yield server


@contextmanager
def browser(front: Nginx) -> Iterator[httpx2.Client]:
    """A client that requests the host name of the certificate."""
    with httpx2.Client(
        base_url=front.https, verify=front.trust, headers={"Host": NAME}, trust_env=False
    ) as client:
        yield client


def echo(asked: Asked) -> Answer:
    """Return the request as JSON."""
    body = json.dumps(asked._asdict() | {"body": asked.body.decode()}).encode()
    allowed = ("Access-Control-Allow-Origin", "https://example.com")
    return Answer(200, body, [("Content-Type", "application/json"), allowed])


# The status of a GET without parameters and API key, if it is neither 200 nor, for lack of a parameter, 422.
PLAIN = {"get_friends": 400, "set_player_info": 405, "set_avatar": 405}


@pytest.mark.parametrize("name", V1)
def test_every_endpoint_responds_through_nginx(front: Nginx, name: str) -> None:
    required = any(field.required for field in msgspec.structs.fields(V1[name].params))
    status = PLAIN.get(name, 422 if required else 200)
    unrecorded: dict[str, Any] = {"path": f"/v1/{name}", "expect": {"status": status}}
    case = next((case for case in RECORDED if case["path"].partition("?")[0] == f"/v1/{name}"), unrecorded)
    with browser(front) as client:
        check(case, client.get(case["path"], headers=case.get("headers")))


def test_plain_http_is_served_and_not_redirected(front: Nginx) -> None:
    response = httpx2.get(f"{front.http}/get_player_info?scope=info&id=3", headers={"Host": NAME}, trust_env=False)

    assert response.status_code == 200


def test_http_2_is_offered(front: Nginx) -> None:
    front.trust.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", front.port), timeout=5) as plain,
        front.trust.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"


def test_long_responses_are_compressed_and_short_ones_are_not(front: Nginx) -> None:
    with browser(front) as client:
        long = client.get("/v1/get_leaderboard", headers={"Accept-Encoding": "gzip"})
        short = client.get("/v1/get_player_count", headers={"Accept-Encoding": "gzip"})
        plain = client.get("/v1/get_leaderboard", headers={"Accept-Encoding": "identity"})

    assert long.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in long.headers["Vary"]
    assert "Content-Encoding" not in short.headers
    assert "Content-Encoding" not in plain.headers
    assert long.json() == plain.json()


def test_other_host_names_go_to_the_game_server(front: Nginx) -> None:
    with browser(front) as client:
        assert client.get("/", headers={"Host": "c.example.com"}).text == "the game server"
        assert client.get("/v1/get_player_count").json()["status"] == "success"


ORIGIN = {"Origin": "https://web.example"}


def test_an_error_can_be_read_by_scripts(front: Nginx) -> None:
    with browser(front) as client:
        response = client.get("/v1/get_player_info?scope=all&id=2147483647", headers=ORIGIN)

    assert response.status_code == 404
    assert response.json() == {"status": "Player not found."}
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert "Content-Disposition" in response.headers["Access-Control-Expose-Headers"]


def test_a_preflight_request_is_allowed(front: Nginx) -> None:
    asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    with browser(front) as client:
        response = client.options("/v1/get_player_info", headers=ORIGIN | asking)

    assert response.status_code in (200, 204)
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert "authorization" in response.headers["Access-Control-Allow-Headers"].lower()


def test_a_post_is_forwarded_to_the_game_server_with_its_body(recorded_sqlite: str) -> None:
    body = bytes(range(256)) * 1000
    requests: list[Asked] = []

    def game_server(request: Asked) -> Answer:
        requests.append(request)
        return Answer(201, b'{"status":"made"}', [("Content-Type", "application/json"), ("X-Fork", "yes")])

    with (
        answering(game_server) as game_port,
        service(database_url=recorded_sqlite, app_port=str(game_port), domain="example.com") as client,
        nginx(client.base_url.port or 0) as front,
        browser(front) as outside,
    ):
        sent = {"Content-Type": "application/octet-stream", "X-Forwarded-For": "203.0.113.7"}
        response = outside.post("/v2/sessions?a=%20b", content=body, headers=sent | ORIGIN)

    (received,) = (request for request in requests if request.method == "POST")
    assert (received.path, received.body) == ("/v2/sessions?a=%20b", body)
    assert received.headers["host"] == "api.example.com"
    assert received.headers["x-real-ip"] == "127.0.0.1"
    assert "203.0.113.7" not in str(received.headers)
    assert (response.status_code, response.content) == (201, b'{"status":"made"}')
    assert response.headers["X-Fork"] == "yes"
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


def test_the_replay_folder_cannot_be_requested(front: Nginx) -> None:
    with browser(front) as client:
        assert client.get("/internal/osr/1.osr").status_code == 404


def test_the_service_gets_the_address_that_nginx_sees() -> None:
    claimed = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "CF-Connecting-IP": "203.0.113.7"}
    with answering(echo) as port, nginx(port) as front, browser(front) as client:
        received = client.get("/anything", headers=claimed).json()["headers"]

    assert received["host"] == NAME
    assert received["x-forwarded-for"] == received["x-real-ip"] == "127.0.0.1"
    assert received["x-forwarded-proto"] == "https"
    assert "cf-connecting-ip" not in received
    assert "connection" not in received


def test_a_request_reaches_the_service_unchanged() -> None:
    sent = {
        "Authorization": "Bearer key",
        "Cookie": "a=b",
        "If-None-Match": '"1"',
        "Origin": "https://example.com",
    }
    with answering(echo) as port, nginx(port) as front, browser(front) as client:
        response = client.post("/v2/anything%20else?q=%C3%BA&q=2", content=b"x" * 100_000, headers=sent)
        preflight = client.options("/v1/get_clan", headers=sent)

    received = response.json()
    assert received["method"] == "POST"
    assert received["path"] == "/v2/anything%20else?q=%C3%BA&q=2"
    assert received["body"] == "x" * 100_000
    assert {name: received["headers"][name.lower()] for name in sent} == sent
    assert preflight.json()["method"] == "OPTIONS"
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["https://example.com"]


def test_connections_to_the_service_are_reused() -> None:
    with answering(echo) as port, nginx(port) as front, browser(front) as client:
        assert len({client.get("/").json()["port"] for _ in range(5)}) == 1


def test_a_body_beyond_the_limit_is_rejected() -> None:
    with answering(echo) as port, nginx(port) as front, browser(front) as client:
        assert client.post("/", content=b"x" * (20 * 1024 * 1024 + 1)).status_code == 413
        assert client.post("/", content=b"x" * (1024 * 1024)).status_code == 200


def test_a_client_that_has_shut_down_its_sending_side_is_answered(front: Nginx) -> None:
    sent = f"GET /v1/get_clan?id=1 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    (response,), closed = exchange(URL(front.http).port or 0, sent, shut_down=True)
    assert (response.status, json.loads(response.body)["id"], closed) == (200, 1, True)


HEAD = f"POST /v1/set_avatar HTTP/1.1\r\nHost: {NAME}\r\n".encode()


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "This is not a valid HTTP request."),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "This is not a valid HTTP request."),
        (HEAD + b"Content-Length: 99999999\r\n\r\n", 413, "The body is larger than 20 MiB."),
        (HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431, "The request line and headers are too large."),
        (HEAD + b"X: y\r\n" * 20_000 + b"\r\n", 431, "The request line and headers are too large."),
        (HEAD.replace(b"v1", b"x" * 70_000), 431, "The request line and headers are too large."),
    ],
)
def test_what_nginx_refuses_is_json_too(front: Nginx, sent: bytes, status: int, text: str) -> None:
    (response,), _ = exchange(URL(front.http).port or 0, sent, silence=1)
    assert (response.status, json.loads(response.body)) == (status, {"status": text})
    assert response.headers["content-type"] == "application/json"


def test_the_error_while_the_service_is_stopped_is_json() -> None:
    with nginx(free_port()) as front, browser(front) as client:
        response = client.get("/v1/get_player_count")

    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Retry-After"] == "5"
    assert response.json() == {"status": "The API is being restarted."}
