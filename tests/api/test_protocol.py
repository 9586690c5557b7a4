"""HTTP connections: what is refused, and what a client cannot use up."""

import asyncio
import hashlib
import json
import logging
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from resource import RLIM_INFINITY
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api import protocol
from api.app import build
from api.middleware import drain_body
from api.protocol import MAX_HEAD, Protocol
from api.request import body as bodies
from api.startup import open_services
from config.settings import Settings
from config.types import Secret
from tests.api.observability.test_logs import requests
from tests.conftest import PLAYER, Running, running, service
from tests.support.game_server import game_server
from tests.support.raw_client import Response, exchange, receive

HOST = b"Host: api.example.com\r\n"
CLAN = b"GET /v1/get_clan?id=1 HTTP/1.1\r\n" + HOST
CLAN_2 = b"GET /v1/get_clan?id=2 HTTP/1.1\r\n" + HOST
END = b"\r\n"
CLOSE = b"Connection: close\r\n"
# A POST that is refused because the API key is missing, and a path that does not exist.
POST = b"POST /v1/set_player_info HTTP/1.1\r\n" + HOST
NOTHING = b"POST /v1/nothing HTTP/1.1\r\n" + HOST
SIGNED = f"Authorization: Bearer {PLAYER}\r\n".encode()
NO_KEY = {"status": "Must provide authorization token."}
NOT_FOUND = {"detail": "Not Found"}
NOT_HTTP = "This is not a valid HTTP request."
TOO_LARGE = f"The request line and headers are larger than {MAX_HEAD} bytes."
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def here(recorded_sqlite: str) -> Iterator[Running]:
    """A service without a game server. Its clients are not limited."""
    with running(database_url=recorded_sqlite, rate_limit_exempt="127.0.0.0/8") as service:
        yield service


@pytest.fixture(scope="module")
def port(here: Running) -> int:
    return here.client.base_url.port or 0


def body_of(response: Response) -> object:
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.body)


# Requests that are refused, with the status and the message.
REFUSED = {
    "no request": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, NOT_HTTP),
    "no method": (b"BREW /v1/get_clan HTTP/1.1\r\n", 400, NOT_HTTP),
    "long method": (b"A" * 1_000_000, 400, NOT_HTTP),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, NOT_HTTP),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + END, 505, "Only HTTP/1.0 and HTTP/1.1 are supported."),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n" + HOST + END, 400, NOT_HTTP),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505, "Only HTTP/1.0 and HTTP/1.1 are supported."),
    "bare line feeds": (CLAN.replace(b"\r", b"") + b"\n", 400, NOT_HTTP),
    "bare line feed": (CLAN + b"X: a\nY: b\r\n\r\n", 400, NOT_HTTP),
    "folded header": (CLAN + b"X: a\r\n b\r\n\r\n", 400, NOT_HTTP),
    "space in a name": (CLAN + b"X y: a\r\n\r\n", 400, NOT_HTTP),
    "space after a name": (CLAN + b"X : a\r\n\r\n", 400, NOT_HTTP),
    "empty name": (CLAN + b": a\r\n\r\n", 400, NOT_HTTP),
    "no colon": (CLAN + b"X\r\n\r\n", 400, NOT_HTTP),
    "NUL in a value": (CLAN + b"X: a\0b\r\n\r\n", 400, NOT_HTTP),
    "NUL in a name": (CLAN + b"X\0: a\r\n\r\n", 400, NOT_HTTP),
    "no host": (b"GET /v1/get_clan?id=1 HTTP/1.1\r\n\r\n", 400, "The request has no Host header."),
    "no host, but a URL": (b"GET http://a.test/ HTTP/1.1\r\n\r\n", 400, "The request has no Host header."),
    "two hosts": (CLAN + HOST + END, 400, "The request has more than one Host header."),
    "two hosts in 1.0": (
        b"GET / HTTP/1.0\r\n" + HOST + HOST + END,
        400,
        "The request has more than one Host header.",
    ),
    "space in the host": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "The host of the request is not valid."),
    "path in the host": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "The host of the request is not valid."),
    "port in the host": (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, "The host of the request is not valid."),
    "long host": (
        b"GET / HTTP/1.1\r\nHost: " + b"a" * 301 + END * 2,
        400,
        "The host of the request is not valid.",
    ),
    "user in a URL": (
        b"GET http://u@a.test/ HTTP/1.1\r\n" + HOST + END,
        400,
        "The host of the request is not valid.",
    ),
    "no host in a URL": (b"GET http:///x HTTP/1.1\r\n" + HOST + END, 400, NOT_HTTP),
    "URL of another scheme": (b"GET ftp://a.test/x HTTP/1.1\r\n" + HOST + END, 400, NOT_HTTP),
    "relative path": (b"GET v1/get_clan HTTP/1.1\r\n" + HOST + END, 400, NOT_HTTP),
    "CONNECT": (b"CONNECT a.test:443 HTTP/1.1\r\n" + HOST + END + b"\x16\x03\x01", 400, NOT_HTTP),
    "CONNECT to a path": (b"CONNECT /v1/get_clan HTTP/1.1\r\n" + HOST + END, 400, NOT_HTTP),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, NOT_HTTP),
    "list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400, NOT_HTTP),
    "signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400, NOT_HTTP),
    "huge length": (POST + b"Content-Length: 99999999999999999999\r\n\r\n", 400, NOT_HTTP),
    "length and chunks": (POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n", 400, NOT_HTTP),
    "chunks and length": (POST + CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n", 400, NOT_HTTP),
    "twice chunked": (POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n", 400, NOT_HTTP),
    "compressed chunks": (
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
        "The only supported Transfer-Encoding is chunked.",
    ),
    "not chunked": (
        POST + b"Transfer-Encoding: identity\r\n\r\n",
        501,
        "The only supported Transfer-Encoding is chunked.",
    ),
    "size of a chunk": (POST + CHUNKED + b"\r\nzz\r\n", 400, NOT_HTTP),
    "bare line feed after a chunk": (POST + CHUNKED + b"\r\n3\nabc\n0\n\n", 400, NOT_HTTP),
    "long header": (CLAN + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\n", 431, TOO_LARGE),
    "just too long a header": (CLAN + b"X: " + b"x" * (MAX_HEAD - len(CLAN) - 6) + b"\r\n\r\n", 431, TOO_LARGE),
    "endless header": (CLAN + b"X: " + b"x" * 2_000_000, 431, TOO_LARGE),
    "many headers": (CLAN + b"X: y\r\n" * 12_000 + END, 431, TOO_LARGE),
    "more headers than are allowed": (
        CLAN + b"X: y\r\n" * 200 + END,
        431,
        "The request has more than 200 headers.",
    ),
    "long target": (b"GET /" + b"x" * MAX_HEAD + b" HTTP/1.1\r\n" + HOST + END, 431, TOO_LARGE),
    "endless empty lines": (END * MAX_HEAD, 431, TOO_LARGE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_is_refused(port: int, name: str) -> None:
    sent, status, text = REFUSED[name]
    (response,), closed = exchange(port, sent)
    assert (response.status, body_of(response)) == (status, {"status": text})
    assert response.headers["connection"] == "close"
    assert "date" in response.headers
    assert closed


def test_a_refusal_in_version_2(port: int) -> None:
    (response,), _ = exchange(port, b"GET /v2/clans HTTP/1.1\r\n\r\n")
    assert body_of(response) == {"status": "error", "error": "The request has no Host header."}


def test_a_refusal_is_logged(here: Running, port: int) -> None:
    exchange(port, b"GET /v1/get_clan?key=secret HTTP/1.1\r\n\r\n")
    exchange(port, CLAN + CLOSE + END)
    requests(here, 1)
    assert 'msg="refused 127.0.0.1: 400 The request has no Host header."' in here.process.output(1000)
    assert "secret" not in here.process.output(1000)


# Requests that are unusual, and answered.
ACCEPTED = {
    "HTTP/1.0": b"GET /v1/get_clan?id=1 HTTP/1.0\r\n\r\n",
    "empty host": b"GET /v1/get_clan?id=1 HTTP/1.1\r\nHost:\r\n\r\n",
    "IPv6 host": b"GET /v1/get_clan?id=1 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
    "URL": b"GET http://api.example.com/v1/get_clan?id=1 HTTP/1.1\r\n" + HOST + END,
    "URL in capitals": b"GET HTTP://API.EXAMPLE.COM:80/v1/get_clan?id=1 HTTP/1.1\r\n" + HOST + END,
    "URL in 1.0": b"GET http://api.example.com/v1/get_clan?id=1 HTTP/1.0\r\n\r\n",
    "empty lines before": END * 3 + CLAN + END,
    "as many headers as are allowed": CLAN + b"X: y\r\n" * 199 + END,
    "as much as is allowed": CLAN + b"X: " + b"x" * (MAX_HEAD - len(CLAN) - 7) + b"\r\n\r\n",
    "Expect without a body": CLAN + b"Expect: 100-continue\r\n\r\n",
    "body of a GET": CLAN + b"Content-Length: 3\r\n\r\nabc",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_unusual_request_is_answered(here: Running, port: int, name: str) -> None:
    (response,), closed = exchange(port, ACCEPTED[name], shut_down=True)
    assert (response.status, response.body) == (200, here.client.get("/v1/get_clan?id=1").content)
    assert closed


@pytest.mark.parametrize(
    "target", ["http://api.example.com", "http://api.example.com?x=1", "http://api.example.com/"]
)
def test_targets_without_a_path(port: int, target: str) -> None:
    sent = f"GET {target} HTTP/1.1\r\nAccept: text/html\r\n".encode() + HOST + END
    (response,), _ = exchange(port, sent, shut_down=True)
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_options_of_the_whole_server(port: int) -> None:
    (response,), _ = exchange(port, b"OPTIONS * HTTP/1.1\r\n" + HOST + END, shut_down=True)
    assert (response.status, body_of(response)) == (404, NOT_FOUND)


def test_the_host_of_a_url_counts(recorded_sqlite: str) -> None:
    with game_server() as server, service(database_url=recorded_sqlite, game_server_url=server.url) as client:
        server.seen.clear()
        sent = b"GET http://api.fork.test:80/fork/echo HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n"
        (response,), _ = exchange(client.base_url.port or 0, sent)
        assert response.status == 200
        (seen,) = server.seen
        assert (seen.target, seen.values("host")) == ("/fork/echo", ["api.fork.test:80"])


def test_trailers_are_dropped(port: int) -> None:
    friends = b"GET /v1/get_friends HTTP/1.1\r\n" + HOST
    trailers = f"X-Sum: 1\r\nAuthorization: Bearer {PLAYER}\r\n".encode()
    chunked = friends + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n" + trailers + END
    # In the next request neither.
    responses, _ = exchange(port, chunked + friends + END, shut_down=True)
    assert [(response.status, body_of(response)) for response in responses] == [(400, NO_KEY)] * 2


def test_a_trailer_is_no_address_of_a_client(here: Running, port: int) -> None:
    trailers = b"X-Forwarded-For: 192.0.2.7\r\nCF-Connecting-IP: 192.0.2.7\r\nX-Request-ID: forged\r\n"
    (response,), _ = exchange(port, NOTHING + CHUNKED + CLOSE + b"\r\n0\r\n" + trailers + END)
    assert response.status == 404
    assert "192.0.2.7" not in here.process.output(3)
    assert "forged" not in here.process.output(3)


def test_a_websocket_handshake_is_a_request_like_any_other(recorded_sqlite: str) -> None:
    handshake = (
        b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    settings = {"rate_limit": "0.01", "rate_limit_burst": "3", "rate_limit_exempt": ""}
    with running(database_url=recorded_sqlite, **settings) as here:
        port = here.client.base_url.port or 0
        unknown = b"GET /x?token=SECRET HTTP/1.1\r\n" + HOST + handshake
        # The frame of a client that does not wait for the response.
        (response, refused), closed = exchange(port, unknown + b"\x81\x85\x00\x00\x00\x00hello")
        assert (response.status, body_of(response)) == (404, NOT_FOUND)
        assert "x-request-id" in response.headers
        assert response.headers["ratelimit-remaining"] == "2"
        assert (refused.status, closed) == (400, True)
        (response,), _ = exchange(port, CLAN + handshake, shut_down=True)
        assert response.status == 200
        responses, _ = exchange(port, unknown * 2, shut_down=True)
        assert [response.status for response in responses] == [404, 429]
        lines = requests(here, 4)
        assert lines[0]["path"] == "/x?token=…"
        assert "SECRET" not in here.process.output()
        assert "WebSocket" not in here.process.output()


@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_of_a_request_that_asks_for_http_2_is_read(recorded_sqlite: str, chunked: bool) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    body = b"x" * 100_000
    sent = b"POST /fork/echo HTTP/1.1\r\n" + HOST + upgrade
    if chunked:
        sent += CHUNKED + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        sent += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    with game_server() as server, service(database_url=recorded_sqlite, game_server_url=server.url) as client:
        responses, _ = exchange(client.base_url.port or 0, sent + CLAN + END, shut_down=True)
        assert [response.status for response in responses] == [200, 200]
        assert json.loads(responses[0].body)["sha256"] == hashlib.sha256(body).hexdigest()
        echoed = next(seen for seen in server.seen if seen.method == "POST")
        assert {"upgrade", "http2-settings"} & {name.lower() for name, _ in echoed.headers} == set()


def test_a_client_that_has_shut_down_its_sending_side_is_answered(here: Running, port: int) -> None:
    expected = [here.client.get(f"/v1/get_clan?id={id}").content for id in (1, 2, 1)]
    responses, closed = exchange(port, CLAN + END + CLAN_2 + END + CLAN + END, shut_down=True)
    assert [response.body for response in responses] == expected
    assert closed
    # What is incomplete is not.
    responses, closed = exchange(port, CLAN + END + CLAN_2, shut_down=True)
    assert ([response.body for response in responses], closed) == (expected[:1], True)
    assert exchange(port, CLAN, shut_down=True) == ([], True)
    assert exchange(port, POST + SIGNED + b"Content-Length: 5\r\n\r\nabc", shut_down=True) == ([], True)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_client_that_waits_for_a_slow_response_is_answered(recorded_sqlite: str, version: str) -> None:
    with game_server() as server, service(database_url=recorded_sqlite, game_server_url=server.url) as client:
        server.delay = 2.5
        sent = f"POST /fork/echo HTTP/{version}\r\nContent-Length: 3\r\n".encode() + HOST + b"\r\nabc"
        (*interim, response), closed = exchange(client.base_url.port or 0, sent, shut_down=True)
    assert json.loads(response.body)["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert closed
    assert {response.status for response in interim} == ({102} if version == "1.1" else set())


def data_segments(connection: socket.socket) -> int:
    """Return how many TCP segments with data have been received (`tcpi_data_segs_in` in <linux/tcp.h>)."""
    (segments,) = struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)
    return int(segments)


def test_the_head_and_the_body_of_a_response_are_sent_together(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        for count in (1, 2, 3):
            connection.sendall(CLAN + END)
            assert [response.status for response in receive(connection, silence=0.3).responses] == [200]
            assert data_segments(connection) == count


def test_queued_requests_are_answered_in_order(here: Running, port: int) -> None:
    bodies = [here.client.get(f"/v1/get_clan?id={id}").content for id in (1, 2)]
    # More than is parsed at a time, and more than is read at once.
    sent = (CLAN + END + CLAN_2 + END) * 1000
    responses, _ = exchange(port, sent, shut_down=True)
    assert [response.body for response in responses] == bodies * 1000
    assert {response.status for response in responses} == {200}


def test_a_refusal_waits_for_the_responses_before_it(port: int) -> None:
    for wrong in (b"\0", CLAN + HOST + END, POST + CHUNKED + b"\r\nzz\r\n", CLAN + b"X: " + b"x" * 2 * MAX_HEAD):
        responses, closed = exchange(port, CLAN + END + CLAN_2 + END + wrong)
        assert [response.status for response in responses][:2] == [200, 200]
        assert [response.status for response in responses][2:] in ([400], [431])
        assert closed


def test_a_body_is_asked_for_only_if_it_is_read(recorded_sqlite: str) -> None:
    expect = b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    with game_server() as server, service(database_url=recorded_sqlite, game_server_url=server.url) as client:
        port = client.base_url.port or 0
        # Nobody wants the body: the response says that the connection ends, and it does.
        (response,), closed = exchange(port, POST + expect)
        assert (response.status, body_of(response), closed) == (400, NO_KEY, True)
        assert response.headers["connection"] == "close"
        # It is passed on.
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"POST /fork/echo HTTP/1.1\r\n" + HOST + CLOSE + expect)
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"abc")
            (response,), _ = receive(connection)
        assert json.loads(response.body)["sha256"] == hashlib.sha256(b"abc").hexdigest()


def test_a_peer_that_has_vanished_is_given_up(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = []
    made = Protocol.connection_made

    def observed(self: Protocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        accepted = transport.get_extra_info("socket")
        timeouts.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

    monkeypatch.setattr(Protocol, "connection_made", observed)
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app) as port:
        exchange(port, NOTHING + CLOSE + END)
    assert timeouts == [60_000]


def test_a_body_that_nobody_reads_does_not_delay_the_response(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for sent in (NOTHING + CHUNKED + b"\r\n5\r\nabc", NOTHING + b"Content-Length: 100000\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", port), timeout=drain_body.DRAIN_TIMEOUT / 2) as connection:
            connection.sendall(sent)
            response = connection.recv(65536)
            assert response.startswith(b"HTTP/1.1 404 ")
            assert (b"connection: close" in response) == (CHUNKED in sent)


def test_a_connection_is_kept_after_a_body_that_nobody_read(port: int) -> None:
    unread = NOTHING + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000
    responses, _ = exchange(
        port,
        unread + CLAN + END + CLAN + b"Content-Length: 70000\r\n\r\n" + b"x" * 70_000 + CLAN + END,
        shut_down=True,
    )
    assert [response.status for response in responses] == [404, 200, 200, 200]


@contextmanager
def serving(app: ASGIApp, **options: Any) -> Iterator[int]:
    """Run uvicorn in a thread, so that a test may change the constants of the protocol. Yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, http=Protocol, ws="none", loop="uvloop", log_config=None, access_log=False, **options
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, recorded_sqlite: str) -> Iterator[int]:
    """The port of a service that waits half a second for the headers of a request."""
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.5)
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app, timeout_keep_alive=20) as port:
        yield port


TIMED_OUT = {"status": "The request's headers did not arrive within 30 seconds."}


@pytest.mark.parametrize("sent", [b"G", CLAN, CLAN + b"X: y"])
def test_half_a_head(hurried: int, sent: bytes) -> None:
    (response,), closed = exchange(hurried, sent)
    assert (response.status, body_of(response), closed) == (408, TIMED_OUT, True)
    # On a connection that has been used before, too.
    responses, closed = exchange(hurried, CLAN + END + sent)
    assert [response.status for response in responses] == [200, 408]
    assert closed


def test_a_head_that_drips(hurried: int) -> None:
    with socket.create_connection(("127.0.0.1", hurried), timeout=5) as connection:
        begun = time.monotonic()
        for byte in CLAN + END:
            try:
                connection.sendall(bytes([byte]))
            except ConnectionError:
                break
            time.sleep(0.1)
            if time.monotonic() - begun > 1.5:
                break
        (response,), closed = receive(connection)
    assert (response.status, body_of(response), closed) == (408, TIMED_OUT, True)


def test_a_connection_without_a_request(hurried: int) -> None:
    assert exchange(hurried, b"") == ([], True)
    assert exchange(hurried, END) == ([], True)


def test_the_second_request_of_a_connection_has_as_long(hurried: int) -> None:
    with socket.create_connection(("127.0.0.1", hurried), timeout=5) as connection:
        connection.sendall(CLAN)
        time.sleep(0.1)
        connection.sendall(END)
        responses, closed = receive(connection, silence=0.8)
        assert ([response.status for response in responses], closed) == ([200], False)
        connection.sendall(CLAN)
        (response,), closed = receive(connection)
        assert (response.status, body_of(response), closed) == (408, TIMED_OUT, True)


def test_a_connection_without_requests_ends(recorded_sqlite: str) -> None:
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app, timeout_keep_alive=1) as port:
        responses, closed = exchange(port, CLAN + END)
        assert ([response.status for response in responses], closed) == ([200], True)
        # Empty lines are no request, and neither is the rest of a body that nobody reads.
        responses, closed = exchange(port, CLAN + END + END)
        assert ([response.status for response in responses], closed) == ([200], True)
        responses, closed = exchange(port, CLAN + b"Content-Length: 9\r\n\r\na")
        assert ([response.status for response in responses], closed) == ([200], True)


def test_an_upload_may_take_longer_than_a_head(hurried: int) -> None:
    with socket.create_connection(("127.0.0.1", hurried), timeout=5) as connection:
        connection.sendall(POST + SIGNED + b"Content-Length: 3\r\n\r\na")
        time.sleep(1.5)
        connection.sendall(b"bc")
        responses, _ = receive(connection, silence=1)
    assert [response.status for response in responses] == [415]


def test_a_body_that_is_too_slow_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, recorded_sqlite: str
) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", 0.5)
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(POST + SIGNED + b"Content-Length: 9\r\n\r\na")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("sent", [b"\0", POST + SIGNED + CHUNKED + b"\r\nzz\r\n", CLAN + END + b"\0"])
def test_a_connection_does_not_stay_open_after_a_refusal(
    monkeypatch: pytest.MonkeyPatch, recorded_sqlite: str, sent: bytes
) -> None:
    monkeypatch.setattr(protocol, "LINGER", 0.5)
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        responses, closed = receive(connection)
        assert (responses[-1].status, closed) == (400, True)
        # That was the server's side. What is sent is dropped, until the connection is reset.
        with pytest.raises(ConnectionError):
            send_for(connection, 10)


def send_for(connection: socket.socket, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.sendall(b"x" * 100)
        time.sleep(0.05)


def test_a_refusal_does_not_have_the_message_of_the_request_before(port: int) -> None:
    failing = b"GET /v1/get_clan?id=999 HTTP/1.1\r\n" + HOST + END
    # The end of this one is parsed after the first two, while the first one is being answered.
    long = CLAN + b"X: " + b"a" * protocol.PIECE + END + END
    responses, closed = exchange(port, failing * 2 + long + b"BREW / HTTP/1.1\r\n" + HOST + END)
    assert closed
    assert [response.status for response in responses] == [404, 404, 200, 400]
    assert body_of(responses[-1]) == {"status": NOT_HTTP}


@pytest.mark.parametrize(
    ("sent", "has_body"),
    [
        (b"HEAD /v1/get_clan?id=1 HTTP/1.1\r\n" + HOST + HOST + END, False),
        (b"HEAD /v1/get_clan?id=1 HTTP/1.1\r\n" + HOST + CHUNKED + END + b"zz\r\n", False),
        # The method of this one is not known, whatever the one before was.
        (
            b"HEAD /v1/get_clan?id=1 HTTP/1.1\r\n"
            + HOST
            + END
            + b"head /v1/get_clan?id=1 HTTP/1.1\r\n"
            + HOST
            + END,
            True,
        ),
    ],
)
def test_the_refusal_of_a_head_request_has_no_body(port: int, sent: bytes, has_body: bool) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    _, _, body = received[received.index(b"HTTP/1.1 400 ") :].partition(b"\r\n\r\n")
    assert bool(body) == has_body


class Endless:
    """An application that sends a response without an end, and notes what becomes of it."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending() -> None:
            while True:
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
                await asyncio.sleep(0)

        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            task = asyncio.create_task(sending())
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                task.cancel()
                self.ended.set()


def test_a_client_that_disconnects_while_a_request_is_queued(caplog: pytest.LogCaptureFixture) -> None:
    app = Endless()
    with serving(app, lifespan="off") as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(CLAN + END + CLAN + END)
            assert connection.recv(65536)
        assert app.ended.wait(10)
    assert "Traceback" not in caplog.text


def test_an_application_sees_that_a_client_has_left() -> None:
    left = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    with serving(app, lifespan="off") as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(POST + b"Content-Length: 3\r\n\r\nabc")
            time.sleep(0.2)
        assert left.wait(10)


def test_no_more_connections_than_there_are_files(monkeypatch: pytest.MonkeyPatch, recorded_sqlite: str) -> None:
    monkeypatch.setattr(protocol, "max_connections", lambda: 2)
    app = build(Settings(database_url=Secret(recorded_sqlite), access_log=False), open_services)
    with serving(app) as port:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as first,
            socket.create_connection(("127.0.0.1", port), timeout=5),
        ):
            first.sendall(CLAN + END)
            assert first.recv(100).startswith(b"HTTP/1.1 200 ")
            (response,), closed = exchange(port, b"")
            assert (response.status, body_of(response)) == (503, {"status": "There are too many connections."})
            assert (response.headers["retry-after"], closed) == ("1", True)
        # A connection that was refused does not count.
        deadline = time.monotonic() + 5
        while exchange(port, CLAN + CLOSE + END).responses[0].status != 200:
            assert time.monotonic() < deadline


def test_the_number_of_connections_leaves_files_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, connections in ((1024, 768), (100, 64), (1_000_000, 4096), (RLIM_INFINITY, 4096)):
        monkeypatch.setattr(protocol, "getrlimit", lambda _, files=files: (files, files))
        protocol.max_connections.cache_clear()
        assert protocol.max_connections() == connections
    protocol.max_connections.cache_clear()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/fork/x", {"status": "The API is being restarted."}),
        ("/v2/x", {"status": "error", "error": "The API is being restarted."}),
    ],
)
def test_a_request_that_a_stop_cuts_off(
    recorded_sqlite: str, path: str, body: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "apidot")
    with game_server() as server:
        server.mode = "hung"
        settings = Settings(database_url=Secret(recorded_sqlite), game_server_url=Secret(server.url))
        with socket.socket() as connection:
            with serving(build(settings, open_services), timeout_graceful_shutdown=1) as port:
                connection.connect(("127.0.0.1", port))
                connection.sendall(f"GET {path} HTTP/1.1\r\n".encode() + HOST + END)
                time.sleep(0.3)
            (response,), closed = receive(connection)
    assert (response.status, body_of(response), closed) == (503, body, True)
    assert (response.headers["retry-after"], response.headers["connection"]) == ("5", "close")
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if re.search(rf'path="{path}" status=503 ', line)]
    assert [line for line in lines if line.endswith("requests in flight: 0 answered, 1 cut off")]
    assert "Traceback" not in caplog.text


def test_a_response_that_a_stop_cuts_off(recorded_sqlite: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "apidot")
    with game_server() as server:
        settings = Settings(database_url=Secret(recorded_sqlite), game_server_url=Secret(server.url))
        with socket.socket() as connection:
            with serving(build(settings, open_services), timeout_graceful_shutdown=1) as port:
                connection.connect(("127.0.0.1", port))
                connection.sendall(b"GET /fork/stream HTTP/1.1\r\n" + HOST + END)
                time.sleep(0.3)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\nfirst")
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.endswith("requests in flight: 0 answered, 1 cut off")]
    assert "Traceback" not in caplog.text
