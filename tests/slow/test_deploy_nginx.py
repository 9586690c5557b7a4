"""The shipped nginx configuration, in a real nginx in front of the service."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from httpx2 import URL

from api.routes import V1
from tests.conftest import running, service
from tests.support import conformance
from tests.support.expectations import check
from tests.support.game_server import Seen, game_server
from tests.support.http_stub import Answer, Asked, answering
from tests.support.nginx import NAME, Nginx, http2, nginx
from tests.support.processes import free_port
from tests.support.raw_client import exchange

# The block of the game server, after `api.` has been removed from it.
SHARED = """
    server {
        listen 127.0.0.1:{tls} ssl;
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
PLAIN = {
    **dict.fromkeys(("get_friends", "get_player_plays", "get_player_achievements"), 400),
    **dict.fromkeys(("get_player_map_scores", "get_maps_info"), 400),
    **dict.fromkeys(("set_player_info", "set_avatar"), 405),
}


@pytest.mark.parametrize("name", V1)
def test_every_endpoint_responds_through_nginx(front: Nginx, name: str) -> None:
    required = any(field.required for field in msgspec.structs.fields(V1[name].params))
    status = PLAIN.get(name, 422 if required else 200)
    unrecorded: dict[str, Any] = {"path": f"/v1/{name}", "expect": {"status": status}}
    case = next((case for case in RECORDED if case["path"].partition("?")[0] == f"/v1/{name}"), unrecorded)
    # A stream has no end.
    method = "HEAD" if name == "events" else "GET"
    with browser(front) as client:
        check(case, client.request(method, case["path"], headers=case.get("headers")))


def test_plain_http_is_served_and_not_redirected(front: Nginx) -> None:
    response = httpx2.get(f"{front.http}/get_player_info?scope=info&id=3", headers={"Host": NAME}, trust_env=False)

    assert response.status_code == 200


@pytest.mark.parametrize(("enabled", "protocol"), [(False, "http/1.1"), (True, "h2")])
def test_http_2_is_offered_once_it_is_enabled(enabled: bool, protocol: str) -> None:
    with nginx(free_port(), changes=http2() if enabled else {}) as front:
        front.trust.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", front.port), timeout=5) as plain,
            front.trust.wrap_socket(plain, server_hostname=NAME) as connection,
        ):
            assert connection.selected_alpn_protocol() == protocol


def test_long_responses_are_compressed_and_short_ones_are_not(front: Nginx) -> None:
    with browser(front) as client:
        long = client.get("/v1/get_leaderboard", headers={"Accept-Encoding": "gzip"})
        short = client.get("/v1/get_player_count", headers={"Accept-Encoding": "gzip"})
        plain = client.get("/v1/get_leaderboard", headers={"Accept-Encoding": "identity"})

    assert long.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in short.headers
    assert "Content-Encoding" not in plain.headers
    assert long.json() == plain.json()
    for response in (long, short, plain):
        assert response.headers["Vary"].lower().split(", ").count("accept-encoding") == 1


def test_the_files_of_the_documentation_are_compressed(front: Nginx) -> None:
    with browser(front) as client:
        page = client.get("/docs")
        files = [page, *(client.get(path) for path in re.findall(r'"(/docs/assets/[^"]+)"', page.text))]
        start = client.get("/", headers={"Accept": "text/html"})
        plain = client.get(files[-1].url, headers={"Accept-Encoding": "identity"})
    kinds = {response.headers["Content-Type"].partition(";")[0] for response in files}
    assert {"text/html", "text/css"} < kinds
    assert sum(len(response.content) for response in files) > 1_500_000
    assert sum(response.num_bytes_downloaded for response in files) < 600_000
    for response in (*files, start):
        long = len(response.content) >= 1024
        assert response.headers.get("Content-Encoding") == ("gzip" if long else None), response.url
        assert response.headers["Vary"].lower().split(", ").count("accept-encoding") == 1
    assert "Content-Encoding" not in plain.headers


def test_a_response_of_the_game_server_is_compressed_and_says_so() -> None:
    long = Answer(404, json.dumps(["text"] * 1000).encode(), [("Content-Type", "application/json")])
    with answering(lambda _: long) as port, nginx(port) as front, browser(front) as client:
        response = client.get("/anything")
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers.get_list("Vary") == ["Accept-Encoding"]


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


# Addresses that a client claims, in every usual spelling.
CLAIMED = {
    name: f"{'for=' if name == 'Forwarded' else ''}203.0.113.7"
    for name in (
        *("X-Forwarded-For", "x-real-ip", "CF-CONNECTING-IP", "CF-Connecting-IPv6", "True-Client-IP", "Client-IP"),
        *("Fly-Client-IP", "Fastly-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "Forwarded", "X_Real_IP"),
    )
}
# Connected from here, to tell the client from nginx.
CLIENT, CLOUDFLARE = "127.0.0.2", "127.0.0.3"
# Like the block of the game server: it passes on every other header.
CARELESS = {
    "X-Forwarded-For   $remote_addr": "X-Forwarded-For   $proxy_add_x_forwarded_for",
    'CF-Connecting-IP  ""': 'X-Nothing-0 ""',
    'True-Client-IP    ""': 'X-Nothing-1 ""',
    'Forwarded         ""': 'X-Nothing-2 ""',
}
# As the comment says, with another address of Cloudflare.
BEHIND_CLOUDFLARE = {
    "# set_real_ip_from": "set_real_ip_from",
    "# real_ip_header": "real_ip_header",
    "173.245.48.0/20": CLOUDFLARE,
}
NO_REAL_IP = {
    "X-Real-IP         $remote_addr": 'X-Real-IP ""',
    "X-Forwarded-For   $remote_addr": 'X-Forwarded-For ""',
}


@contextmanager
def received_through(url: str, changes: dict[str, str], **settings: str) -> Iterator[Callable[..., Seen]]:
    """Yield a function that sends a request through nginx to the game server, and returns what arrives there."""
    with (
        game_server() as server,
        service(database_url=url, game_server_url=server.url, **settings) as client,
        nginx(client.base_url.port or 0, changes=changes) as front,
    ):

        def received(headers: dict[str, str], source: str = CLIENT) -> Seen:
            transport = httpx2.HTTPTransport(verify=front.trust, local_address=source)
            with httpx2.Client(transport=transport, headers={"Host": NAME}) as outside:
                assert outside.get(f"{front.https}/metrics", headers=headers).status_code == 404
                assert outside.get(f"{front.https}/fork/echo", headers=headers).status_code == 200
            return server.seen.pop()

        yield received


@pytest.mark.parametrize("changes", [{}, CARELESS, BEHIND_CLOUDFLARE], ids=["shipped", "careless", "cloudflare"])
def test_a_client_cannot_claim_an_address(recorded_sqlite: str, changes: dict[str, str]) -> None:
    # By default, every address of this machine is a proxy's.
    with received_through(recorded_sqlite, changes, trusted_proxies="127.0.0.1") as received:
        for headers in (CLAIMED, *({name: value} for name, value in CLAIMED.items())):
            seen = received(headers)
            assert seen.values("x-real-ip") == [CLIENT]
            assert seen.values("x-forwarded-for") == [f"{CLIENT}, 127.0.0.1"]
            assert "203.0.113.7" not in str(seen.headers)


def test_the_client_of_cloudflare_is_known(recorded_sqlite: str) -> None:
    through_cloudflare = {"CF-Connecting-IP": "198.51.100.4", "X-Forwarded-For": "203.0.113.7, 198.51.100.4"}
    with received_through(recorded_sqlite, BEHIND_CLOUDFLARE) as received:
        assert received(through_cloudflare, CLOUDFLARE).values("x-real-ip") == ["198.51.100.4"]
    # Without the block, the header that nginx passes on can be believed instead, if only Cloudflare can connect.
    named = {"client_address_header": "CF-Connecting-IP"}
    with received_through(recorded_sqlite, CARELESS, **named) as received:
        seen = received(through_cloudflare, CLOUDFLARE)
    assert seen.values("x-real-ip") == seen.values("cf-connecting-ip") == ["198.51.100.4"]


def test_a_proxy_without_the_header_is_not_exempt(recorded_sqlite: str) -> None:
    # X-Forwarded-Proto shows that the request came through a proxy.
    with running(database_url=recorded_sqlite) as (client, process):
        with nginx(client.base_url.port or 0, changes=NO_REAL_IP) as front, browser(front) as outside:
            limited = [outside.get("/v1/get_clan?id=1", headers=headers).headers for headers in ({}, CLAIMED)]
        output = process.output()
    assert [int(headers["RateLimit-Remaining"]) < 300 for headers in limited] == [True, True]
    assert "the proxy 127.0.0.1 sends no valid x-forwarded-for" in output


@pytest.mark.parametrize("path", ["/metrics", "/metrics?a", "//metrics", "/%6detrics", "/x/../metrics"])
def test_metrics_are_hidden(front: Nginx, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", front.port), timeout=5) as plain,
        front.trust.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b" 404 " in answer.splitlines()[0]
    assert b'{"detail":"Not Found"}' in answer


def test_the_service_gets_what_nginx_knows() -> None:
    claimed = CLAIMED | {
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
    }
    with answering(echo) as port, nginx(port) as front, browser(front) as client:
        received = client.get("/anything", headers=claimed).json()["headers"]

    assert received["host"] == NAME
    assert received["x-forwarded-for"] == received["x-real-ip"] == "127.0.0.1"
    assert received["x-forwarded-proto"] == "https"
    removed = {
        "cf-connecting-ip",
        "true-client-ip",
        "forwarded",
        "x-forwarded-host",
        "x-forwarded-port",
        "connection",
    }
    assert not removed & received.keys()


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
