"""Sending a file: it is closed when the client disconnects, and may change while it is sent."""

import asyncio
import io
import os
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from api.app import build
from api.startup import open_services
from replays import folder
from replays.errors import Changed
from replays.folder import CHUNK, MAX_SMALL, SMALL, Folder
from replays.response import UNWAITED, ReplayResponse
from tests.conftest import running, service
from tests.support.checks import settings_of
from tests.support.replay_bodies import large

SIZE = SMALL + CHUNK + 1000
Sent = Callable[[int], Awaitable[None]]  # called with how many bytes of body were sent so far


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "1.osr"
    path.write_bytes(large(SIZE))
    return path


async def nothing(_: int) -> None:
    pass


async def download(file: Path, sent: Sent = nothing, hang_up_at: int | None = None, **headers: str) -> bytes:
    """Return the body that is sent. `sent` is called after each chunk, and may raise what `send` raises."""
    body = bytearray()
    hung_up = asyncio.Event()

    async def receive() -> Message:
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))
        if message["type"] == "http.response.body":
            await sent(len(body))
            if hang_up_at is not None and len(body) >= hang_up_at:
                hung_up.set()
                await asyncio.sleep(0)

    async def bare() -> None:
        return None

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}
    await ReplayResponse(Folder(file.parent), 1, bare)(scope, receive, send)
    return bytes(body)


def handles(file: Path, pid: str = "self") -> list[int]:
    """Return the descriptors with which a process has the file open."""
    found = []
    for handle in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{handle}").partition(" ")[0] == str(file):
                found.append(int(handle))
        except FileNotFoundError:
            continue
    return found


def open_files(file: Path, pid: str = "self") -> int:
    """Return how often a process has the file open."""
    return len(handles(file, pid))


def test_a_file_is_closed_after_it_was_sent(file: Path) -> None:
    async def is_open(_: int) -> None:
        assert open_files(file) == 1

    assert asyncio.run(download(file, is_open)) == large(SIZE)
    assert open_files(file) == 0


@pytest.mark.parametrize("size", [18, CHUNK, SMALL])
def test_a_small_file_is_closed_before_it_is_sent_at_once(file: Path, size: int) -> None:
    file.write_bytes(large(size))
    seen: list[int] = []

    async def is_closed(sent: int) -> None:
        assert open_files(file) == 0
        seen.append(sent)

    assert asyncio.run(download(file, is_closed)) == large(size)
    assert seen == [size] * (2 if size > UNWAITED else 1)
    file.write_bytes(large(SMALL + 1))
    seen.clear()
    assert len(asyncio.run(download(file))) == SMALL + 1


def test_a_small_file_that_changes_while_it_is_read_is_sent_in_chunks(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(large(SMALL))
    status, calls = folder._status, []

    def change(raw: io.FileIO) -> os.stat_result:
        calls.append(raw)
        if len(calls) == 2:
            os.utime(file, (1, 1))
        return status(raw)

    monkeypatch.setattr(folder, "_status", change)
    assert asyncio.run(download(file)) == large(SMALL)
    # Before and after it was read at once, when it was opened again, and at its end.
    assert len(calls) == 4
    assert open_files(file) == 0


def test_the_memory_for_small_files_is_bounded(file: Path) -> None:
    async def main() -> None:
        store = Folder(file.parent)
        async with AsyncExitStack() as stack:
            files = [await stack.enter_async_context(store.open(1)) for _ in range(MAX_SMALL + 3)]
            assert [each.content is None for each in files] == [False] * MAX_SMALL + [True] * 3
            assert {await each.head(SMALL) for each in files} == {large(CHUNK)}
        async with store.open(1) as again:
            assert again.content is not None
            assert bytes(again.content) == large(CHUNK)

    file.write_bytes(large(CHUNK))
    asyncio.run(main())


def test_a_client_that_disconnects_ends_the_response(file: Path) -> None:
    assert len(asyncio.run(download(file, hang_up_at=CHUNK))) == CHUNK
    assert open_files(file) == 0


def test_an_error_of_send_ends_the_response(file: Path) -> None:
    async def fail(_: int) -> None:
        raise BrokenPipeError

    assert len(asyncio.run(download(file, fail))) <= CHUNK
    assert open_files(file) == 0


@pytest.mark.parametrize("at", [0, CHUNK, 2 * CHUNK])
def test_a_cancelled_task_leaves_no_open_file(file: Path, at: int) -> None:
    async def main() -> None:
        reached = asyncio.Event()

        async def stop(sent: int) -> None:
            if sent >= at:
                reached.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(download(file, stop))
        await reached.wait()
        assert open_files(file) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert open_files(file) == 0

    asyncio.run(main())


def test_a_cancelled_scope_leaves_no_open_file(file: Path) -> None:
    async def stop(_: int) -> None:
        await anyio.sleep(60)

    async def main() -> None:
        with anyio.move_on_after(0.1) as scope:
            await download(file, stop)
        assert scope.cancelled_caught
        assert open_files(file) == 0

    asyncio.run(main())


@pytest.mark.parametrize("size", [CHUNK, SIZE])
def test_tasks_cancelled_at_any_moment_leave_no_open_file(file: Path, size: int) -> None:
    file.write_bytes(large(size))

    async def main() -> None:
        for turns in range(60):
            task = asyncio.create_task(download(file))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()
        assert open_files(file) == 0

    asyncio.run(main())


CHANGES: dict[str, Callable[[Path], Any]] = {
    "cut": lambda file: os.truncate(file, CHUNK + 10),
    "emptied": lambda file: os.truncate(file, 0),
    "longer": lambda file: os.truncate(file, SIZE + 4),
    "rewritten": lambda file: file.write_bytes(b"x" * SIZE),
    "touched": lambda file: os.utime(file, (1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_sent_ends_the_response(file: Path, change: str) -> None:
    done: list[int] = []

    async def once(at: int) -> None:
        if at >= CHUNK and not done:
            done.append(at)
            CHANGES[change](file)

    seen: list[int] = []

    async def sent(at: int) -> None:
        seen.append(at)
        await once(at)

    with pytest.raises(Changed, match=r"1\.osr"):
        asyncio.run(download(file, sent))
    assert max(seen) < SIZE
    assert open_files(file) == 0


def test_a_file_that_is_replaced_is_sent_to_its_end(file: Path) -> None:
    async def replace(at: int) -> None:
        if at == CHUNK:
            other = file.with_suffix(".tmp")
            other.write_bytes(large(99))
            os.replace(other, file)

    assert asyncio.run(download(file, replace)) == large(SIZE)
    assert asyncio.run(download(file)) == large(99)


def test_a_range_of_a_file_that_was_cut_before_the_range(file: Path) -> None:
    async def cut(_: int) -> None:
        os.truncate(file, 50)

    with pytest.raises(Changed):
        asyncio.run(download(file, cut, range="bytes=0-200000"))


def test_the_connection_ends_where_a_file_was_cut(recorded_sqlite: str, tmp_path: Path) -> None:
    size = 32 << 20
    file = tmp_path / "osr" / "805.osr"
    file.parent.mkdir()
    file.write_bytes(large(size))
    with service(database_url=recorded_sqlite, data_directory=str(tmp_path)) as client:
        with client.stream("GET", "/v1/get_replay?id=805&include_headers=false") as answer:
            assert answer.headers["content-length"] == str(size)
            pieces = answer.iter_raw(1 << 16)
            next(pieces)
            os.truncate(file, size - 1000)
            with pytest.raises(httpx2.RemoteProtocolError):
                deque(pieces, 0)
        file.unlink()
        assert client.get("/v1/get_replay?id=805").status_code == 404


def test_a_folder_that_cannot_be_opened_is_a_503(recorded_sqlite: str, tmp_path: Path) -> None:
    loop = tmp_path / "osr"
    loop.symlink_to(loop)
    app = build(settings_of(tmp_path, database_url=recorded_sqlite, data_directory=str(tmp_path)), open_services)
    with TestClient(app) as client:
        answer = client.get("/v1/get_replay?id=805")
        assert answer.status_code == 503
        assert answer.json() == {"status": "The replay storage did not answer."}
        assert "retry-after" in answer.headers
        loop.unlink()
        assert client.get("/v1/get_replay?id=805").status_code == 404


# Linux lets everybody open this file of 4096 bytes, and then refuses to read it.
FAULTY = Path("/sys/class/net/lo/speed")


@pytest.mark.skipif(not FAULTY.exists(), reason="/sys is not mounted, as in a chroot")
def test_a_file_that_cannot_be_read_is_a_503(recorded_sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "osr" / "805.osr"
    file.parent.mkdir()
    file.symlink_to(FAULTY)
    with running(database_url=recorded_sqlite, data_directory=str(tmp_path)) as (client, process):
        for path in (
            "/v1/get_replay?id=805",
            "/v1/get_replay?id=805&include_headers=false",
            "/v2/scores/805/replay",
        ):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "The replay storage did not answer." in answer.text
            assert "retry-after" in answer.headers
        assert "a replay cannot be read: [Errno" in process.output()
        assert "Traceback" not in process.output()


def test_a_disk_that_fails_ends_the_response(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with file.with_name("other").open("wb") as unreadable:

        async def fail(at: int) -> None:
            for handle in handles(file) if at == CHUNK else []:
                # From now on, the kernel refuses to read from it.
                os.dup2(unreadable.fileno(), handle)

        assert len(asyncio.run(download(file, fail))) == CHUNK
    assert "a replay cannot be read: [Errno" in caplog.text
