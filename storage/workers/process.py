"""One worker process: started when it is needed, limited in memory and time, and started again after it failed."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

import msgspec

from storage.workers.child import MISSING

log = logging.getLogger("apidot")

CHILD = Path(__file__).with_name("child.py")
# In seconds: a Python interpreter starts slowly on a busy machine.
START_TIMEOUT = 10.0
# In seconds: a killed process ends at once, unless it waits for a disk that does not respond.
STOP_TIMEOUT = 5.0
# By how many seconds the process outlives a job that is out of time. Usually the service kills it before.
GRACE = 1.0


class WorkerFailed(Exception):
    """A worker ended, or did not reply in time."""


class NotStarting(Exception):
    """A worker does not start."""


class NotInstalled(Exception):
    """A library that the worker needs is not installed for its Python."""


class WorkerKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process runs, and its limits.

    `name` is for the log, `script` is as storage/workers/child.py describes it. `megabytes` is the memory of the
    process, `seconds` the time for a job, and `max_reply` the size of a reply in bytes.
    """

    name: str
    script: Path
    python: str = sys.executable
    megabytes: int
    seconds: float
    max_reply: int


class Worker:
    """One worker process, which is used by one task at a time."""

    def __init__(self, kind: WorkerKind) -> None:
        self._kind = kind
        self._process: Process | None = None
        # The key of the last job, which the pool sets.
        self.last_key = ""

    async def run(self, job: bytes) -> bytes:
        """Return the reply to a job. Raise WorkerFailed, NotStarting or NotInstalled."""
        if self._process is not None:
            try:
                return await self._exchange(self._process, job, self._kind.seconds)
            except WorkerFailed as error:
                # The process may have ended before it got this job, so the job is run once more.
                if isinstance(error.__cause__, TimeoutError):
                    raise
        return await self._exchange(await self.start(), job, self._kind.seconds)

    async def start(self) -> Process:
        """Start a process and wait until it takes jobs. Raise NotStarting or NotInstalled."""
        kind = self._kind
        arguments = (str(kind.script), str(kind.megabytes), str(kind.seconds + GRACE))
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *(kind.python, "-I", "-B", str(CHILD), *arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd="/",
                # Not the environment of the service, which holds passwords.
                env={"PATH": os.defpath},
                # Ctrl-C is for the service alone, which stops its workers itself.
                start_new_session=True,
            )
            first = await self._exchange(process, None, START_TIMEOUT)
        except (WorkerFailed, OSError) as error:
            reason = _why_not_started(error.__cause__ or error)
            log.warning("a worker of the %s does not start: %s", kind.name, reason)
            raise NotStarting(reason) from error
        if first == MISSING:
            await self.stop()
            raise NotInstalled
        return process

    async def _exchange(self, process: Process, job: bytes | None, seconds: float) -> bytes:
        """Send a job, unless it is None, and return the reply. Raise WorkerFailed."""
        assert process.stdin
        assert process.stdout
        try:
            async with asyncio.timeout(seconds):
                if job is not None:
                    process.stdin.writelines((len(job).to_bytes(4, "big"), job))
                    await process.stdin.drain()
                length = int.from_bytes(await process.stdout.readexactly(4), "big")
                if length > self._kind.max_reply:
                    raise ValueError(f"a reply of {length} bytes")
                return await process.stdout.readexactly(length)
        # RuntimeError: uvloop raises it for a process that has just ended.
        except (TimeoutError, OSError, EOFError, RuntimeError, ValueError) as error:
            await self.stop()
            raise WorkerFailed from error
        except asyncio.CancelledError:
            # Its reply would be taken for that to the next job.
            await self.stop()
            raise

    async def stop(self) -> None:
        """Kill the process, if there is one. Nothing else may wait for its reply."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    # Not wait(): a pipe with unread data would stay open.
                    await process.communicate()


def _why_not_started(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it was not ready within {START_TIMEOUT:g} s"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return "its process ended"
