"""Run HAProxy with the shipped configuration, in which only ports, addresses and paths are changed."""

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support import install
from tests.support.nginx import rendered
from tests.support.processes import Process, free_port

SHIPPED = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
SOCKET = "/run/haproxy/admin.sock"


class HAProxy(NamedTuple):
    """A running HAProxy: the ports of its two blocks, and its socket for commands."""

    galera: int
    primary: int
    socket: Path

    def command(self, *commands: str) -> str:
        """Run commands. Return what HAProxy answers. Raises OSError."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall("; ".join(commands).encode() + b"\n")
            answer = b""
            while received := connection.recv(1 << 16):
                answer += received
            return answer.decode()


@contextmanager
def haproxy(a: int, b: int, changes: Mapping[str, str] = {}) -> Iterator[HAProxy]:
    """Run HAProxy before the ports of two servers, which are those of both blocks."""
    binary = install.require(install.HAPROXY)
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        folder = Path(name)
        running = HAProxy(free_port(), free_port(), folder / "socket")
        replacements = {
            SOCKET: str(running.socket),
            "127.0.0.1:3307": f"127.0.0.1:{running.galera}",
            "127.0.0.1:3308": f"127.0.0.1:{running.primary}",
            **{f"192.0.2.{number}:3306": f"127.0.0.1:{port}" for number, port in enumerate((a, b, a, b), 1)},
        }
        file = folder / "haproxy.cfg"
        file.write_text(rendered(SHIPPED.read_text(), {**changes, **replacements}))
        # -dW: a warning is an error.
        command = [binary, "-db", "-dW", "-f", str(file)]
        # The socket gets its name last.
        with Process(command, ready=running.socket.exists, log=folder / "log"):
            yield running
