"""The pp engine, in worker processes that may crash, hang or run out of memory, and are started again."""

import asyncio
import json
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import msgspec

from config.settings import Settings
from domain.errors import ErrorSpec, Unavailable
from domain.performance import Play, PlayResult
from storage.cache.bounded import BoundedMap

log = logging.getLogger("apidot")

SCRIPT = Path(__file__).with_name("worker.py")
ENGINE = "akatsuki-pp-py"
NO_ENGINE = ErrorSpec(501, f"pp cannot be calculated here: {ENGINE} is not installed.")
NOT_STARTING = ErrorSpec(503, "The pp engine does not start.")
TOO_MANY = ErrorSpec(503, "Too many pp calculations are waiting.")
TOO_HARD = ErrorSpec(400, "The beatmap is too much for the pp engine.")
UNREADABLE = ErrorSpec(400, "Beatmap file could not be read.")
CALCULATION = (NO_ENGINE, NOT_STARTING, TOO_MANY, TOO_HARD, UNREADABLE)

# In seconds: a Python interpreter starts slowly on a busy machine.
START_TIMEOUT = 10.0
MAX_REPLY_BYTES = 4 * 2**20

# For how long a beatmap that crashed or blocked a worker is refused without another try.
AVOID_SECONDS = 60.0
AVOIDED_BEATMAPS = 1000


class WorkerFailed(Exception):
    """A worker ended, or did not reply in time."""


class NoEngine(Exception):
    """The engine is not installed for the Python that runs the workers."""


class Reply(msgspec.Struct, frozen=True):
    """A worker's reply: the results, or why there are none."""

    results: list[PlayResult] = []
    failed: str = ""
    why: str = ""


class Worker:
    """One worker process, started when it is needed, and again after it has failed."""

    def __init__(self, python: str, megabytes: int) -> None:
        self._command = [python, "-I", str(SCRIPT), str(megabytes)]
        self._process: Process | None = None
        self.last_md5 = ""

    async def run(self, job: dict[str, Any], seconds: float) -> Reply:
        """Run a job for at most `seconds`, and return the reply.

        Raise WorkerFailed, NoEngine, and Unavailable if the process does not start.
        """
        self.last_md5 = job["md5"]
        line = json.dumps(job).encode() + b"\n"
        if self._process is not None:
            try:
                return await self._exchange(self._process, line, seconds)
            except WorkerFailed as error:
                # The process may have ended before it got this job, so the job is run once more.
                if isinstance(error.__cause__, TimeoutError):
                    raise
        return await self._exchange(await self.start(), line, seconds)

    async def start(self) -> Process:
        """Start a process and wait until it takes jobs. Raise NoEngine, and Unavailable if it does not start."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=MAX_REPLY_BYTES,
                cwd="/",
                # Not the environment of the service, which holds passwords.
                env={"PATH": os.defpath},
                # Ctrl-C is for the service alone, which stops its workers itself.
                start_new_session=True,
            )
            ready = await self._exchange(process, b"", START_TIMEOUT)
        except (WorkerFailed, OSError) as error:
            log.warning("a worker of the pp engine does not start: %r", error.__cause__ or error)
            raise Unavailable(NOT_STARTING.message) from error
        if ready.failed:
            await self.stop()
            raise NoEngine
        return process

    async def _exchange(self, process: Process, line: bytes, seconds: float) -> Reply:
        assert process.stdin
        assert process.stdout
        try:
            async with asyncio.timeout(seconds):
                process.stdin.write(line)
                reply = await process.stdout.readline()
            return msgspec.json.decode(reply, type=Reply)
        # RuntimeError: uvloop raises it for a process that has just ended.
        except (TimeoutError, OSError, RuntimeError, ValueError) as error:
            await self.stop()
            raise WorkerFailed from error
        except asyncio.CancelledError:
            # Its reply would be taken for that to the next job.
            await self.stop()
            raise

    async def stop(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


class PPEngine:
    """Calculates pp in a bounded number of workers, for which a bounded number of calculations waits."""

    def __init__(self, settings: Settings) -> None:
        python = settings.pp_python or sys.executable
        self._workers = [Worker(python, settings.pp_memory) for _ in range(settings.pp_workers)]
        self._idle = list(self._workers)
        self._free = asyncio.Semaphore(settings.pp_workers)
        self._timeout = settings.pp_timeout
        self._queue_left = settings.pp_queue
        self._installed = True
        self._avoided_until: BoundedMap[str, float] = BoundedMap(AVOIDED_BEATMAPS)

    async def calculate(self, path: Path, md5: str, plays: list[Play]) -> list[PlayResult] | None:
        """Return the results of `plays` on the beatmap at `path`, or None if there is no file with that md5.

        Raise APIError if the engine is not installed or fails on the file, and Unavailable if too many
        calculations wait or a worker does not start.
        """
        if not self._installed:
            raise NO_ENGINE()
        if (self._avoided_until.get(md5) or 0.0) > time.monotonic():
            raise TOO_HARD()
        job = {"path": str(path), "md5": md5, "seconds": self._timeout, "plays": msgspec.to_builtins(plays)}
        await self._wait_for_worker()
        try:
            worker = self._take(md5)
            try:
                reply = await worker.run(job, self._timeout)
            finally:
                self._idle.append(worker)
        except NoEngine:
            self._installed = False
            raise NO_ENGINE() from None
        except WorkerFailed as error:
            log.warning("the pp engine broke on %s: %r", path, error.__cause__)
            self._avoided_until.put(md5, time.monotonic() + AVOID_SECONDS)
            raise TOO_HARD() from error
        finally:
            self._free.release()
        if reply.failed == "unreadable":
            log.warning("the pp engine cannot read %s: %s", path, reply.why)
            raise UNREADABLE()
        return None if reply.failed else reply.results

    async def _wait_for_worker(self) -> None:
        if self._queue_left <= 0:
            raise Unavailable(TOO_MANY.message, retry_after=1)
        self._queue_left -= 1
        try:
            async with asyncio.timeout(self._timeout):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(TOO_MANY.message, retry_after=1) from None
        finally:
            self._queue_left += 1

    def _take(self, md5: str) -> Worker:
        # Preferably the one that had this beatmap last: it has it in memory.
        worker = next((idle for idle in self._idle if idle.last_md5 == md5), self._idle[0])
        self._idle.remove(worker)
        return worker

    async def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            await worker.stop()
