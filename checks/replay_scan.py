"""Checking every replay against the scores: which are missing, which belong to none, which cannot be read."""

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from itertools import islice
from multiprocessing import get_context
from typing import Literal, Protocol, get_args

import msgspec

from config.settings import Settings
from domain.replays import ScoreStatus
from replays.binary import BadReplay, Truncated
from replays.errors import Changed, NoReplay, Unreadable
from replays.frames import measure
from replays.score_ids import INT64, ScoreIDs
from replays.store import ReplayStore, find_frames, open_store

BATCH = 32  # replays that a process is given at a time

Problem = Literal["missing", "orphaned", "truncated", "undecodable"]
PROBLEMS: tuple[Problem, ...] = get_args(Problem)
Progress = Callable[[int], None]


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with the replay of a score; `why` in words."""

    problem: Problem
    id: int
    why: str


class Scores(Protocol):
    """The scores of the game server."""

    async def newest(self) -> int:
        """The highest id of a score."""
        ...

    async def since(self, score_id: int) -> list[ScoreStatus]:
        """Some scores, the lowest id first: this one and the next; none when there are no more."""
        ...


class Archive(msgspec.Struct, frozen=True):
    """Scores, and the place of their replays, which is the one that the settings name."""

    settings: Settings
    place: ReplayStore
    scores: Scores


async def stored(archive: Archive, since: int, progress: Progress) -> ScoreIDs:
    """The ids of all replays, from `since` on."""
    found = ScoreIDs()
    async with aclosing(archive.place.ids()) as batches:
        async for ids in batches:
            found.update(each for each in ids if each >= since)
            progress(len(ids))
    return found


async def compare(
    archive: Archive, files: ScoreIDs, since: int, newest: int, progress: Progress
) -> AsyncIterator[Finding]:
    """Every passed score without a replay, and every replay without a score, the lowest ids first.

    A score above `newest` is too new to have been looked for.
    """
    replays = iter(files)
    replay = next(replays, None)
    while since <= INT64 and (scores := await archive.scores.since(since)):
        for score in scores:
            while replay is not None and replay < score.id:
                yield _orphan(replay)
                replay = next(replays, None)
            if replay == score.id:
                replay = next(replays, None)
            elif score.status > 0 and score.id <= newest:
                yield Finding("missing", score.id, "a passed score without a replay")
        since = scores[-1].id + 1
        progress(len(scores))
    while replay is not None:
        yield _orphan(replay)
        replay = next(replays, None)


async def decode(archive: Archive, files: ScoreIDs, jobs: int, progress: Progress) -> AsyncIterator[Finding]:
    """Every replay that is cut short or is none, found by reading them all in `jobs` processes."""
    loop = asyncio.get_running_loop()
    ids = iter(files)
    batches: Iterator[list[int]] = iter(lambda: list(islice(ids, BATCH)), [])
    # Forked processes would inherit the threads of the S3 library half-way through whatever they do.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts) as pool:
        try:
            running: dict[asyncio.Future[list[Finding]], int] = {}
            while True:
                for batch in islice(batches, 2 * jobs - len(running)):
                    running[loop.run_in_executor(pool, scan_batch, archive.settings, batch)] = len(batch)
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    progress(running.pop(each))
                    for finding in each.result():
                        yield finding
        finally:
            # A pool left to itself closes its pipes while the interpreter, which ends, writes to them.
            pool.shutdown(cancel_futures=True)


def scan_batch(settings: Settings, ids: list[int]) -> list[Finding]:
    """What is wrong with the replays of these scores. Raises Unavailable when their place does not answer."""

    async def each() -> list[Finding]:
        place = open_store(settings)
        findings = [await _scan_one(place, score_id) for score_id in ids]
        return [finding for finding in findings if finding]

    return asyncio.run(each())


async def _scan_one(place: ReplayStore, score_id: int) -> Finding | None:
    try:
        async with place.open(score_id) as file:
            frames = await find_frames(file)
            async with aclosing(file.chunks(frames.offset, frames.offset + frames.length)) as chunks:
                await asyncio.to_thread(measure, _pulled(chunks, asyncio.get_running_loop()))
    except Truncated as error:
        return Finding("truncated", score_id, str(error))
    except BadReplay as error:
        return Finding("undecodable", score_id, str(error))
    except (Unreadable, OSError) as error:
        return Finding("undecodable", score_id, f"It cannot be read: {error.__cause__ or error}.")
    except (NoReplay, Changed):
        # It is being written, or has been removed since it was listed.
        return None
    return None


def _pulled(chunks: AsyncGenerator[bytes | memoryview, None], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The chunks, for a thread beside the one of the loop."""

    async def following() -> bytes:
        return bytes(await anext(chunks, b""))

    while chunk := asyncio.run_coroutine_threadsafe(following(), loop).result():
        yield chunk


def _orphan(score_id: int) -> Finding:
    return Finding("orphaned", score_id, "a replay without a score")


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
