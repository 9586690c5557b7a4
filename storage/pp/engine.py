"""The pp engine: processes of its own that may crash, hang or run out of memory, and are started anew."""

import asyncio
import json
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec

from config.settings import Settings
from domain.errors import ErrorSpec, Unavailable
from domain.performance import Play, PlayResult

log = logging.getLogger("apidot")

SCRIPT = Path(__file__).with_name("worker.py")
ENGINE = "akatsuki-pp-py"
NO_ENGINE = ErrorSpec(501, f"pp cannot be calculated here: {ENGINE} is not installed.")
NOT_STARTING = ErrorSpec(503, "The pp engine does not start.")
TOO_MANY = ErrorSpec(503, "Too many pp calculations are waiting.")
TOO_HARD = ErrorSpec(400, "The beatmap is too much for the pp engine.")
UNREADABLE = ErrorSpec(400, "Beatmap file could not be read.")
CALCULATION = (NO_ENGINE, NOT_STARTING, TOO_MANY, TOO_HARD, UNREADABLE)

# Seconds an interpreter may take to start on a busy machine.
START = 10.0
LONGEST_ANSWER = 4 * 2**20

# A beatmap that has crashed or outlasted a worker is refused for so many seconds without trying it again.
AVOIDED = 60.0
REMEMBERED = 1000


class Broken(Exception):
    """A worker ended, or did not answer in time."""


class NoEngine(Exception):
    """The Python that runs the workers does not have the engine."""


class Reply(msgspec.Struct, frozen=True):
    """What a worker answers: results, or why there are none."""

    results: list[PlayResult] = []
    failed: str = ""
    why: str = ""


class Worker:
    """A place for one process, started when it is needed."""

    def __init__(self, python: str, megabytes: int) -> None:
        self._command = [python, "-I", str(SCRIPT), str(megabytes)]
        self._process: Process | None = None
        self.last = ""

    async def ask(self, job: dict[str, Any], seconds: float) -> Reply:
        """The worker's answer to a job. Raises Broken, NoEngine, and Unavailable when it does not start."""
        self.last = job["md5"]
        line = json.dumps(job).encode() + b"\n"
        if self._process is not None:
            try:
                return await self._exchange(self._process, line, seconds)
            except Broken as error:
                # One that did not answer in time has had its chance; one that ended may have done so before.
                if isinstance(error.__cause__, TimeoutError):
                    raise
        return await self._exchange(await self.start(), line, seconds)

    async def start(self) -> Process:
        """A new process, ready for jobs. Raises NoEngine, and Unavailable when it does not start."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=LONGEST_ANSWER,
                cwd="/",
                # Nothing of ours: the settings hold passwords.
                env={"PATH": os.defpath},
                # Ctrl-C is for the service, which ends its workers itself.
                start_new_session=True,
            )
            ready = await self._exchange(process, b"", START)
        except (Broken, OSError) as error:
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
                answer = await process.stdout.readline()
            return msgspec.json.decode(answer, type=Reply)
        # Of a process that has just ended uvloop says so with a RuntimeError.
        except (TimeoutError, OSError, RuntimeError, ValueError) as error:
            await self.stop()
            raise Broken from error
        except asyncio.CancelledError:
            # What it is still going to say would be taken for the next answer.
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


class PPEngine:
    """Calculates pp in a bounded number of workers; a bounded number of calculations waits for one."""

    def __init__(self, settings: Settings) -> None:
        python = settings.pp_python or sys.executable
        self._workers = [Worker(python, settings.pp_memory) for _ in range(settings.pp_workers)]
        self._idle = list(self._workers)
        self._free = asyncio.Semaphore(settings.pp_workers)
        self._seconds = settings.pp_timeout
        self._places = settings.pp_queue
        self._installed = True
        self._avoided: OrderedDict[str, float] = OrderedDict()

    async def calculate(self, path: Path, md5: str, plays: list[Play]) -> list[PlayResult] | None:
        """The results of `plays` on the beatmap in the file at `path`; None without a file with that md5.

        Raises APIError when the engine cannot deal with the file or is not installed, and Unavailable when too
        many calculations wait.
        """
        if not self._installed:
            raise NO_ENGINE()
        if self._avoided.get(md5, 0.0) > time.monotonic():
            raise TOO_HARD()
        job = {"path": str(path), "md5": md5, "seconds": self._seconds, "plays": msgspec.to_builtins(plays)}
        await self._wait()
        try:
            worker = self._take(md5)
            try:
                reply = await worker.ask(job, self._seconds)
            finally:
                self._idle.append(worker)
        except NoEngine:
            self._installed = False
            raise NO_ENGINE() from None
        except Broken as error:
            log.warning("the pp engine broke on %s: %r", path, error.__cause__)
            self._avoid(md5)
            raise TOO_HARD() from error
        finally:
            self._free.release()
        if reply.failed == "unreadable":
            log.warning("the pp engine cannot read %s: %s", path, reply.why)
            raise UNREADABLE()
        return None if reply.failed else reply.results

    async def _wait(self) -> None:
        if self._places <= 0:
            raise Unavailable(TOO_MANY.message, retry_after=1)
        self._places -= 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(TOO_MANY.message, retry_after=1) from None
        finally:
            self._places += 1

    def _take(self, md5: str) -> Worker:
        """An idle worker: the one that had this beatmap last has it in memory."""
        worker = next((each for each in self._idle if each.last == md5), self._idle[0])
        self._idle.remove(worker)
        return worker

    def _avoid(self, md5: str) -> None:
        self._avoided.pop(md5, None)
        self._avoided[md5] = time.monotonic() + AVOIDED
        if len(self._avoided) > REMEMBERED:
            self._avoided.popitem(last=False)

    async def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            await worker.stop()
