"""The texts of all beatmaps in memory, and the numbers that they are filtered and sorted by."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from heapq import nlargest, nsmallest
from operator import attrgetter
from typing import TypeVar

import msgspec

from domain.beatmaps import Beatmap, SearchedBeatmap
from domain.folding import folded
from storage.cache.texts import Source, TextIndex, Texts, Word, in_slices
from storage.database import catalogue
from storage.database.database import Database

# A search accepts texts of this age rather than wait until they have been read again. They are so old only if
# nobody has searched meanwhile: a search starts the reading.
MAX_AGE = 600.0
PAGE, MOST_BEATMAPS = 150, 300_000
SERVERS = {"osu!": 0, "private": 1}
# An id stands between two of these, in digits that no word has.
MARK = b"\x01"
_DIGITS = bytes.maketrans(b"0123456789", bytes(range(14, 24)))
_EPOCH = datetime(1970, 1, 1)
# What is filtered by and changes.
CHANGING = {"status", "mode", "set_id"}
# How often a page is made again because some of its beatmaps have changed.
TRIES = 5
# Up to so many rows, the first ones are chosen without sorting all.
FEW = 1000

B = TypeVar("B", bound=Beatmap)


class BeatmapQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to search for: the text, the values that numbers must have, and the order.

    Without `sort`, beatmaps are ordered by server and id. `among` are the only ids that may be found, unless it is
    None.
    """

    text: str
    numbers: dict[str, int]
    sort: str | None = None
    descending: bool = False
    among: Collection[int] | None = None


class BeatmapSearch:
    """Finds the ids of beatmaps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        numbers: dict[str, Callable[[SearchedBeatmap], float]] = {
            "server": lambda row: SERVERS.get(row.server, len(SERVERS)),
            "last_update": _seconds,
            **{name: _number(name) for name in ("set_id", "status", "mode", "frozen")},
            **{name: _number(name) for name in catalogue.BEATMAP_SORTS if name != "last_update"},
        }
        source = Source(self._read, _text, numbers, what="beatmaps", page=PAGE, most=MOST_BEATMAPS)
        self._index = TextIndex(source)

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._index.close()

    async def page(
        self,
        query: BeatmapQuery,
        read: Callable[[tuple[int, ...]], Awaitable[list[B]]],
        *,
        offset: int,
        limit: int,
    ) -> tuple[list[B], int]:
        """Return a page of what is found, as `read` returns beatmaps with some ids, and how many there are in all.

        Raise Unavailable if the database cannot be reached, or the texts have not been read yet.
        """
        texts = await self._index.get(MAX_AGE) or await self._index.wait()
        page: list[int] = []
        beatmaps: dict[int, B] = {}
        total = 0
        for _ in range(TRIES):
            rows = await self._find(texts, query)
            total = len(rows)
            page = [texts.ids[row] for row in _first(texts, query, rows, offset + limit)[offset:]]
            beatmaps = {row.id: row for row in await read(tuple(page))} if page else {}
            # What was deleted, or has another status now, leaves its place on the page to the next one.
            changed = [id for id in page if not _is_as_kept(texts, query, id, beatmaps.get(id))]
            if not changed:
                break
        return [beatmaps[id] for id in page if id in beatmaps], total

    async def _find(self, texts: Texts[SearchedBeatmap], query: BeatmapQuery) -> list[int]:
        """Return the numbers of the rows that are found, in the order of their ids."""
        words = _words(query.text)
        if not words:
            return []
        return await in_slices(_filtered(texts, query, part) for part in texts.find(words))

    async def _read(self, after: int, limit: int) -> list[SearchedBeatmap]:
        return await self._database.all(catalogue.beatmap_texts, after=after, limit=limit)


def _first(texts: Texts[SearchedBeatmap], query: BeatmapQuery, rows: list[int], count: int) -> list[int]:
    """Return the first rows in the order of the query, at most `count`."""
    key = texts.numbers[query.sort or "server"].__getitem__
    if count > FEW:
        return sorted(rows[::-1] if query.descending else rows, key=key, reverse=query.descending)[:count]
    # Several times as fast as sorting all. Both keep equal rows in their order.
    return nlargest(count, rows[::-1], key=key) if query.descending else nsmallest(count, rows, key=key)


def _filtered(texts: Texts[SearchedBeatmap], query: BeatmapQuery, rows: list[int]) -> list[int]:
    if texts.gone:
        rows = [row for row in rows if row not in texts.gone]
    for name, value in query.numbers.items():
        numbers = texts.numbers[name]
        rows = [row for row in rows if numbers[row] == value]
    if query.among is not None:
        rows = [row for row in rows if texts.ids[row] in query.among]
    return rows


def _is_as_kept(texts: Texts[SearchedBeatmap], query: BeatmapQuery, id: int, beatmap: Beatmap | None) -> bool:
    """Return whether a beatmap still exists and has the values that the query filters by; keep its new ones."""
    row = texts.row_of(id)
    assert row is not None
    if beatmap is None:
        texts.gone.add(row)
        return False
    same = True
    for name in query.numbers.keys() & CHANGING:
        value = getattr(beatmap, name)
        same = same and value == query.numbers[name]
        texts.numbers[name][row] = value
    return same


def _words(text: str) -> list[Word]:
    """Return the words of a text. A number also has the ids that are equal to it.

    Parts of other words are left out: what has `abc` has `b`. Parts of numbers are not: a number may be an
    id, in which no word is found.
    """
    words: list[Word] = []
    every = dict.fromkeys(folded(text).split())
    others = [word for word in every if not _is_number(word)]
    for word in every:
        if not any(word in other and word != other for other in others):
            part = word.encode()
            words.append((part, _marked(word)) if _is_number(word) else (part,))
    return words


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _text(beatmap: SearchedBeatmap) -> bytes:
    texts = (beatmap.artist, beatmap.title, beatmap.creator, beatmap.version)
    return b"\0".join([folded(text).encode() for text in texts]) + _marked(str(beatmap.id), str(beatmap.set_id))


def _marked(*ids: str) -> bytes:
    return MARK + b"".join(id.encode().translate(_DIGITS) + MARK for id in ids)


def _number(name: str) -> Callable[[SearchedBeatmap], float]:
    return attrgetter(name)


def _seconds(beatmap: SearchedBeatmap) -> float:
    return (beatmap.last_update - _EPOCH).total_seconds() if beatmap.last_update else 0.0
