"""A server that speaks the protocol of Redis and answers commands with nonsense."""

import itertools
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase

# What clients send when they connect. A sensible answer to it lets them go on to the commands.
GREETINGS = {b"AUTH", b"CLIENT", b"HELLO", b"SELECT"}
SILENCE = b""
REPLIES = (
    b"$-1\r\n",  # nil
    b"*-1\r\n",
    b"+text\r\n",
    b"$4\r\ntext\r\n",
    b":7\r\n",
    b":99999999999999999999999999\r\n",
    b"*0\r\n",
    b"*1\r\n:1\r\n",
    b"*3\r\n$-1\r\n+text\r\n:-5\r\n",
    b"*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n",
    b"*16\r\n" + b"$4\r\ntext\r\n" * 16,
    b"*16\r\n" + b":-1\r\n" * 16,
    b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    b"-READONLY You can't write against a read only replica.\r\n",
    b"-BUSY Redis is busy running a script.\r\n",
    b"-MOVED 3999 127.0.0.1:1\r\n",
    b"-NOSCRIPT No matching script.\r\n",
    b"%1\r\n+a\r\n+b\r\n",
    b"$999999999\r\nshort\r\n",
    b"*2\r\n:1\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x00\xff\xfe garbage \r\n",
    SILENCE,
)


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.server.connections.add(self.connection)
        try:
            for name in _commands(self.rfile):
                self.wfile.write(b"+OK\r\n" if name in GREETINGS else next(self.server.replies))
        except (OSError, ValueError):
            return
        finally:
            self.server.connections.discard(self.connection)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.replies = itertools.cycle(REPLIES)
        self.connections: set[socket.socket] = set()


def _commands(received: BufferedIOBase) -> Iterator[bytes]:
    """Yield the name of each command of a connection."""
    while line := received.readline():
        words = []
        for _ in range(int(line[1:])):
            words.append(received.read(int(received.readline()[1:])))
            received.readline()
        yield words[0].upper()


@contextmanager
def nonsense(port: int) -> Iterator[None]:
    """Run the server on a port of this machine. Each command gets the next one of REPLIES."""
    with _Server(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            for connection in list(server.connections):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
