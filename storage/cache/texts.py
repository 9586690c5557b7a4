"""Names of players and texts of beatmaps in memory, to find those that contain a text without reading a table.

The texts of all rows lie in a few large blocks of bytes, which are searched at once: among 50 000 players, that
takes a tenth of a millisecond. Of beatmaps, only ids are found, and the rows of a response are read from the
database, so that what has been deleted meanwhile is not shown. Players are shown as they are in memory, except for
hidden ones.
"""

import asyncio
import logging
import re
import time
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from domain.errors import Unavailable
from storage.cache.cache import SingleFlight

log = logging.getLogger("apidot")

# The table is read again in the background once the texts are so old.
RENEW_SECONDS = 30.0
# The last rows are read again before a search if they were not within these seconds: new rows are among them.
NEW_SECONDS = 2.0
# After reading has failed, how long until it is tried again.
RETRY_SECONDS = 2.0
# The same if a table is not fit to be kept in memory.
UNFIT_SECONDS = 60
# How long a request waits for the first reading.
WAIT_SECONDS = 4.0
# Between two pages, so that requests are answered meanwhile.
PAUSE_SECONDS = 0.002
# How many rows make a block, which is searched at once; at most 64 * 64.
BLOCK_ROWS = 4096
# Of so few rows in a block, the texts are looked at one by one.
FEW_ROWS = 32
# For how long a search runs before it lets others run.
SLICE_SECONDS = 0.002
# Less than every id.
BEFORE_ALL = -(2**31)

# Each text ends with END and a code of two bytes for the number of its row in the block. No UTF-8 text begins with
# one of these bytes, so that no word is found in a code.
END = b"\x05"
CODES = [bytes((0x80 + (row >> 6), 0x80 + (row & 63))) for row in range(BLOCK_ROWS)]
ENDS = [END + code for code in CODES]
# As a number of the machine, so that all codes that are found are decoded at once.
_row_of_code = {memoryview(code).cast("H")[0]: row for row, code in enumerate(CODES)}.__getitem__


class Identified(Protocol):
    """A row with an id."""

    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=Identified)
# A text has a word if it contains one of these.
Word = tuple[bytes, ...]


Patterns = list[tuple[bytes, re.Pattern[bytes]]]


class Unfit(Unavailable):
    """The rows of a table cannot be kept in memory, or not be compared there as the database compares them."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The search is not available: {reason}.", retry_after=UNFIT_SECONDS)


class Source(Generic[R]):
    """A table: how its rows are read and what is kept of them."""

    def __init__(
        self,
        read: Callable[[int, int], Awaitable[list[R]]],
        text: Callable[[R], bytes],
        numbers: Mapping[str, Callable[[R], float]],
        *,
        what: str,
        page: int,
        most: int,
        keep: bool = False,
    ) -> None:
        """`read` returns the rows after an id, in the order of their ids, at most so many.

        `text` returns the text of a row, without END, and `numbers` are what rows can be sorted and
        filtered by. `page` rows are read at a time, so few that converting them takes some milliseconds. There may
        be at most `most` rows. `what` they are, for the log. With `keep`, the rows themselves are kept too.
        """
        self.read = read
        self.text = text
        self.numbers = numbers
        self.what = what
        self.page = page
        self.most = most
        self.keep = keep


class Texts(Generic[R]):
    """The texts and numbers of all rows, in the order of their ids, as they were at some time."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are those of the numbers."""
        self.ids: list[int] = []
        self.numbers = {name: array("d") for name in names}
        self.kept: list[R] = []
        # The numbers of rows that have been found to be deleted since.
        self.gone: set[int] = set()
        # The number of the first row of each block, and the texts of all its rows, each with its END.
        self._blocks: list[tuple[int, bytes]] = []
        # The block that is not full yet: the number of its first row, and the texts.
        self._first, self._open = 0, list[bytes]()
        # The last page: the id after which it begins, the number of its first row, and when it was read.
        self.after = BEFORE_ALL
        self._tail = 0
        self.tail_read = self.read = time.monotonic()

    def add(self, source: Source[R], rows: Sequence[R], *, last: bool) -> None:
        """Add a page. `last`: it is the last one, which `with_tail` replaces."""
        if last:
            self._close_block()
            self._tail = len(self.ids)
            self.after = self.ids[-1] if self.ids else BEFORE_ALL
        for row in rows:
            self._open += (source.text(row), ENDS[len(self._open) // 2])
            if len(self._open) == 2 * BLOCK_ROWS:
                self._close_block()
        self.ids += [row.id for row in rows]
        if source.keep:
            self.kept += rows
        for name, number in source.numbers.items():
            self.numbers[name].extend(map(number, rows))
        if last:
            self._close_block()

    def _close_block(self) -> None:
        if self._open:
            self._blocks.append((self._first, b"".join(self._open)))
            self._first += len(self._open) // 2
            self._open.clear()

    def with_tail(self, source: Source[R], rows: Sequence[R]) -> "Texts[R]":
        """Return the same texts, with these rows instead of those of the last page."""
        texts: Texts[R] = Texts(list(self.numbers))
        texts.ids, texts.kept = self.ids[: self._tail], self.kept[: self._tail]
        texts.numbers = {name: numbers[: self._tail] for name, numbers in self.numbers.items()}
        texts._blocks = [block for block in self._blocks if block[0] < self._tail]
        texts._first = self._tail
        texts.gone = {row for row in self.gone if row < self._tail}
        texts.add(source, rows, last=True)
        texts.read = self.read
        return texts

    def has_tail(self, rows: Sequence[R]) -> bool:
        """Return whether these are the rows of the last page, which are kept."""
        return self.kept[self._tail :] == rows

    def find(self, words: Sequence[Word]) -> Iterator[list[int]]:
        """Yield the numbers of the rows that have all of these words, in their order, block by block.

        After each word that is looked for in a block, an empty list comes, so that others can run meanwhile.
        """
        # The longest word is the rarest: if it is not there, the others need not be.
        rarest, *others = [_patterns(word) for word in sorted(words, key=lambda word: -len(word[0]))]
        for first, block in self._blocks:
            rows = _rows_with(block, rarest)
            for number, patterns in enumerate(others):
                if len(rows) <= FEW_ROWS:
                    rows = _rows_having(block, rows, others[number:])
                    break
                yield []
                having = set(_rows_with(block, patterns))
                rows = [row for row in rows if row in having]
            yield [first + row for row in rows] if first else rows

    def row_of(self, id: int) -> int | None:
        """Return the number of the row with this id, None if there is none."""
        row = bisect_left(self.ids, id)
        return row if row < len(self.ids) and self.ids[row] == id else None


def _patterns(word: Word) -> Patterns:
    """Return the parts of a word, each with a pattern that finds the texts with it and the code of their rows.

    A pattern for all parts would not begin with a literal, and take ten times as long.
    """
    rest = b"[^%b]*%b(..)" % (END, END)
    return [(part, re.compile(re.escape(part) + rest, re.DOTALL)) for part in word]


def _rows_with(block: bytes, patterns: Patterns) -> list[int]:
    """Return the numbers of the rows in a block that one of the patterns finds, in their order."""
    codes = [b"".join(pattern.findall(block)) for part, pattern in patterns if part in block]
    if len(codes) == 1:
        return list(map(_row_of_code, memoryview(codes[0]).cast("H")))
    return sorted({_row_of_code(code) for some in codes for code in memoryview(some).cast("H")})


def _rows_having(block: bytes, rows: list[int], words: list[Patterns]) -> list[int]:
    """Return those of some rows in a block, which are in their order, that have all of these words."""
    having = []
    end = 0
    for row in rows:
        end = block.index(ENDS[row], end)
        before = block.rfind(END, 0, end)
        text = block[0 if before < 0 else before + len(ENDS[0]) : end]
        if all(any(part in text for part, _ in patterns) for patterns in words):
            having.append(row)
    return having


async def pages(
    read: Callable[[int, int], Awaitable[list[R]]], size: int, *, after: int = BEFORE_ALL
) -> AsyncIterator[tuple[list[R], bool]]:
    """Yield the rows after an id in pages of `size` rows, each with whether it is the last page.

    `read` returns the rows after an id, in the order of their ids, at most so many.
    """
    last = False
    while not last:
        rows = await read(after, size)
        last = len(rows) < size
        yield rows, last
        after = rows[-1].id if rows else after


class TextIndex(Generic[R]):
    """Keeps the texts of a table, and reads them again while they are used.

    What is in the last page, new rows above all, is at most some seconds old. All else is as old as the callers
    accept.
    """

    def __init__(self, source: Source[R]) -> None:
        self._source = source
        self._texts: Texts[R] | None = None
        self._flights: SingleFlight[str, Texts[R]] = SingleFlight()
        self._failure: Unavailable | None = None
        self._retry_at = 0.0
        self._said_unfit = False

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._flights.close()

    async def get(self, max_age: float) -> Texts[R] | None:
        """Return texts that are at most `max_age` seconds old, None if there are none.

        They are then read in the background, as they are once they are older than RENEW_SECONDS. Raise Unavailable
        if the database cannot be reached.
        """
        now = time.monotonic()
        texts = self._texts
        if (texts is None or now - texts.read > RENEW_SECONDS) and now >= self._retry_at:
            self._flights.join("all", self._read_all)
        if texts is None or now - texts.read > max_age:
            return None
        if now - texts.tail_read > NEW_SECONDS:
            return await asyncio.shield(self._flights.join("new", self._read_new))
        return texts

    async def wait(self) -> Texts[R]:
        """Return the texts once they have been read. Raise Unavailable if they are not in time, Unfit too."""
        if self._failure and time.monotonic() < self._retry_at:
            raise self._failure.with_traceback(None)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await asyncio.shield(self._flights.join("all", self._read_all))
        except TimeoutError:
            raise Unavailable(f"The {self._source.what} are being read.") from None

    async def _read_all(self, _: str) -> Texts[R]:
        source = self._source
        texts: Texts[R] = Texts(list(source.numbers))
        try:
            async for rows, last in pages(source.read, source.page):
                texts.add(source, rows, last=last)
                if len(texts.ids) > source.most:
                    raise Unfit(f"there are more than {source.most} {source.what}")
                # Nobody waits for texts that are only renewed.
                await asyncio.sleep(PAUSE_SECONDS if self._texts else 0)
        except Unavailable as error:
            self._failed(error)
            raise
        self._failure = None
        self._texts = texts
        return texts

    def _failed(self, error: Unavailable) -> None:
        self._failure = error
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if isinstance(error, Unfit):
            self._texts = None
            self._retry_at = time.monotonic() + UNFIT_SECONDS
            if not self._said_unfit:
                self._said_unfit = True
                log.warning("the %s are not kept in memory: %s", self._source.what, error.message)

    async def _read_new(self, _: str) -> Texts[R]:
        """Read the last page again, and those after it."""
        before = self._texts
        assert before is not None
        rows: list[R] = []
        began = time.monotonic()
        async for page, _last in pages(self._source.read, self._source.page, after=before.after):
            rows += page
        if self._texts is not before:
            # They have all been read meanwhile.
            return self._texts or before
        if self._source.keep and before.has_tail(rows):
            before.tail_read = began
        else:
            self._texts = before.with_tail(self._source, rows)
        return self._texts


async def in_slices(found: Iterator[list[int]]) -> list[int]:
    """Return what a search finds. In a long one, other requests get their turn."""
    rows: list[int] = []
    began = time.perf_counter()
    for part in found:
        rows += part
        if time.perf_counter() - began > SLICE_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return rows
