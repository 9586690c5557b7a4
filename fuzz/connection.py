"""A connection that sends any bytes, and on which responses must be complete and nothing more."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self, cast

import h11

# For h11 only: whether there is a body depends on the method.
GET, HEAD = (h11.Request(method=method, target="/", headers=[("Host", "a")]) for method in ("GET", "HEAD"))
# More than the largest response, which is a part of the pages at /docs.
MAX_RESPONSE = 8 * 2**20


class Wrong(Exception):
    """What the server sent, or did not send, is against HTTP. The message says in which way."""


class Reset(Wrong):
    """The server has reset the connection."""


class Response(NamedTuple):
    """A response with its header names in lower case. `closes`: it is the last one on its connection."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    closes: bool

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, which is given in lower case."""
        return [value for header, value in self.headers if header == name]


class Connection(asyncio.Protocol):
    """A connection of a client."""

    def __init__(self, bound: float) -> None:
        self._bound = bound
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ended = self._reset = False
        self._news = asyncio.Event()

    @classmethod
    async def open(cls, host: str, port: int, bound: float) -> Self:
        """Connect to a server. It may be silent for `bound` seconds while something is expected of it.

        Raise Wrong.
        """
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: cls(bound), host, port)
        except OSError as error:
            raise Wrong(f"no connection: {error}") from None
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._news.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._news.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._reset = exc is not None
        self._transport = None
        self._news.set()

    async def send(self, data: bytes, cuts: Sequence[int] = ()) -> None:
        """Send `data`, divided at the positions `cuts`."""
        for start, stop in zip((0, *cuts), (*cuts, len(data)), strict=True):
            if start:
                await asyncio.sleep(0.001)
            if self._transport:
                self._transport.write(data[start:stop])

    def end(self) -> None:
        """Shut down the sending side."""
        if self._transport and not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    async def _more(self) -> bytes:
        """Return what has been received, empty at the end of the connection. Raise Wrong."""
        while not self._received and not self._ended:
            self._news.clear()
            try:
                async with asyncio.timeout(self._bound):
                    await self._news.wait()
            except TimeoutError:
                raise Wrong(f"nothing came for {self._bound:g} s") from None
        if self._reset and not self._received:
            raise Reset("the connection was reset")
        data = bytes(self._received)
        self._received.clear()
        return data

    async def response(self, *, head: bool = False) -> Response | None:
        """Return the next response, or None if the connection has ended before one. Raise Wrong.

        `head`: it is the one to a HEAD request.
        """
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=256 * 1024)
        parser.send(HEAD if head else GET)
        parser.send(h11.EndOfMessage())
        data = await self._more()
        if not data:
            return None
        parser.receive_data(data)
        first: h11.Response | None = None
        body = bytearray()
        try:
            while not isinstance(event := parser.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    parser.receive_data(await self._more())
                elif isinstance(event, h11.Response):
                    first = event
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > MAX_RESPONSE:
                        raise Wrong("the response is endless")
        except h11.RemoteProtocolError as error:
            raise Wrong(f"not valid HTTP: {error}: {bytes(data[:300])!r}") from None
        assert first
        self._received[:0] = parser.trailing_data[0]
        return Response(first.status_code, list(first.headers), bytes(body), parser.their_state is h11.MUST_CLOSE)

    def unexpected(self) -> bytes:
        """Return what was received without having been asked for."""
        return bytes(self._received)

    async def finish(self) -> None:
        """Wait for the end of a connection that the server has said to close. Raise Wrong if there is more."""
        self.end()
        # It may be reset if the server has not read all that was sent.
        with suppress(Reset):
            if rest := await self._more():
                raise Wrong(f"more than the response: {rest[:300]!r}")
