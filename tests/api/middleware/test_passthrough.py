"""Requests that are passed on to the game server."""

import hashlib
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2
import pytest

from api.middleware.drain_body import DRAIN_TIMEOUT
from tests.conftest import service
from tests.support.game_server import DOMAIN, GameServer, Seen, game_server
from tests.support.http_stub import Answer, Asked, answering

LEADS_BACK = "The game server's address leads back to this service."
MEGABYTE = 1 << 20
INVALID = "Game server sent a response that is not valid HTTP, or with too long headers."
LIMIT = 2 * MEGABYTE


@pytest.fixture(scope="module")
def running(recorded_sqlite: str) -> Iterator[tuple[GameServer, httpx2.Client]]:
    settings = {"passthrough_max_body": str(LIMIT), "passthrough_timeout": "1.5", "domain": DOMAIN}
    settings["database_url"] = recorded_sqlite
    with game_server() as server, service(game_server_url=server.url, **settings) as client:
        yield server, client


@pytest.fixture
def server(running: tuple[GameServer, httpx2.Client]) -> GameServer:
    running[0].seen.clear()
    running[0].go_on(False)
    running[0].mode = "up"
    return running[0]


@pytest.fixture
def client(running: tuple[GameServer, httpx2.Client]) -> httpx2.Client:
    running[1].cookies.clear()
    return running[1]


def raw(client: httpx2.Client, request: bytes, *, wait: float = 5) -> bytes:
    """Return what the service sends until it closes the connection, or sends nothing for `wait` seconds."""
    with closing(connection(client)) as link:
        link.settimeout(wait)
        link.sendall(request)
        answer = b""
        while chunk := _received(link):
            answer += chunk
        return answer


def _received(link: socket.socket) -> bytes:
    try:
        return link.recv(65536)
    except TimeoutError:
        return b""


def connection(client: httpx2.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80))


def test_request_is_passed_on_unchanged(server: GameServer, client: httpx2.Client) -> None:
    headers = [("Cookie", "a=1"), ("Authorization", "Bearer k"), ("X-Two", "1"), ("X-Two", "2"), ("X-Name", "ü")]
    sent = [(name.encode(), value.encode()) for name, value in headers]
    answer = client.request("PATCH", "/fork/echo?a=%20b&a=+&c", content=b"{}", headers=sent)
    assert answer.json() == {"method": "PATCH", "sha256": hashlib.sha256(b"{}").hexdigest()}
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("PATCH", "/fork/echo?a=%20b&a=+&c", b"{}")
    assert seen.values("x-two") == ["1", "2"]
    assert seen.values("x-name") == ["ü".encode().decode("latin-1")]
    assert (seen.values("cookie"), seen.values("authorization")) == (["a=1"], ["Bearer k"])
    assert seen.values("host") == [f"api.{DOMAIN}"]
    assert seen.values("user-agent") == [client.headers["user-agent"]]
    assert seen.values("x-forwarded-for") == seen.values("x-real-ip") == ["127.0.0.1"]
    (via,) = seen.values("via")
    assert re.fullmatch(r"1\.1 apidot \([0-9a-f]{12}\)", via)
    assert seen.values("content-length") == ["2"]


def test_response_is_passed_back_unchanged(client: httpx2.Client) -> None:
    answer = client.get("/fork/echo")
    assert answer.headers.get_list("set-cookie") == ["one=1; Path=/", "two=2; HttpOnly"]
    assert answer.headers["x-fork"] == "yes"
    assert not {"x-private", "keep-alive"} & set(answer.headers)
    assert len(answer.headers.get_list("date")) == 1
    assert "x-request-id" in answer.headers


def test_cookies_are_not_stored(server: GameServer, client: httpx2.Client) -> None:
    for _ in range(2):
        client.cookies.clear()
        client.get("/fork/echo")
    assert [seen.values("cookie") for seen in server.seen] == [[], []]


def test_hop_by_hop_headers_are_not_passed_on(server: GameServer, client: httpx2.Client) -> None:
    about = {
        "Connection": "X-Private, keep-alive",
        "X-Private": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Trailer": "X-Sum",
        "Proxy-Authorization": "Basic eA==",
        "Proxy-Connection": "keep-alive",
        "Expect": "100-continue",
    }
    assert client.post("/fork/echo", headers=about, content=b"x").status_code == 200
    names = {name.lower() for name, _ in server.seen[0].headers}
    assert not names & {name.lower() for name in about}


@pytest.mark.parametrize(
    "path",
    [
        "/fork/a%2Fb%20c%25?x=%2F",
        "/fork/../fork/%2e%2E/x",
        "/fork//double",
        "/fork/%E8%A9%A6",
        "/fork/x;y=1@z:80",
        "/fork/echo?",
    ],
)
def test_path_is_not_normalised(server: GameServer, client: httpx2.Client, path: str) -> None:
    host = f"Host: {client.base_url.host}\r\nConnection: close\r\n\r\n"
    assert b" 200 OK" in raw(client, f"GET {path} HTTP/1.1\r\n{host}".encode())
    assert server.seen[0].target == path.removesuffix("?")


@pytest.mark.parametrize("target", ["http://evil.test/fork/echo", "http://evil.test:9/fork/echo"])
def test_target_that_names_another_host(server: GameServer, client: httpx2.Client, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    assert b" 200 OK" in raw(client, request.encode())
    assert server.seen[0].target == "/fork/echo"
    assert server.seen[0].values("host") == [f"api.{DOMAIN}"]


@pytest.mark.parametrize("target", ["//evil.test/x", "/\\evil.test", "/@evil.test/"])
def test_path_that_looks_like_a_host(server: GameServer, client: httpx2.Client, target: str) -> None:
    assert b" 404 " in raw(client, f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert server.asked[target] == 1


@pytest.mark.parametrize(
    "request_line", ["OPTIONS * HTTP/1.1", "GET @evil.test/ HTTP/1.1", "CONNECT h:1 HTTP/1.1"]
)
def test_a_target_that_is_not_a_path_is_not_passed_on(
    server: GameServer, client: httpx2.Client, request_line: str
) -> None:
    before = server.asked.total()
    answer = raw(client, f"{request_line}\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"404")
    assert server.asked.total() == before


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Content-Length: +4",
    ],
)
def test_smuggled_request_does_not_arrive(server: GameServer, client: httpx2.Client, headers: str) -> None:
    smuggled = "GET /fork/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    request = f"POST /fork/echo HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n0\r\n\r\n{smuggled}"
    raw(client, request.encode(), wait=0.5)
    # As the body of a request of its own it would be harmless, as a second request on the same connection not.
    assert all(seen.target == "/fork/echo" and seen.values("host") == [f"api.{DOMAIN}"] for seen in server.seen)


def test_connection_header_cannot_remove_the_client_address(server: GameServer, client: httpx2.Client) -> None:
    client.get("/fork/echo", headers={"Connection": "X-Real-IP, X-Forwarded-For, Host"})
    assert server.seen[0].values("x-real-ip") == ["127.0.0.1"]
    assert server.seen[0].values("host") == [f"api.{DOMAIN}"]


def test_upload_is_streamed(server: GameServer, client: httpx2.Client) -> None:
    halves = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"x" * MEGABYTE
        deadline = time.monotonic() + 5
        while server.received < MEGABYTE and time.monotonic() < deadline:
            time.sleep(0.01)
        if server.received == MEGABYTE:
            halves.set()
        yield b"y"

    answer = client.put("/fork/echo", content=body())
    assert halves.is_set(), "the second half was not sent before the first had arrived"
    assert answer.json()["sha256"] == hashlib.sha256(b"x" * MEGABYTE + b"y").hexdigest()
    assert server.seen[0].values("transfer-encoding") == ["chunked"]


def test_download_is_streamed(server: GameServer, client: httpx2.Client) -> None:
    with client.stream("GET", "/fork/stream") as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"first"
        server.go_on()
        assert b"".join(parts) == b"after"
    assert answer.headers["content-length"] == "10"


@pytest.mark.parametrize("headers", [{"Content-Length": str(LIMIT + 1)}, {"Transfer-Encoding": "chunked"}])
def test_body_that_is_too_large(server: GameServer, client: httpx2.Client, headers: dict[str, str]) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(LIMIT // MEGABYTE):
            yield b"x" * MEGABYTE
        yield b"x"

    answer = client.post("/fork/echo", content=body(), headers=headers)
    assert answer.status_code == 413
    assert answer.json() == {"status": f"The body is larger than {LIMIT} bytes."}
    assert not server.seen


def test_the_rest_of_a_body_that_is_too_large_is_not_read(server: GameServer, client: httpx2.Client) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1024):
            sent += 1
            yield b"x" * MEGABYTE

    answer = client.post("/fork/echo", content=body())
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    # Some of it is dropped, for clients that read the response only after they have sent everything.
    assert sent < 48
    assert not server.seen


def test_the_response_to_a_body_that_is_too_large_does_not_wait_for_its_end(client: httpx2.Client) -> None:
    head = b"POST /fork/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(connection(client)) as link:
        # Less than the service waits for the rest before it closes the connection.
        link.settimeout(DRAIN_TIMEOUT / 2)
        link.sendall(head + b"%x\r\n" % (LIMIT + 1) + b"x" * (LIMIT + 1) + b"\r\n")
        assert link.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_too_slow(server: GameServer, client: httpx2.Client) -> None:
    head = b"POST /fork/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf"
    answer = raw(client, head, wait=4)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"status":"The body did not arrive within 1.5 seconds."}' in answer
    assert b"connection: close" in answer


def test_body_of_the_largest_size(server: GameServer, client: httpx2.Client) -> None:
    assert client.post("/fork/echo", content=b"x" * LIMIT).status_code == 200
    assert len(server.seen[0].body) == LIMIT


def test_response_before_the_body_is_read(server: GameServer, client: httpx2.Client) -> None:
    assert client.post("/fork/early", content=b"x" * LIMIT).text == "no"
    # The connection on which half a body lies is not used again.
    assert client.get("/fork/echo").status_code == 200


def test_head(server: GameServer, client: httpx2.Client) -> None:
    answer = client.head("/fork/echo")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
    assert server.seen[0].method == "HEAD"


def test_compressed_bytes_are_passed_back_unchanged(client: httpx2.Client) -> None:
    with client.stream("GET", "/fork/zipped") as answer:
        assert b"".join(answer.iter_raw()) == b"\x1f\x8b not really"
    assert (answer.headers["content-encoding"], answer.headers["etag"]) == ("gzip", '"z"')


def test_redirect_is_not_followed(server: GameServer, client: httpx2.Client) -> None:
    answer = client.get("/fork/moved")
    assert (answer.status_code, answer.headers["location"]) == (302, "/fork/echo")
    assert len(server.seen) == 1


def test_not_modified(client: httpx2.Client) -> None:
    assert client.get("/fork/unchanged").status_code == 304


def test_methods_of_our_own_paths_are_ours(server: GameServer, client: httpx2.Client) -> None:
    answer = client.post("/v1/get_player_count")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client.options("/v1/get_player_count").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/fork/echo").status_code == 200
    assert [seen.method for seen in server.seen] == ["OPTIONS"]


def test_a_404_of_the_game_server_is_passed_back(client: httpx2.Client) -> None:
    answer = client.get("/v1/of_a_fork")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_game_server_that_hangs(server: GameServer, client: httpx2.Client) -> None:
    server.mode = "hung"
    start = time.monotonic()
    answer = client.get("/fork/echo")
    assert (answer.status_code, answer.json()) == (504, {"status": "Game server did not answer in time."})
    assert 1.4 < time.monotonic() - start < 4


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"", 502, "Game server closed the connection without a response."),
        (b"HTTP/1.1 200 OK\r\nX: 1", 502, "Game server closed the connection without a response."),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 502, INVALID),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 502, INVALID),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 60_000 + b"\r\nContent-Length: 2\r\n\r\n{}", 200, None),
    ],
)
def test_game_server_that_sends(recorded_sqlite: str, sent: bytes, status: int, message: str | None) -> None:
    with sending(sent) as port:
        url = f"http://127.0.0.1:{port}"
        with service(database_url=recorded_sqlite, game_server_url=url, domain=DOMAIN) as client:
            answer = client.get("/fork/echo")
            assert (answer.status_code, answer.json()) == (status, {"status": message} if message else {})


@contextmanager
def sending(response: bytes) -> Iterator[int]:
    """Run a server that reads a request, sends `response` and closes the connection. Yield its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(response)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_game_server_that_is_down(server: GameServer, client: httpx2.Client) -> None:
    server.stop()
    for method in ("GET", "POST"):
        answer = client.request(method, "/fork/echo", content=b"x" * MEGABYTE if method == "POST" else None)
        assert (answer.status_code, answer.json()) == (502, {"status": "Game server cannot be reached."})
    server.start()
    assert client.get("/fork/echo").status_code == 200


@pytest.mark.parametrize("cut", ["?cut", ""])
def test_a_response_that_ends_early_is_incomplete_for_the_client_too(
    server: GameServer, client: httpx2.Client, cut: str
) -> None:
    if cut:
        server.go_on()
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get(f"/fork/stream{cut}")


def test_client_that_disconnects(server: GameServer, client: httpx2.Client) -> None:
    with closing(connection(client)) as link:
        link.sendall(b"POST /fork/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")
        time.sleep(0.2)
    assert client.get("/fork/echo").status_code == 200
    assert [seen.method for seen in server.seen] == ["GET"]


@pytest.mark.parametrize("value", [b"\xe9", b"\x0b", b"a\tb", b"\x7f"])
def test_odd_bytes_in_a_header(client: httpx2.Client, value: bytes) -> None:
    request = b"GET /fork/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Odd: " + value + b"\r\n\r\n"
    assert raw(client, request).split(b" ", 2)[1] in (b"200", b"400")


def test_client_address_through_a_proxy(server: GameServer, client: httpx2.Client) -> None:
    client.get("/fork/echo", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Real-IP": "203.0.113.9"})
    assert server.seen[0].values("x-forwarded-for") == ["203.0.113.9, 127.0.0.1"]
    assert server.seen[0].values("x-real-ip") == ["203.0.113.9"]


def test_client_that_is_not_a_trusted_proxy(recorded_sqlite: str) -> None:
    lies = {"CF-Connecting-IP": "6.6.6.6", "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"}
    with game_server() as server:
        settings = {"game_server_url": server.url, "trusted_proxies": "192.0.2.0/24"}
        with service(database_url=recorded_sqlite, **settings) as client:
            client.get("/fork/echo", headers=lies | {"Host": "api.fork.test"})
        seen: Seen = server.seen[0]
        assert seen.values("x-forwarded-for") == seen.values("x-real-ip") == ["127.0.0.1"]
        assert seen.values("cf-connecting-ip") == []
        # Without DOMAIN the host stays the one that was asked for.
        assert seen.values("host") == ["api.fork.test"]


def test_turned_off(recorded_sqlite: str) -> None:
    with game_server() as server:
        settings = {"game_server_url": server.url, "domain": DOMAIN, "passthrough": "false"}
        with service(database_url=recorded_sqlite, **settings) as client:
            answer = client.get("/fork/echo")
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
            assert client.get("/v1/get_player_count").json()["counts"]["online"] == 2


def test_client_address_in_the_header_that_the_setting_names(recorded_sqlite: str) -> None:
    with game_server() as server:
        settings = {"game_server_url": server.url, "client_address_header": "CF-Connecting-IP"}
        with service(database_url=recorded_sqlite, **settings) as client:
            lies = {"X-Forwarded-For": "6.6.6.6", "X_Real_IP": "6.6.6.6", "True-Client-IP": "6.6.6.6"}
            client.get("/fork/echo", headers=lies | {"CF-Connecting-IP": "203.0.113.9"})
            client.get("/fork/echo", headers=lies | {"X-Forwarded-Proto": "https"})
        believed, unknown = server.seen
    assert believed.values("x-forwarded-for") == ["203.0.113.9, 127.0.0.1"]
    assert believed.values("x-real-ip") == believed.values("cf-connecting-ip") == ["203.0.113.9"]
    assert unknown.values("x-forwarded-for") == unknown.values("x-real-ip") == ["127.0.0.1"]
    assert unknown.values("x-forwarded-proto") == ["https"]
    for seen in server.seen:
        assert "6.6.6.6" not in str(seen.headers)


def own_via(server: GameServer, client: httpx2.Client) -> str:
    """Return the entry that the service adds."""
    client.get("/fork/echo")
    (via,) = server.seen.pop().values("via")
    return via


def test_game_server_address_that_leads_back(server: GameServer, client: httpx2.Client) -> None:
    own = own_via(server, client)
    loops = [
        own,
        f"1.0 cdn, {own}",
        f"{own}, 2 cdn (a, \\) (b) c)",
        "HTTP/1.1  apidot",
        "1.1 apidot ,",
        f", {own}",
    ]
    loops.append("1.1 cdn (a), 1.1 apidot, 1.1 nginx")
    for via in loops:
        answer = client.get("/fork/echo", headers={"Via": via})
        assert (answer.status_code, answer.json()) == (508, {"status": LEADS_BACK}), via
    twice = [("Via", "1.1 broken ("), ("Via", own), ("Connection", "Via")]
    assert client.get("/fork/echo", headers=twice).status_code == 508
    assert not server.seen


@pytest.mark.parametrize(
    "via",
    [
        "1.1 proxy-apidot.example",
        "1.1 apidot.example.com",
        "1.1 apidot:8000",
        "1.1 cdn (apidot)",
        "1.1 cdn (a, 1.1 apidot, b)",
        "1.1 cdn (\\), 1.1 apidot)",
        "apidot/1.1 cdn",
        "1.1 Apidots",
        "1.1 apidot (0123456789ab)",
        "1.1 vegur, HTTP/2 edge:443 (x (y) z)",
    ],
)
def test_other_proxies_are_no_loop(server: GameServer, client: httpx2.Client, via: str) -> None:
    own = own_via(server, client)
    assert client.get("/fork/echo", headers={"Via": via}).status_code == 200
    assert server.seen[0].values("via") == [f"{via}, {own}"]


@pytest.mark.parametrize(
    "via", ["", "apidot", "1.1", "1.1 cdn (", "1.1 cdn )", "1.1 a b", "1.1 cdn (" + "(" * 9999]
)
def test_an_invalid_via_is_left_out(server: GameServer, client: httpx2.Client, via: str) -> None:
    own = own_via(server, client)
    assert client.get("/fork/echo", headers={"Via": via}).status_code == 200
    assert server.seen[0].values("via") == [own]


def test_requests_pass_through_two_services_but_not_in_a_circle(
    server: GameServer, client: httpx2.Client, recorded_sqlite: str
) -> None:
    in_front: list[httpx2.Client] = []
    passed_on: list[str] = []

    def to_the_front(asked: Asked) -> Answer:
        # An address that is known before the service behind it has started.
        passed_on.append(asked.headers["via"])
        answer = in_front[0].get(asked.path, headers={"Via": asked.headers["via"]})
        return Answer(answer.status_code, answer.content)

    settings = {"database_url": recorded_sqlite, "passthrough_timeout": "20"}
    with service(game_server_url=str(client.base_url), **settings) as front:
        assert front.get("/fork/echo").status_code == 200
        assert server.seen[0].values("via")[0].count("apidot") == 2
    with (
        answering(to_the_front) as port,
        service(game_server_url=f"http://127.0.0.1:{port}", **settings) as second,
        service(game_server_url=str(second.base_url), **settings) as first,
    ):
        in_front.append(first)
        answer = first.get("/fork/echo")
        assert (answer.status_code, answer.json()) == (508, {"status": LEADS_BACK})
        assert [via.count("apidot") for via in passed_on] == [2]
