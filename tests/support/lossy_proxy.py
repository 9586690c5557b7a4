"""A TCP proxy before a MySQL server: it stops passing bytes, closes connections, or answers statements itself."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CHUNK = 1 << 16
COM_QUERY = 3


class Refusal(NamedTuple):
    """An error that the proxy answers to statements that begin with `prefix`, in place of the server."""

    prefix: bytes
    packet: bytes


class _Connection:
    """A connection of a client, with the connection to the server that it is passed on to."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.writers = [client]
        # Bytes of the server that are still passed while the proxy stalls.
        self.left = 0
        self.flowing = asyncio.Event()
        self.is_forgotten = False


class LossyProxy:
    """The proxy. Its methods are called from the thread of the test."""

    def __init__(self, target: int) -> None:
        """New connections lead to the port `target` of this machine."""
        self.target = target
        self.port = 0
        # How many connections it has accepted.
        self.accepted = 0
        self._connections: set[_Connection] = set()
        self._stalled_after: int | None = None
        self._refusals: list[Refusal] = []
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    @property
    def open(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def stall(self, after: int = 0) -> None:
        """Pass `after` more bytes from the server on each connection, and then none.

        With 0, pass none from the client either.
        """

        def stall() -> None:
            self._stalled_after = after
            for connection in self._connections:
                connection.flowing.clear()
                connection.left = after

        self._call(stall)

    def resume(self) -> None:
        """Pass what was held back, and everything that follows."""

        def resume() -> None:
            self._stalled_after = None
            for connection in self._connections:
                if not connection.is_forgotten:
                    connection.flowing.set()

        self._call(resume)

    def forget(self) -> None:
        """Pass nothing on the present connections, ever again. New ones are passed on."""

        def forget() -> None:
            for connection in self._connections:
                connection.is_forgotten = True
                connection.flowing.clear()
                connection.left = 0

        self._call(forget)

    def reset(self) -> None:
        """Close all connections of clients with a RST packet."""

        def reset() -> None:
            for connection in self._connections:
                client = connection.writers[0]
                linger = struct.pack("ii", 1, 0)
                client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                for writer in connection.writers:
                    writer.transport.abort()

        self._call(reset)

    def refuse(self, prefix: str, number: int, message: str, times: int = 1) -> None:
        """Answer the next `times` statements that begin with `prefix` with an error."""
        content = b"\xff" + number.to_bytes(2, "little") + b"#HY000" + message.encode()
        packet = len(content).to_bytes(3, "little") + b"\x01" + content
        self._refusals += [Refusal(prefix.encode(), packet)] * times

    def __enter__(self) -> "LossyProxy":
        self._thread.start()
        self.port = self._started.result(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _call(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(5)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self._started.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = _Connection(writer)
        if self._stalled_after is None:
            connection.flowing.set()
        else:
            connection.left = self._stalled_after
        self._connections.add(connection)
        try:
            with suppress(OSError, asyncio.CancelledError):
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
                connection.writers.append(server_writer)
                pumps: list[Coroutine[Any, Any, None]] = [
                    self._from_client(reader, server_writer, writer, connection),
                    self._from_server(server_reader, writer, connection),
                ]
                tasks = [asyncio.create_task(pump) for pump in pumps]
                # Either end closes both.
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._connections.discard(connection)
            for each in connection.writers:
                each.close()

    async def _from_client(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        connection: _Connection,
    ) -> None:
        while data := await reader.read(CHUNK):
            if not connection.left:
                await connection.flowing.wait()
            refusal = next((each for each in self._refusals if _is_query(data, each.prefix)), None)
            if refusal is None:
                server.write(data)
            else:
                self._refusals.remove(refusal)
                client.write(refusal.packet)

    async def _from_server(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        while data := await reader.read(CHUNK):
            if not connection.flowing.is_set():
                passed = min(len(data), connection.left)
                connection.left -= passed
                client.write(data[:passed])
                data = data[passed:]
                if data:
                    await connection.flowing.wait()
            client.write(data)


def _is_query(data: bytes, prefix: bytes) -> bool:
    return data[3:5] == bytes([0, COM_QUERY]) and data[5:].startswith(prefix)


@contextmanager
def in_front_of(url: str) -> Iterator[tuple[LossyProxy, str]]:
    """Run a proxy in front of the server of a mysql:// URL. Yield it and the URL through it."""
    parts = urlsplit(url)
    with LossyProxy(parts.port or 3306) as proxy:
        host = f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}"
        yield proxy, parts._replace(netloc=host).geturl()
