"""A client that sends a URL unchanged, where httpx corrects or refuses it, and takes a fifth of the time."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Self


class Response(NamedTuple):
    """A response, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    """Sends GET requests on one connection, and on a new one after a response that closes it."""

    def __init__(self, host: str, port: int, headers: dict[str, str]) -> None:
        self._address = host, port
        lines = {"Host": host, **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        self._socket: socket.socket | None = None
        self._received: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket and self._received:
            self._received.close()
            self._socket.close()
        self._socket = self._received = None

    def get(self, target: str) -> Response:
        """Return the response to a percent-encoded target."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=30)
            self._received = self._socket.makefile("rb")
        assert self._received
        self._socket.sendall(f"GET {target} HTTP/1.1\r\n{self._head}".encode("ascii"))
        status = int(self._received.readline().split()[1])
        headers = {}
        while (line := self._received.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self._received.read(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.__exit__()
        return Response(status, headers, body)


class Exchange(NamedTuple):
    """What a server sent, and whether it then closed the connection."""

    responses: list[Response]
    closed: bool


def exchange(port: int, sent: bytes, *, shut_down: bool = False, silence: float = 5) -> Exchange:
    """Send bytes on a connection, and return what comes back.

    Receiving ends when the server closes the connection, or sends nothing for `silence` seconds. With `shut_down`,
    the sending side is shut down after the bytes.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # The server may close the connection before it has read everything.
        with suppress(OSError):
            connection.sendall(sent)
            if shut_down:
                connection.shutdown(socket.SHUT_WR)
        return receive(connection, silence)


def receive(connection: socket.socket, silence: float = 5) -> Exchange:
    """Return what comes back on a connection, as `exchange` does."""
    connection.settimeout(silence)
    received = bytearray()
    closed = False
    try:
        while chunk := connection.recv(65536):
            received += chunk
        closed = True
    except TimeoutError:
        pass
    except ConnectionResetError:
        closed = True
    return Exchange(list(parsed(bytes(received))), closed)


def parsed(received: bytes) -> Iterator[Response]:
    """Yield the responses in the bytes, those with status 100 too. Raise ValueError if one is incomplete."""
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status, size = int(status_line.split()[1]), int(headers.get("content-length", 0))
        if len(received) < size:
            raise ValueError(f"a body of {size} bytes breaks off: {received!r}")
        yield Response(status, headers, received[:size])
        received = received[size:]
