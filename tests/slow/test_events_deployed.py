"""Live events and WebSockets through the shipped nginx: reloads, restarts, and clients that leave."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Running, running
from tests.support import conformance, mariadbd
from tests.support.new_scores import Commits, insert
from tests.support.nginx import NAME, Nginx, nginx
from tests.support.servers import MariaDB, Redis

LISTENERS = 200
HIDDEN = 29
# Seconds after which a client connects again. Browsers wait for three.
RETRY = 1.0


class Deployed(NamedTuple):
    """A service with two workers behind nginx, and its database."""

    service: Running
    front: Nginx
    database: str


@contextmanager
def deployed(database: str, *options: str, **settings: str) -> Iterator[Deployed]:
    limits = {"event_streams_per_client": "1000", "rate_limit": "0"} | settings
    with (
        running(*options, database_url=database, **limits) as service,
        nginx(service.client.base_url.port or 0) as front,
    ):
        yield Deployed(service, front, database)


class Listener:
    """The least that a client has to do to miss nothing: it connects again, with the id of the last event."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self.last_id = ""
        self.statuses: list[int] = []
        self.scores: list[int] = []
        self.types: list[str] = []

    async def run(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._listen()
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        try:
            writer.write(
                f"GET /v1/events HTTP/1.1\r\nHost: {NAME}\r\nLast-Event-ID: {self.last_id}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            self.statuses.append(int(head.split()[1]))
            assert b"transfer-encoding: chunked" in head.lower()
            received = b""
            while size := int(await reader.readline() or b"0", 16):
                received += (await reader.readexactly(size + 2))[:-2]
                *events, received = received.split(b"\n\n")
                for event in events:
                    self._take(event.decode())
        finally:
            writer.close()

    def _take(self, event: str) -> None:
        fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
        if "event" in fields:
            self.types.append(fields["event"])
        self.last_id = fields.get("id", self.last_id)
        if fields.get("event") == "score":
            self.scores.append(json.loads(fields["data"])["score"]["id"])


async def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


def test_a_reload_under_200_listeners_loses_nothing(mariadb: MariaDB, redis: Redis) -> None:
    url = mariadb.database("reloaded")
    conformance.load(url)
    mariadbd.execute(url, f"UPDATE users SET priv = 2 WHERE id = {HIDDEN}")
    with deployed(url, "--workers", "2", redis_url=redis.url) as here:
        commits = Commits(url, hidden=HIDDEN, rate=6, seconds=25)
        listeners = [Listener(here.front.http) for _ in range(LISTENERS)]
        asyncio.run(reload_under(here.service, listeners, commits))
        log = here.service.process.output(2000)
    told = set(commits.committed)
    for listener in listeners:
        assert len(listener.scores) == len(set(listener.scores)), "a score was told twice"
        assert set(listener.scores) == told
        # Each one was told to go, and found a worker at once.
        assert listener.statuses == [200] * len(listener.statuses)
        assert len(listener.statuses) == 1 + listener.types.count("bye") > 1
        assert "reset" not in listener.types
    assert "Traceback" not in log
    assert "timeout graceful shutdown exceeded" not in log


async def reload_under(service: Running, listeners: list[Listener], commits: Commits) -> None:
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    await until(lambda: all(listener.types for listener in listeners), 60, "not all have begun")
    commits.start()
    await asyncio.sleep(3)
    os.kill(service.process.pid, signal.SIGHUP)
    await until(lambda: service.process.output(2000).count("has stopped") == 2, 60, "the workers go on")
    await asyncio.to_thread(commits.join)
    told = set(commits.committed)
    await until(lambda: all(set(listener.scores) >= told for listener in listeners), 60, "scores are missing")
    await asyncio.sleep(2)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended


@pytest.fixture(scope="module")
def here(mariadb: MariaDB) -> Iterator[Deployed]:
    url = mariadb.database("deployed")
    conformance.load(url)
    with deployed(url) as running:
        yield running


@contextmanager
def websocket(front: Nginx, path: str = "/v1/ws", *, tls: bool = False) -> Iterator[ClientConnection]:
    port = front.port if tls else urlsplit(front.http).port
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        connect(
            f"{'wss' if tls else 'ws'}://{NAME}{path}",
            sock=connection,
            ssl=front.trust if tls else None,
            proxy=None,
        ) as opened,
    ):
        assert opened.recv(10) == '{"type":"connected"}'
        yield opened


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("path", ["/v1/ws", "/api/v1/ws", "/v1/ws/?a=b"])
def test_websockets(here: Deployed, path: str, tls: bool) -> None:
    with websocket(here.front, path, tls=tls) as opened:
        opened.send('{"type":"subscribe_scores","data":[]}')
        assert opened.recv(10) == '{"type":"subscribed_to_scores","data":[]}'
        mariadbd.execute(here.database, insert())
        assert json.loads(opened.recv(10))["type"] == "new_score"


def test_an_upgrade_of_anything_else_is_ignored(here: Deployed) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with httpx2.Client(base_url=here.front.http, trust_env=False) as client:
        assert client.get("/v1/get_clan?id=1", headers=headers | key).status_code == 200
        # Without a key, and with another protocol.
        assert client.get("/v1/ws", headers=headers).status_code == 426
        assert client.get("/v1/ws", headers=headers | key | {"Upgrade": "h2c"}).status_code == 426


def test_events_come_at_once_and_are_not_compressed(here: Deployed) -> None:
    headers = {"Accept-Encoding": "gzip", "Host": NAME}
    with (
        httpx2.Client(base_url=here.front.https, verify=here.front.trust, trust_env=False, timeout=20) as client,
        client.stream("GET", "/v1/events", headers=headers) as stream,
    ):
        assert "Content-Encoding" not in stream.headers
        assert "Set-Cookie" not in stream.headers
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event")) == "event: hello"
        mariadbd.execute(here.database, insert())
        assert next(line for line in lines if line.startswith("event")) == "event: score"


def test_a_client_that_has_left_is_forgotten_at_once(mariadb: MariaDB) -> None:
    url = mariadb.database("gone")
    conformance.load(url)
    with deployed(url, event_streams_per_client="1") as here:
        for _ in range(3):
            until_200(lambda: stream_status(here.front))
            until_200(lambda: websocket_status(here.front))


def until_200(status: Callable[[], int]) -> None:
    deadline = time.monotonic() + 5
    while status() != 200:
        assert time.monotonic() < deadline, "the place of a client that has left is still taken"
        time.sleep(0.1)


def stream_status(front: Nginx) -> int:
    with httpx2.stream("GET", f"{front.http}/v1/events", trust_env=False, timeout=20) as stream:
        return stream.status_code


def websocket_status(front: Nginx) -> int:
    try:
        with websocket(front):
            return 200
    except Exception:
        return 429


def test_a_restart(mariadb: MariaDB) -> None:
    url = mariadb.database("restarted")
    conformance.load(url)
    with deployed(url) as here:
        with websocket(here.front) as opened:
            here.service.process.stop()
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        # A browser would never try again after an error.
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(f"{here.front.http}/v1/events", trust_env=False)
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(f"{here.front.http}/v1/ws", trust_env=False)
        assert httpx2.get(f"{here.front.http}/v1/get_clan?id=1", trust_env=False).status_code == 503
        here.service.process.start()
        with websocket(here.front):
            assert stream_status(here.front) == 200
