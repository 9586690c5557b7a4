"""Comparing the stored replays with the scores, and decoding every replay."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from itertools import islice
from multiprocessing import get_context
from typing import Literal, get_args

import msgspec

from config.settings import Settings
from domain.replays import ScoreStatus
from replays.errors import BadReplay, Changed, NoReplay, NotAFile, StoreUnavailable, Truncated, Unreadable
from replays.filename import MAX_SCORE_ID
from replays.frames import NO_FRAMES, check_frames
from replays.osr import LAZER_VERSION, MODES, Header, read_length
from replays.store import OpenReplay, ReplayStore, find_frames, open_store
from storage.database import catalogue
from storage.database.database import Database

PAGE = 10_000  # scores read at a time
BATCH = 32  # replays given to a process at a time
_BITS = 1024  # ids in a block

Kind = Literal["missing", "orphaned", "truncated", "undecodable"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Called with how many more replays or scores are done.
Progress = Callable[[int], None]


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with the replay of the score `id`, and why."""

    problem: Kind
    id: int
    why: str


class ScoreIDs:
    """A set of ids, as bits in blocks: ids of scores are dense, and a `set` takes some 60 bytes for each."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def update(self, ids: Iterable[int]) -> None:
        """Add `ids`."""
        for id in ids:
            block, bit = divmod(id, _BITS)
            self._blocks[block] = self._blocks.get(block, 0) | 1 << bit

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self._blocks.values())

    def __iter__(self) -> Iterator[int]:
        """Iterate over the ids, lowest first."""
        for block in sorted(self._blocks):
            bits, start = self._blocks[block], block * _BITS
            yield from (start + bit for bit in range(bits.bit_length()) if bits >> bit & 1)


async def list_replays(store: ReplayStore, since: int, progress: Progress) -> ScoreIDs:
    """Return the ids of the stored replays, from `since` on."""
    replays = ScoreIDs()
    async with aclosing(store.ids()) as batches:
        async for ids in batches:
            replays.update(id for id in ids if id >= since)
            progress(len(ids))
    return replays


async def read_scores(database: Database, since: int) -> AsyncIterator[list[ScoreStatus]]:
    """Yield all scores from the id `since` on, lowest id first, a page at a time."""
    while since <= MAX_SCORE_ID and (
        page := await database.all(catalogue.score_statuses, first=since, limit=PAGE)
    ):
        yield page
        since = page[-1].id + 1


async def compare(
    replays: ScoreIDs, pages: AsyncIterator[list[ScoreStatus]], newest: int, progress: Progress
) -> AsyncIterator[Problem]:
    """Yield every passed score without a replay and every replay without a score, lowest id first.

    A score above `newest` may have been submitted after the replays were listed: it is not called missing.
    """
    ids = iter(replays)
    id = next(ids, None)
    async for page in pages:
        for score in page:
            while id is not None and id < score.id:
                yield _orphaned(id)
                id = next(ids, None)
            if id == score.id:
                id = next(ids, None)
            elif score.status > 0 and score.id <= newest:
                yield Problem("missing", score.id, "A passed score without a replay.")
        progress(len(page))
    while id is not None:
        yield _orphaned(id)
        id = next(ids, None)


def _orphaned(id: int) -> Problem:
    return Problem("orphaned", id, "A replay without a score.")


async def decode(settings: Settings, replays: ScoreIDs, jobs: int, progress: Progress) -> AsyncIterator[Problem]:
    """Yield every replay that is truncated or cannot be decoded. All are read, in `jobs` processes."""
    loop = asyncio.get_running_loop()
    ids = iter(replays)
    batches: Iterator[list[int]] = iter(lambda: list(islice(ids, BATCH)), [])
    # A forked process would inherit the threads of the S3 library in the middle of their work.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _ignore_interrupts) as pool:
        try:
            running: dict[asyncio.Future[list[Problem]], int] = {}
            while True:
                for batch in islice(batches, 2 * jobs - len(running)):
                    running[loop.run_in_executor(pool, decode_batch, settings, batch)] = len(batch)
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    progress(running.pop(future))
                    for problem in future.result():
                        yield problem
        finally:
            # Otherwise the pool closes its pipes while the interpreter, at its end, still writes to them.
            pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches every process of the group; the one that started the others ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def decode_batch(settings: Settings, ids: list[int]) -> list[Problem]:
    """Return what is wrong with the replays of these scores. Raise Unavailable if the store cannot be used."""

    async def problems() -> list[Problem]:
        store = open_store(settings)
        return [problem for id in ids if (problem := await _decode(store, id))]

    return asyncio.run(problems())


async def check_replay(file: OpenReplay) -> None:
    """Read a replay as the game and other readers do. Raise BadReplay if one of them would fail."""
    stored = await find_frames(file)
    end = stored.offset + stored.length
    if stored.header:
        if stored.header.mode >= MODES:
            raise BadReplay(f"There is no mode {stored.header.mode}; readers know 0 to 3.")
        await _check_trailer(file, end, stored.header)
        if not stored.length:
            raise BadReplay(NO_FRAMES)
    async with aclosing(file.chunks(stored.offset, end)) as chunks:
        await check_frames(chunks)


async def _check_trailer(file: OpenReplay, start: int, header: Header) -> None:
    """Raise Truncated if the file ends before what follows the frames."""
    end = start + header.trailer_length
    if end <= file.size and header.version >= LAZER_VERSION:
        async with aclosing(file.chunks(end - 4, end)) as chunks:
            end += max(read_length(b"".join([bytes(chunk) async for chunk in chunks])), 0)
    if end > file.size:
        raise Truncated(end)


async def _decode(store: ReplayStore, id: int) -> Problem | None:
    try:
        async with store.open(id) as file:
            await check_replay(file)
    except Truncated as error:
        return Problem("truncated", id, str(error))
    except BadReplay as error:
        return Problem("undecodable", id, str(error))
    except NotAFile:
        return Problem("undecodable", id, "It is no file, or a link to one that does not exist.")
    except (StoreUnavailable, OSError) as error:
        # One replay that cannot be read is a finding; a store that cannot be used ends the command.
        if not isinstance(error, Unreadable) and await store.unavailable_reason():
            raise
        return Problem("undecodable", id, f"It cannot be read: {error.__cause__ or error}.")
    except (NoReplay, Changed):
        # It is being written, or was removed after the replays were listed.
        return None
    return None
