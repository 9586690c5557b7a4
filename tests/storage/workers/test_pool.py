"""Worker processes: their limits, how they end, and how jobs wait for them."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from storage.workers.pool import QueueFull, WorkerPool
from storage.workers.process import NotInstalled, NotStarting, WorkerFailed, WorkerKind

SCRIPT = """
import os, signal, time

def open_worker():
    return lambda job: eval(job)
"""
MISSING = """
def open_worker():
    import a_library_that_nobody_has
"""
SYNTAX_ERROR = "def open_worker(:"
HANG = b"time.sleep(60)"
PID = b"str(os.getpid()).encode()"

Use = Callable[[WorkerPool], Awaitable[None]]


def kind(folder: Path, script: str = SCRIPT, seconds: float = 10, **limits: Any) -> WorkerKind:
    file = folder / "script.py"
    file.write_text(script)
    limits = {"megabytes": 256, "max_reply": 2**20} | limits
    return WorkerKind(name="tested worker", script=file, seconds=seconds, **limits)


@asynccontextmanager
async def opened(kind: WorkerKind, workers: int = 1, queue: int = 4) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(kind, workers=workers, queue=queue)
    try:
        yield pool
    finally:
        await pool.close()


def with_pool(kind: WorkerKind, use: Use, workers: int = 1, queue: int = 4) -> None:
    async def main() -> None:
        async with opened(kind, workers, queue) as pool:
            await use(pool)

    # The event loop of the service.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def children() -> set[str]:
    """Return the ids of the processes that this one has started."""
    return set(" ".join(file.read_text() for file in Path("/proc/self/task").glob("*/children")).split())


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_job_and_its_reply_may_be_large(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        assert len(await pool.run(b"bytes(" + b" " * 4 * 2**20 + b"2 ** 20)")) == 2**20
        assert await pool.run(b"b''") == b""

    with_pool(kind(tmp_path), use)


def test_a_worker_is_used_again_and_stopped_at_the_end(tmp_path: Path) -> None:
    pids: set[int] = set()

    async def use(pool: WorkerPool) -> None:
        pids.update([int(await pool.run(PID)) for _ in range(5)])
        assert is_alive(*pids)

    with_pool(kind(tmp_path), use)
    assert len(pids) == 1
    assert not is_alive(*pids)


def test_a_job_prefers_the_worker_that_had_its_key(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        both = await asyncio.gather(*(pool.run(b"time.sleep(0.3) or " + PID, key) for key in "ab"))
        for _ in range(3):
            assert await pool.run(PID, "b") == both[1]
            assert await pool.run(PID, "a") == both[0]

    with_pool(kind(tmp_path), use, workers=2)


def test_a_worker_has_no_environment_and_cannot_write(tmp_path: Path) -> None:
    file = tmp_path / "written"
    job = f"str((sorted(set(os.environ) - {{'LC_CTYPE'}}), os.open({str(file)!r}, os.O_CREAT | os.O_WRONLY)))"

    async def use(pool: WorkerPool) -> None:
        assert (await pool.run(f"({job}).encode()".encode())).startswith(b"(['PATH'], ")
        with pytest.raises(WorkerFailed):
            await pool.run(f"open({str(file)!r}, 'wb', 0).write(b'x')".encode())

    with_pool(kind(tmp_path), use)
    assert file.read_bytes() == b""


@pytest.mark.parametrize(
    "job",
    [
        b"bytes(300 * 2**20)",
        b"os.kill(os.getpid(), signal.SIGSEGV)",
        b"os._exit(0)",
        b"1 / 0",
        b"os.write(1, b'x')",
        b"os.write(1, bytes([255] * 100))",
        b"bytes(2**20 + 1)",
        HANG,
        b"signal.setitimer(signal.ITIMER_REAL, 0) and time.sleep(60)",
    ],
)
def test_a_failure_ends_the_job_and_not_the_pool(tmp_path: Path, job: bytes) -> None:
    async def use(pool: WorkerPool) -> None:
        await pool.run(PID)
        with pytest.raises(WorkerFailed):
            await pool.run(job)
        assert await pool.run(b"b'fine'") == b"fine"

    with_pool(kind(tmp_path, seconds=1), use)


def test_a_worker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        idle = int(await pool.run(PID))
        os.kill(idle, signal.SIGKILL)
        busy = int(await pool.run(PID))
        job = asyncio.create_task(pool.run(b"time.sleep(1) or " + PID))
        await asyncio.sleep(0.3)
        os.kill(busy, signal.SIGKILL)
        assert len({idle, busy, int(await job)}) == 3

    with_pool(kind(tmp_path), use)


def test_a_cancelled_job_ends_its_process(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        pid = int(await pool.run(PID))
        # Before the job, while a process starts, and in the job.
        for delay in (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.3):
            job = asyncio.create_task(pool.run(HANG))
            await asyncio.sleep(delay)
            job.cancel()
            with suppress(asyncio.CancelledError):
                await job
        assert not is_alive(pid)
        assert await pool.run(b"b'fine'") == b"fine"

    before = children()
    with_pool(kind(tmp_path), use)
    assert children() == before


def test_jobs_wait_in_a_bounded_queue(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        await pool.run(PID)
        jobs = [asyncio.create_task(pool.run(b"time.sleep(0.2) or b'fine'")) for _ in range(6)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert results[:5] == [b"fine"] * 5
        assert isinstance(results[5], QueueFull)

    with_pool(kind(tmp_path), use)


def test_a_job_waits_for_as_long_as_a_job_may_take(tmp_path: Path) -> None:
    async def use(pool: WorkerPool) -> None:
        begun = time.monotonic()
        hanging = asyncio.create_task(pool.run(HANG))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await pool.run(PID)
        assert 0.9 < time.monotonic() - begun < 5
        with pytest.raises(WorkerFailed):
            await hanging

    with_pool(kind(tmp_path, seconds=1), use)


@pytest.mark.parametrize(
    ("script", "python", "error"),
    [
        (MISSING, sys.executable, NotInstalled),
        (SYNTAX_ERROR, sys.executable, NotStarting),
        (SCRIPT, "/nothing/python", NotStarting),
        (SCRIPT, "/bin/true", NotStarting),
    ],
)
def test_a_worker_that_does_not_start(
    tmp_path: Path, script: str, python: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    async def use(pool: WorkerPool) -> None:
        for _ in range(2):
            with pytest.raises(error):
                await pool.run(PID)

    with_pool(kind(tmp_path, script, python=python), use)
    if error is NotStarting:
        assert "a worker of the tested worker does not start" in caplog.text
