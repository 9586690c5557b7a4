"""A TCP server in the place of Redis, whose answers a test chooses byte by byte."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase

# An answer to a command: chunks of bytes, after which the connection stays open. A number is a pause in seconds,
# None closes the connection.
Answer = Iterator[bytes | float | None]
HANDSHAKE = (b"AUTH", b"CLIENT", b"HELLO", b"SELECT")


class RedisStub:
    """Tests may change `answer`, which is called with each command, and `handshake`, at any time."""

    def __init__(self) -> None:
        self.answer: Callable[[list[bytes]], Answer] = lambda _: iter([b"+OK\r\n"])
        # The answer to the commands that a client sends when it has connected.
        self.handshake: bytes = b"+OK\r\n"
        self.commands: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/1"

    def respond(self, command: list[bytes]) -> Answer:
        name = command[0].upper()
        if name in HANDSHAKE:
            return iter([self.handshake])
        self.commands.append(name)
        return self.answer(command)


@contextmanager
def redis_stub(port: int = 0) -> Iterator[RedisStub]:
    """Run the server, by default on a free port. Its connections end with it."""
    stub = RedisStub()
    connections: set[socket.socket] = set()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            connections.add(self.connection)
            try:
                while True:
                    for part in stub.respond(read_command(self.rfile)):
                        if part is None:
                            return
                        if isinstance(part, bytes):
                            self.wfile.write(part)
                        else:
                            time.sleep(part)
            except (OSError, EOFError):
                return
            finally:
                connections.discard(self.connection)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", port), Handler) as server:
        # A thread may be in a pause.
        server.block_on_close = False
        stub.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
            for connection in list(connections):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def read_command(stream: BufferedIOBase) -> list[bytes]:
    """Return a command and its arguments. Raise EOFError at the end of the stream."""
    line = stream.readline()
    if not line:
        raise EOFError
    command = []
    for _ in range(int(line[1:])):
        length = int(stream.readline()[1:])
        command.append(stream.read(length))
        stream.read(2)
    return command
