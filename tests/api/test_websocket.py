"""Connections of WebSockets: which handshakes open one, what a client cannot use up, and how they end."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

import pytest

from api import protocol, websocket
from api.app import build
from api.startup import open_services
from api.v1 import socket as application
from config.settings import Settings
from config.types import Secret
from tests.api.observability.test_logs import requests
from tests.api.test_protocol import CLAN, CLOSE, END, HOST, serving
from tests.conftest import running
from tests.support.raw_client import exchange

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
UPGRADE = b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
GET = b"GET /v1/ws HTTP/1.1\r\n" + HOST
HANDSHAKE = GET + UPGRADE + KEY + VERSION + END
# That of RFC 6455 for the key above.
ACCEPTED = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
NO_SOCKET = {"status": "This is a WebSocket: connect to it with a client for those, with wss:// or ws://."}
CONTINUATION, TEXT, BINARY, CLOSING, PING, PONG = 0, 1, 2, 8, 9, 10
MESSAGE = b'{"type":"ping"}'
REPLY = (TEXT, b'{"type":"pong"}')


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """Return a frame, by default one that a client may send."""
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    size, mask_bit = len(payload), 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += bytes([mask_bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    mask = b"mask"
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class Client(NamedTuple):
    """The client of a WebSocket that sends what it is told to."""

    connection: socket.socket
    received: BinaryIO
    headers: dict[str, str]

    def send(self, *frames: bytes) -> None:
        self.connection.sendall(b"".join(frames))

    def receive(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame. Raise EOFError at the end."""
        head = self.received.read(2)
        if len(head) < 2:
            raise EOFError
        size = head[1] & 0x7F
        assert head[1] < 0x80, "the frames of a server are not masked"
        if size >= 126:
            (size,) = struct.unpack("!H" if size == 126 else "!Q", self.received.read(2 if size == 126 else 8))
        return head[0] & 0x0F, self.received.read(size)

    def end(self) -> tuple[int, str]:
        """Return the code and the reason in the next frame, which must be a close frame."""
        opcode, payload = self.receive()
        assert opcode == CLOSING, payload
        return int.from_bytes(payload[:2]), payload[2:].decode()

    def is_ended(self) -> bool:
        """Return whether the server has closed the connection, after at most five seconds."""
        self.connection.settimeout(5)
        try:
            return self.received.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


@contextmanager
def opened(port: int, sent: bytes = HANDSHAKE) -> Iterator[Client]:
    """Open a WebSocket with that handshake."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        received = connection.makefile("rb")
        assert received.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        headers = {}
        while (line := received.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        yield Client(connection, received, headers)


@contextmanager
def talking(port: int, sent: bytes = HANDSHAKE) -> Iterator[Client]:
    """Open a WebSocket, and take the greeting."""
    with opened(port, sent) as client:
        assert client.receive() == (TEXT, b'{"type":"connected"}')
        yield client


@contextmanager
def serving_sockets(database: str) -> Iterator[int]:
    settings = Settings(database_url=Secret(database), access_log=False, event_streams_per_client=1000)
    with serving(build(settings, open_services), timeout_keep_alive=20) as port:
        yield port


@pytest.fixture(scope="module")
def port(recorded_sqlite: str) -> Iterator[int]:
    """The port of a service."""
    with serving_sockets(recorded_sqlite) as port:
        yield port


# Handshakes.


@pytest.mark.parametrize("path", [b"/v1/ws", b"/api/v1/ws", b"/v1/ws/", b"/api/v1/ws?user=1&token=SECRET"])
def test_a_handshake_opens_a_websocket(port: int, path: bytes) -> None:
    with talking(port, HANDSHAKE.replace(b"/v1/ws", path)) as client:
        assert client.headers["sec-websocket-accept"] == ACCEPTED
        assert client.headers["upgrade"] == "websocket"
        assert client.headers["connection"] == "Upgrade"
        assert "date" in client.headers
        client.send(frame(TEXT, MESSAGE))
        assert client.receive() == REPLY


def test_nothing_is_compressed(port: int) -> None:
    asked = GET + UPGRADE + KEY + VERSION + b"Sec-WebSocket-Extensions: permessage-deflate\r\n" + END
    with talking(port, asked) as client:
        assert "sec-websocket-extensions" not in client.headers


@pytest.mark.parametrize(
    "sent",
    [
        GET + END,
        GET + UPGRADE + KEY + END,
        GET + UPGRADE + KEY + VERSION.replace(b"13", b"8") + END,
        GET + UPGRADE + KEY + VERSION * 2 + END,
        GET + UPGRADE + VERSION + END,
        GET + UPGRADE + VERSION + KEY * 2 + END,
        GET + UPGRADE + VERSION + b"Sec-WebSocket-Key: short\r\n" + END,
        GET + UPGRADE + VERSION + b"Sec-WebSocket-Key: " + b"A" * 30_000 + b"\r\n" + END,
        GET + UPGRADE + VERSION + b"Sec-WebSocket-Key: \xff\xfe\r\n" + END,
        GET + UPGRADE.replace(b"websocket", b"h2c") + KEY + VERSION + END,
        GET + UPGRADE.replace(b"websocket", b"websocket, h2c") + KEY + VERSION + END,
        GET + b"Upgrade: websocket\r\n" + KEY + VERSION + END,
        HANDSHAKE.replace(b"1.1", b"1.0"),
        HANDSHAKE[:-2] + b"Content-Length: 4\r\n\r\nbody",
        HANDSHAKE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_request_that_is_no_handshake_is_told_what_is_there(port: int, sent: bytes) -> None:
    (response,), _ = exchange(port, sent, shut_down=True)
    assert response.status == 426
    assert response.headers["content-type"] == "application/json"
    assert response.headers["upgrade"] == "websocket"
    assert response.headers["sec-websocket-version"] == "13"
    assert json.loads(response.body) == NO_SOCKET


def test_other_methods_are_not_allowed(port: int) -> None:
    (response,), _ = exchange(port, HANDSHAKE.replace(b"GET", b"POST"), shut_down=True)
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_websocket_may_begin_on_a_connection_that_had_requests(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(CLAN + END)
        answered = connection.recv(65536)
        assert answered.startswith(b"HTTP/1.1 200 OK")
        connection.sendall(HANDSHAKE)
        received = connection.makefile("rb")
        while received.readline() != b"\r\n":
            pass
        client = Client(connection, received, {})
        assert client.receive() == (TEXT, b'{"type":"connected"}')


def test_a_handshake_behind_a_request_that_is_being_answered_is_an_ordinary_request(port: int) -> None:
    responses, _ = exchange(port, CLAN + END + HANDSHAKE + CLAN + CLOSE + END)
    assert [response.status for response in responses] == [200, 426, 200]


def test_what_follows_the_handshake_at_once_is_read(port: int) -> None:
    with talking(port, HANDSHAKE + frame(TEXT, MESSAGE) * 2) as client:
        assert client.receive() == client.receive() == REPLY


def test_what_follows_the_handshake_in_a_large_packet_is_read(port: int) -> None:
    # More than is parsed at a time.
    padding = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 1000) for number in range(30))
    with talking(port, HANDSHAKE[:-2] + padding + END + frame(TEXT, MESSAGE)) as client:
        assert client.receive() == REPLY


def test_a_request_that_follows_the_handshake_is_no_frame(port: int) -> None:
    with opened(port, HANDSHAKE + CLAN + END) as client:
        assert client.receive() == (TEXT, b'{"type":"connected"}')
        code, _ = client.end()
        assert code == 1002
        assert client.is_ended()


def test_a_handshake_counts_and_is_logged_like_a_request(recorded_sqlite: str) -> None:
    settings = {"rate_limit": "0.01", "rate_limit_burst": "1", "rate_limit_exempt": ""}
    with running(database_url=recorded_sqlite, **settings) as here:
        port = here.client.base_url.port or 0
        forged = b"X-Forwarded-For: 192.0.2.7\r\n"
        with talking(port, GET + b"X-Request-ID: abc\r\n" + forged + HANDSHAKE.removeprefix(GET)) as client:
            assert client.headers["ratelimit-remaining"] == "0"
            assert client.headers["x-request-id"] == "abc"
            client.send(frame(CLOSING))
        with talking(port, HANDSHAKE.replace(b"/ws", b"/ws?token=SECRET")) as client:
            client.send(frame(CLOSING))
        (response,), closed = exchange(port, HANDSHAKE)
        assert (response.status, closed) == (429, True)
        assert json.loads(response.body)["status"].startswith("Too many requests: 1 may come at once")
        assert int(response.headers["retry-after"]) > 0
        # The refused one ends first.
        lines = {(line["path"], line["status"]): line for line in requests(here, 3)}
        assert lines.keys() == {("/v1/ws", "101"), ("/v1/ws?token=…", "101"), ("/v1/ws", "429")}
        line = lines["/v1/ws", "101"]
        assert (line["client"], line["route"], line["id"]) == ("192.0.2.7", "/v1/ws", "abc")
        assert line["bytes"] == str(len('{"type":"connected"}'))


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("https://a.example", "http://[", False),
        ("*", "https://other.test", True),
        ("*", "null", True),
        ("https://web.example.test", "https://WEB.example.test", True),
        ("https://web.example.test", "https://other.test", False),
        # The pages of the service itself.
        ("https://web.example.test", "https://api.example.com", True),
        ("", "https://other.test", False),
        ("", None, True),
    ],
)
def test_scripts_that_may_not_read_responses_open_no_websocket(
    recorded_sqlite: str, origins: str, origin: str | None, allowed: bool
) -> None:
    header = f"Origin: {origin}\r\n".encode() if origin else b""
    sent = HANDSHAKE[:-2] + header + END
    with running(database_url=recorded_sqlite, cors_origins=origins) as here:
        port = here.client.base_url.port or 0
        if allowed:
            with talking(port, sent):
                return
        (response,), closed = exchange(port, sent)
        assert (response.status, closed) == (403, True)
        assert json.loads(response.body) == {"status": "Scripts of this origin may not read the API."}


# Messages.


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_message_may_come_in_fragments_with_pings_between_them(port: int, size: int) -> None:
    parts = [MESSAGE[start : start + size] for start in range(0, len(MESSAGE), size)]
    with talking(port) as client:
        for number, part in enumerate(parts):
            final = number == len(parts) - 1
            client.send(frame(CONTINUATION if number else TEXT, part, final=final))
            if not final:
                client.send(frame(CONTINUATION, final=False), frame(PING, b"%d" % number))
                assert client.receive() == (PONG, b"%d" % number)
        assert client.receive() == REPLY


def test_every_byte_may_come_alone(port: int) -> None:
    with talking(port) as client:
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(TEXT, MESSAGE):
            client.send(bytes([byte]))
        assert client.receive() == REPLY


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, MESSAGE, masked=False), 1002),
        (frame(TEXT, MESSAGE, reserved=4), 1002),
        (frame(3, MESSAGE), 1002),
        (frame(11, MESSAGE), 1002),
        (frame(CONTINUATION, MESSAGE), 1002),
        (frame(TEXT, MESSAGE, final=False) + frame(TEXT, MESSAGE), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, final=False), 1002),
        (frame(CLOSING, b"\x03"), 1002),
        (frame(CLOSING, struct.pack("!H", 1006)), 1002),
        (frame(CLOSING, struct.pack("!H", 1000) + b"\xff"), 1007),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xe2\x82", final=False) + frame(CONTINUATION, b"x"), 1007),
        (frame(TEXT, b"x" * 16385), 1009),
        (frame(BINARY, b"x" * 16385), 1009),
        (frame(TEXT, b"x" * 16384, final=False) + frame(CONTINUATION, b"x"), 1009),
        # The size alone is enough.
        (b"\x81\xff" + struct.pack("!Q", 2**62) + b"mask", 1009),
        (frame(TEXT, b"x" * 1_000_000), 1009),
    ],
)
def test_what_is_not_allowed_ends_the_websocket_with_its_code(port: int, sent: bytes, code: int) -> None:
    with talking(port) as client:
        client.send(sent)
        assert client.end()[0] == code
        assert client.is_ended()
    (response,), _ = exchange(port, CLAN + CLOSE + END)
    assert response.status == 200


def test_a_message_of_the_greatest_size_is_read(port: int) -> None:
    with talking(port) as client:
        client.send(frame(TEXT, MESSAGE.ljust(16384)))
        assert client.receive() == REPLY


def test_too_many_frames_end_the_websocket(port: int) -> None:
    with talking(port) as client:
        client.send(frame(PONG) * (websocket.MAX_FRAMES - 1), frame(TEXT, MESSAGE))
        assert client.receive() == REPLY
        client.send(frame(PONG))
        assert client.end() == (1008, "more than 200 frames in 10 seconds")
        assert client.is_ended()


def test_the_client_may_end_it(port: int) -> None:
    with talking(port) as client:
        client.send(frame(TEXT, MESSAGE), frame(CLOSING, struct.pack("!H", 4321) + b"bye"), frame(TEXT, MESSAGE))
        received = [client.receive()]
        if received == [REPLY]:
            received.append(client.receive())
        assert received[-1] == (CLOSING, struct.pack("!H", 4321) + b"bye")
        assert client.is_ended()


# Clients that do not read, or have left.


def test_a_client_that_does_not_answer_pings_is_disconnected(
    recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "PING_INTERVAL", 0.3)
    with serving_sockets(recorded_sqlite) as port, talking(port) as silent, talking(port) as alive:
        for _ in range(5):
            assert alive.receive() == (PING, b"")
            alive.send(frame(PONG))
        assert silent.receive() == (PING, b"")
        assert silent.is_ended()


def test_a_client_that_reads_nothing_cannot_make_the_service_keep_what_it_sends(
    recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MAX_FRAMES", 10**9)
    pings = frame(PING, b"x" * 125) * 10_000
    with serving_sockets(recorded_sqlite) as port, talking(port) as client:
        client.connection.settimeout(1)
        sent = 0
        with suppress(TimeoutError):
            while sent < 50_000_000:
                client.send(pings)
                sent += len(pings)
    # What both systems keep of it, in both directions.
    assert sent < 30_000_000


def test_a_client_that_does_not_finish_the_closing_handshake_is_disconnected(
    recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT", 0.3)
    with serving_sockets(recorded_sqlite) as port, talking(port) as client:
        client.send(frame(TEXT, b"\xff"))
        client.end()
        for _ in range(100):
            try:
                client.send(frame(TEXT, MESSAGE))
            except OSError:
                return
            time.sleep(0.05)
    pytest.fail("the server goes on reading")


def test_websockets_count_as_connections(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "max_connections", lambda: 2)
    with serving_sockets(recorded_sqlite) as port:
        with talking(port), talking(port):
            (response,), closed = exchange(port, CLAN + END)
            assert (response.status, closed) == (503, True)
        # Their places are free again.
        for _ in range(100):
            (response,), _ = exchange(port, CLAN + CLOSE + END)
            if response.status == 200:
                break
            time.sleep(0.05)
        assert response.status == 200


# The end of the service, and faults of the application.


def test_all_websockets_end_when_the_service_stops(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite) as here:
        port = here.client.base_url.port or 0
        with talking(port) as polite, talking(port) as silent:
            assert here.process.stop() == 0
            assert polite.end() == (1012, "")
            assert silent.end() == (1012, "")
        assert "Traceback" not in here.process.output(500)
        assert "cut off" not in here.process.output(500) or "0 cut off" in here.process.output(500)


async def fail(*_: object) -> None:
    raise RuntimeError("a fault")


async def leave(*_: object) -> None:
    pass


@pytest.mark.parametrize(("run", "code"), [(fail, 1011), (leave, 1000)])
def test_an_application_that_ends_ends_the_websocket(
    port: int, monkeypatch: pytest.MonkeyPatch, run: Callable[..., object], code: int
) -> None:
    monkeypatch.setattr(application.Dialogue, "run", run)
    with opened(port) as client:
        assert client.end() == (code, "")


def test_a_fault_before_the_websocket_is_open_is_a_500(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "check_origin", lambda *_: 1 / 0)
    (response,), closed = exchange(port, HANDSHAKE)
    assert (response.status, closed) == (500, True)
    assert json.loads(response.body) == {"status": "Internal server error."}
    assert response.headers["content-type"] == "application/json"
