"""What a client without an API key may send: it costs little memory, and does not delay other clients."""

import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from api import protocol
from tests.api.test_protocol import Endless, serving
from tests.conftest import Running, running
from tests.support import conformance
from tests.support.raw_client import exchange, receive

HOST = b"Host: api.example.com\r\n"
CLAN = b"GET /v1/get_clan?id=1 HTTP/1.1\r\n" + HOST
REPLAY = b"GET /v1/get_replay?id=483 HTTP/1.1\r\n" + HOST
CHUNKED = b"POST /v1/nothing HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 2**20


@pytest.fixture
def here(recorded_sqlite: str) -> Iterator[Running]:
    """A service of one test, without limits."""
    settings = {"data_directory": str(conformance.WORLD), "rate_limit_exempt": "127.0.0.0/8", "access_log": "off"}
    with running(database_url=recorded_sqlite, **settings) as service:
        yield service


class OtherClient(threading.Thread):
    """Sends one request after another, and measures how long each takes."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._ended = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=60) as connection:
            while not self._ended.wait(0.005):
                begun = time.perf_counter()
                connection.sendall(CLAN + b"\r\n")
                while not connection.recv(65536).endswith(b"}"):
                    pass
                self.seconds.append(time.perf_counter() - begun)

    def __enter__(self) -> "OtherClient":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def memory(here: Running, kind: str) -> float:
    """Return the memory of the service, in MiB: VmRSS is what it uses, VmHWM the most so far."""
    status = Path(f"/proc/{here.process.pid}/status").read_text()
    return int(re.findall(rf"{kind}:\s+(\d+)", status)[0]) / 1024


def endless(connection: socket.socket, begin: bytes, repeat: bytes) -> None:
    """Send `repeat` for 4 s, or until the connection is closed."""
    connection.settimeout(0.5)
    block, end = repeat * (MIB // len(repeat)), time.monotonic() + 4
    connection.sendall(begin)
    sent = 0
    while time.monotonic() < end:
        with suppress(TimeoutError):
            # As much as there is room for: the next block goes on where this one ends.
            sent += connection.send(block[sent % len(repeat) :])


def reading(pause: float) -> Callable[[socket.socket, bytes, bytes], None]:
    """Return `endless` with a thread that reads 4 KiB of the responses after each pause."""

    def attack(connection: socket.socket, begin: bytes, repeat: bytes) -> None:
        def read() -> None:
            with suppress(OSError):
                while connection.recv(4096):
                    time.sleep(pause)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            endless(connection, begin, repeat)
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            reader.join()

    return attack


ATTACKS: dict[str, tuple[Callable[[socket.socket, bytes, bytes], None], bytes, bytes]] = {
    "requests, responses not read": (endless, b"", CLAN + b"\r\n"),
    "requests, responses read slowly": (reading(0.01), b"", CLAN + b"\r\n"),
    "requests, responses read": (reading(0), b"", CLAN + b"\r\n"),
    "short requests": (reading(0), b"", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    "requests for replays": (reading(0), b"", REPLAY + b"\r\n"),
    "requests that ask for an upgrade": (
        reading(0),
        b"",
        CLAN + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ),
    "a long header": (endless, CLAN + b"X: ", b"x"),
    "many headers": (endless, CLAN, b"X: y\r\n"),
    "a long target": (endless, b"GET /", b"x"),
    "empty lines": (endless, b"", b"\r\n"),
    "a body": (endless, b"POST /v1/nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 10000000000\r\n\r\n", b"x"),
    "a body of a GET": (endless, CLAN + b"Content-Length: 10000000000\r\n\r\n", b"x"),
    "small chunks": (endless, CHUNKED, b"1\r\nx\r\n"),
    "small chunks of a GET": (endless, CLAN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a long trailer": (endless, CHUNKED + b"0\r\nX: ", b"x"),
    "many trailers": (endless, CHUNKED + b"0\r\n", b"X: y\r\n"),
    "a long extension of a chunk": (endless, CHUNKED + b"1;x=", b"x"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_one_connection(here: Running, name: str) -> None:
    attack, begin, repeat = ATTACKS[name]
    port = here.client.base_url.port or 0
    assert here.client.get("/v1/get_replay?id=483").status_code == 200
    before = memory(here, "VmRSS")
    with OtherClient(port) as other, socket.create_connection(("127.0.0.1", port)) as connection:
        time.sleep(0.2)
        with suppress(ConnectionError):
            attack(connection, begin, repeat)
        time.sleep(0.2)
    grown = memory(here, "VmHWM") - before
    delays = sorted(other.seconds)
    typical, longest = delays[len(delays) * 99 // 100], delays[-1]
    print(f"\n{name}: {grown:.1f} MiB, 99 of 100 within {typical * 1000:.0f} ms, longest {longest * 1000:.0f} ms")
    assert grown < 8
    # On an idle machine it is less than 20 ms.
    assert typical < 0.25
    assert longest < 1
    assert "Traceback" not in here.process.output(200)


def test_connections_with_half_a_head(here: Running) -> None:
    port = here.client.base_url.port or 0
    with ExitStack() as stack:
        with OtherClient(port) as other:
            connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(600)]
            for number, connection in enumerate(connections):
                connection.sendall(CLAN if number % 2 else b"")
        assert max(other.seconds) < 1
        # They have 30 s.
        time.sleep(15)
        assert here.client.get("/v1/get_clan?id=1").status_code == 200
        for connection in connections[:2]:
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        for number, connection in enumerate(connections):
            responses, closed = receive(connection, silence=40)
            assert closed
            assert [response.status for response in responses] == [408] * (number % 2)


def test_more_connections_than_the_service_may_open_files(here: Running) -> None:
    port = here.client.base_url.port or 0
    files = Path(f"/proc/{here.process.pid}/fd")
    resource.prlimit(here.process.pid, resource.RLIMIT_NOFILE, (len(list(files.iterdir())) + 20,) * 2)
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.5)
        before = processor_time(here)
        time.sleep(2)
        assert processor_time(here) - before < 0.5
    deadline = time.monotonic() + 10
    while not exchange(port, CLAN + b"Connection: close\r\n\r\n").responses:
        assert time.monotonic() < deadline
    assert here.process.stop() == 0


def processor_time(here: Running) -> float:
    """Return the seconds of processor time that the service has used."""
    fields = Path(f"/proc/{here.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_client_that_takes_nothing_is_disconnected_and_a_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "SEND_TIMEOUT", 3)
    app = Endless()
    with serving(app, lifespan="off") as port, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        connection.connect(("127.0.0.1", port))
        connection.sendall(CLAN + b"\r\n")
        for _ in range(80):
            assert connection.recv(16384)
            assert not app.ended.wait(0.1)
        assert app.ended.wait(30)
