"""The pp engine, in worker processes that may crash, hang or run out of memory, and are started again."""

import json
import logging
import sys
import time
from pathlib import Path

import msgspec

from config.settings import Settings
from domain.errors import ErrorSpec, Unavailable
from domain.performance import Play, PlayResult
from storage.cache.bounded import BoundedMap
from storage.workers.pool import QueueFull, WorkerPool
from storage.workers.process import NotInstalled, NotStarting, Worker, WorkerFailed, WorkerKind

log = logging.getLogger("apidot")

SCRIPT = Path(__file__).with_name("worker.py")
# `make install` makes it, with CPython 3.11, because the engine has no wheels for newer versions.
ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-pp"
ENGINE = "akatsuki-pp-py"
NO_ENGINE = ErrorSpec(501, f"pp cannot be calculated here: {ENGINE} is not installed.")
NOT_STARTING = ErrorSpec(503, "The pp engine does not start.")
TOO_MANY = ErrorSpec(503, "Too many pp calculations are waiting.")
TOO_HARD = ErrorSpec(400, "The beatmap is too much for the pp engine.")
UNREADABLE = ErrorSpec(400, "Beatmap file could not be read.")
CALCULATION = (NO_ENGINE, NOT_STARTING, TOO_MANY, TOO_HARD, UNREADABLE)

MAX_REPLY_BYTES = 4 * 2**20

# For how long a beatmap that crashed or blocked a worker is refused without another try.
AVOID_SECONDS = 60.0
AVOIDED_BEATMAPS = 1000


class Reply(msgspec.Struct, frozen=True):
    """A worker's reply: the results, or why there are none."""

    results: list[PlayResult] = []
    failed: str = ""
    why: str = ""


class PPEngine:
    """Calculates pp in a bounded number of workers, for which a bounded number of calculations waits."""

    def __init__(self, settings: Settings) -> None:
        kind = worker_kind(settings)
        self._pool = WorkerPool(kind, workers=settings.pp_workers, queue=settings.pp_queue)
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
        job = {"path": str(path), "md5": md5, "plays": msgspec.to_builtins(plays)}
        try:
            # Preferably in the worker that had this beatmap last: it has it in memory.
            reply = msgspec.json.decode(await self._pool.run(json.dumps(job).encode(), key=md5), type=Reply)
        except QueueFull:
            raise Unavailable(TOO_MANY.message, retry_after=1) from None
        except NotStarting as error:
            raise Unavailable(NOT_STARTING.message) from error
        except NotInstalled:
            self._installed = False
            raise NO_ENGINE() from None
        except (WorkerFailed, msgspec.MsgspecError) as error:
            log.warning("the pp engine broke on %s: %r", path, error.__cause__ or error)
            self._avoided_until.put(md5, time.monotonic() + AVOID_SECONDS)
            raise TOO_HARD() from error
        if reply.failed == "unreadable":
            log.warning("the pp engine cannot read %s: %s", path, reply.why)
            raise UNREADABLE()
        return None if reply.failed else reply.results

    async def close(self) -> None:
        """Stop the workers."""
        await self._pool.close()


async def try_to_start(settings: Settings) -> None:
    """Start a worker of the engine and stop it. Raise NotInstalled or NotStarting."""
    worker = Worker(worker_kind(settings))
    await worker.start()
    await worker.stop()


def interpreter(settings: Settings) -> str:
    """Return the Python interpreter of the engine: PP_PYTHON, or that of .venv-pp, or without it, this one."""
    own = str(ENVIRONMENT / "bin" / "python") if ENVIRONMENT.is_dir() else sys.executable
    return settings.pp_python or own


def worker_kind(settings: Settings) -> WorkerKind:
    """Return what the workers of the engine run, and their limits."""
    return WorkerKind(
        name="pp engine",
        script=SCRIPT,
        python=interpreter(settings),
        megabytes=settings.pp_memory,
        seconds=settings.pp_timeout,
        max_reply=MAX_REPLY_BYTES,
    )
