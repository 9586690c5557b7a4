"""Ways that can be interrupted: bytes pass, then none do, then they do again on a new connection."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.network import Link, network, relay

WAYS = {"network": network, "relay": relay}


class Echo(socketserver.StreamRequestHandler):
    """Greets, then returns what it receives."""

    def handle(self) -> None:
        self.wfile.write(b"hello\n")
        for line in self.rfile:
            self.wfile.write(line)


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    """The unix socket of a running server."""
    with Server(str(tmp_path / "socket"), Echo) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield str(tmp_path / "socket")
        server.shutdown()


def connect(link: Link, seconds: float) -> socket.socket:
    """Return a connection, after the greeting."""
    client = socket.create_connection((link.host, link.port), timeout=seconds)
    try:
        assert client.recv(6) == b"hello\n"
    except BaseException:
        client.close()
        raise
    return client


@pytest.mark.parametrize("way", WAYS)
def test_nothing_passes_until_the_way_is_restored(way: str, path: str) -> None:
    with WAYS[way](path) as link, connect(link, 10) as open_before:
        open_before.sendall(b"first\n")
        assert open_before.recv(6) == b"first\n"
        link.cut()
        open_before.sendall(b"later\n")
        open_before.settimeout(0.3)
        with pytest.raises(TimeoutError):
            open_before.recv(6)
        with pytest.raises(TimeoutError):
            connect(link, 0.3)
        link.restore()
        with connect(link, 10) as open_after:
            open_after.sendall(b"again\n")
            assert open_after.recv(6) == b"again\n"
        # Bytes sent meanwhile were late, not lost.
        open_before.settimeout(10)
        assert open_before.recv(6) == b"later\n"


@pytest.mark.parametrize("way", WAYS)
def test_without_a_server_connections_are_closed(way: str, tmp_path: Path) -> None:
    with WAYS[way](str(tmp_path / "nobody")) as link, pytest.raises((ConnectionResetError, AssertionError)):
        connect(link, 10)
