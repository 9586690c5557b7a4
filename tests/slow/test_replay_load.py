"""Many downloads at once: the memory they take, and whether all files are closed after clients disconnect."""

import asyncio
import os
import random
import socket
import time
from pathlib import Path

import pytest

from tests.conftest import running
from tests.support.replay_bodies import large

SIZE = 20 << 20
CLIENTS = 200
GROWTH = 30  # MiB
REQUEST = b"GET /v1/get_replay?id=805&include_headers=false HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def open_replays(pid: int) -> int:
    """Return how many replays a process has open."""
    count = 0
    for handle in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{handle}").endswith(".osr")
        except FileNotFoundError:
            continue
    return count


async def download(port: int, expected: bytes, leave_at: int, wait: asyncio.Event | None = None) -> int:
    """Check the bytes received, disconnect after `leave_at` of them, and return their number."""
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(1 << 18))
    with socket.socket() as client:
        client.setblocking(False)
        if wait:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, REQUEST)
        head = b""
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(client, 4096)
        head, _, body = head.partition(b"\r\n\r\n")
        assert b"200 OK" in head
        assert body == expected[: len(body)]
        at = len(body)
        if wait:
            await wait.wait()
        while at < leave_at and (length := await loop.sock_recv_into(client, buffer)):
            assert bytes(buffer[:length]) == expected[at : at + length]
            at += length
        return at


async def growth(pid: int, tasks: list["asyncio.Task[int]"], seconds: float) -> tuple[float, int]:
    """Return by how many MiB a process grew until the tasks were done, and how many replays it had open."""
    before = most = resident(pid)
    replays = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(task.done() for task in tasks):
        await asyncio.sleep(0.05)
        most = max(most, resident(pid))
        replays = max(replays, open_replays(pid))
    return most - before, replays


async def closed(pid: int) -> bool:
    """Return whether a process closes all replays within some seconds."""
    for _ in range(100):
        if not open_replays(pid):
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.fixture
def body() -> bytes:
    return large(SIZE)


@pytest.fixture
def settings(recorded_sqlite: str, tmp_path: Path, body: bytes) -> dict[str, str]:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / "805.osr").write_bytes(body)
    return {"database_url": recorded_sqlite, "data_directory": str(tmp_path), "log_level": "warning"}


def test_half_of_the_clients_disconnect(settings: dict[str, str], body: bytes) -> None:
    rng = random.Random(1)
    ends = [rng.randrange(SIZE // 20, SIZE * 9 // 10) if number % 2 else SIZE for number in range(CLIENTS)]

    async def main(port: int, pid: int) -> None:
        assert await download(port, body, SIZE) == SIZE
        tasks = [asyncio.create_task(download(port, body, end)) for end in ends]
        grown, replays = await growth(pid, tasks, 50)
        received = await asyncio.gather(*tasks)
        assert received.count(SIZE) == CLIENTS // 2
        assert all(SIZE > at >= end for at, end in zip(received, ends, strict=True) if end < SIZE)
        assert grown < GROWTH
        assert replays > 20
        assert await closed(pid)

    with running(**settings) as service:
        asyncio.run(main(service.client.base_url.port or 0, service.process.pid))


def test_clients_that_read_nothing_and_then_disconnect(settings: dict[str, str], body: bytes) -> None:
    async def main(port: int, pid: int) -> None:
        assert await download(port, body, SIZE) == SIZE
        leave = asyncio.Event()
        tasks = [asyncio.create_task(download(port, body, 0, leave)) for _ in range(CLIENTS)]
        grown, replays = await growth(pid, tasks, 4)
        assert grown < GROWTH
        assert replays == CLIENTS
        leave.set()
        await asyncio.gather(*tasks)
        assert await closed(pid)

    with running(**settings) as service:
        asyncio.run(main(service.client.base_url.port or 0, service.process.pid))
