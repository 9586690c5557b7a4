"""Replays in a folder: `<score id>.osr`, as the game server writes them."""

import asyncio
import errno
import io
import logging
import mmap
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from aiofiles.threadpool import wrap

from replays.errors import Changed, NoReplay, NotAFile, StoreUnavailable, Unreadable
from replays.filename import score_id, stored_name

log = logging.getLogger("apidot")

# A file that is open, or what is in it, and its status.
Opened = tuple[io.FileIO | memoryview, os.stat_result]

CHUNK = 1 << 16  # bytes
MAX_READS = 8  # at a time; more would only hold memory while they wait for a thread
# Replays of up to so many bytes, which most are, are read while they are opened: one visit to a thread, not seven.
# While so many of them are open, which may take 16 MiB, others are read in chunks.
SMALL = 1 << 18
MAX_SMALL = 64
BATCH = 10_000  # directory entries
# These are about one file if the folder may be searched; any other error may be about the folder or this process.
UNREADABLE = (errno.EACCES, errno.EPERM, errno.ELOOP)


class Folder:
    """A ReplayStore in a local or mounted folder."""

    knows_stored = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self._reads = asyncio.Semaphore(MAX_READS)
        self._small = 0

    @asynccontextmanager
    async def open(self, score_id: int) -> AsyncIterator["OpenFile | ReadFile"]:
        small = SMALL if self._small < MAX_SMALL else 0
        self._small += bool(small)
        try:
            file, status = await self._open(self._path / stored_name(score_id), small)
            if not isinstance(file, io.FileIO):
                yield ReadFile(file, status)
                return
            # Closed here, not in a thread: a cancelled request could not wait for the thread.
            with file:
                if not stat.S_ISREG(status.st_mode):
                    raise NotAFile
                yield OpenFile(file, status, self._reads)
        finally:
            self._small -= bool(small)

    async def _open(self, path: Path, small: int) -> Opened:
        try:
            return await _open(path, small)
        except FileNotFoundError:
            raise (NotAFile if await asyncio.to_thread(path.is_symlink) else NoReplay) from None
        except NotADirectoryError:
            raise NoReplay from None
        except IsADirectoryError:
            raise NotAFile from None
        except OSError as error:
            log.warning("a replay cannot be opened: %s", error)
            about_the_file = error.errno in UNREADABLE and await asyncio.to_thread(os.access, self._path, os.X_OK)
            raise (Unreadable if about_the_file else StoreUnavailable) from error

    async def stored(self, score_ids: Sequence[int]) -> set[int]:
        if not score_ids:
            return set()
        return await asyncio.to_thread(lambda: {score_id for score_id in score_ids if self._has(score_id)})

    def _has(self, score_id: int) -> bool:
        path = f"{self._path}/{stored_name(score_id)}"
        try:
            # Most are not stored, for which access() does not have to make an exception as stat() does.
            if not os.access(path, os.F_OK):
                return False
            status = os.stat(path)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size > 0

    async def ids(self) -> AsyncGenerator[list[int], None]:
        try:
            with await asyncio.to_thread(os.scandir, self._path) as entries:
                while names := await asyncio.to_thread(lambda: [entry.name for entry in islice(entries, BATCH)]):
                    yield [id for name in names if (id := score_id(name)) is not None]
        except OSError as error:
            log.warning("replays cannot be listed: %s", error)
            raise StoreUnavailable from error

    async def unavailable_reason(self) -> str | None:
        try:
            await asyncio.to_thread(lambda: os.scandir(self._path).close())
        except OSError as error:
            return error.strerror or str(error)
        return None


class _File:
    """What is known of a file. Size and version are those of the opened file, whatever happens to its name."""

    def __init__(self, status: os.stat_result) -> None:
        self.size = status.st_size
        self.version = f"{status.st_mtime_ns:x}-{status.st_size:x}"
        self.modified = datetime.fromtimestamp(status.st_mtime, UTC)


class ReadFile(_File):
    """An OpenReplay that has been read."""

    def __init__(self, content: memoryview, status: os.stat_result) -> None:
        super().__init__(status)
        self.content = content

    async def head(self, length: int) -> bytes:
        return bytes(self.content[:length])

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        yield self.content[start:stop]


class OpenFile(_File):
    """An OpenReplay that is read in chunks."""

    content: memoryview | None = None

    def __init__(self, raw: io.FileIO, status: os.stat_result, reads: asyncio.Semaphore) -> None:
        super().__init__(status)
        self._raw = raw
        self._file = wrap(raw)
        self._status = status
        self._reads = reads

    async def head(self, length: int) -> bytes:
        with _reading():
            await self._file.seek(0)
            head: bytes = await self._file.read(min(length, self.size))
        return head

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        with _reading():
            await self._file.seek(start)
        while start < stop:
            with _reading():
                async with self._reads:
                    # A mapping returns to the system as soon as it was sent; the heaps of many threads would
                    # keep it.
                    buffer = memoryview(mmap.mmap(-1, CHUNK))[: stop - start]
                    chunk = buffer[: await self._file.readinto(buffer)]
                start += len(chunk)
                if not chunk or (start == stop and await self._changed()):
                    raise Changed(f"{self._raw.name!r} changed while it was read")
            yield chunk
            del buffer, chunk

    async def _changed(self) -> bool:
        now = await asyncio.to_thread(_status, self._raw)
        return (now.st_mtime_ns, now.st_size) != (self._status.st_mtime_ns, self._status.st_size)


@contextmanager
def _reading() -> Iterator[None]:
    """Raise Unreadable for an OSError, which is then about the disk below the open file."""
    try:
        yield
    except OSError as error:
        log.warning("a replay cannot be read: %s", error)
        raise Unreadable from error


async def _open(path: Path, small: int) -> Opened:
    """Open a file. One of up to `small` bytes is read and closed."""
    opening = asyncio.get_running_loop().run_in_executor(None, _open_file, path, small)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The thread opens the file even so.
        opening.add_done_callback(_close)
        raise


def _open_file(path: Path, small: int) -> Opened:
    # A named pipe would block the thread until somebody writes to it. For files the flag has no effect.
    raw = io.FileIO(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    try:
        with _reading():
            status = _status(raw)
            content = None
            if stat.S_ISREG(status.st_mode) and status.st_size <= small:
                content = _read(raw, status)
                if content is None:
                    # It has changed meanwhile, and is read again in chunks.
                    status = _status(raw)
    except BaseException:
        raw.close()
        raise
    if content is None:
        return raw, status
    raw.close()
    return content, status


def _read(raw: io.FileIO, status: os.stat_result) -> memoryview | None:
    """Return what is in a file, None if that changes meanwhile."""
    content = os.read(raw.fileno(), status.st_size)
    now = _status(raw)
    same = (len(content), now.st_mtime_ns, now.st_size) == (status.st_size, status.st_mtime_ns, status.st_size)
    return memoryview(content) if same else None


def _close(opening: asyncio.Future[Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        file, _ = opening.result()
        if isinstance(file, io.FileIO):
            file.close()


def _status(raw: io.FileIO) -> os.stat_result:
    return os.fstat(raw.fileno())
