"""The texts of all beatmaps in memory, and the numbers that they are filtered and sorted by."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

import msgspec

from domain.beatmaps import Beatmap, SearchedBeatmap
from domain.folding import folded
from storage.cache.texts import Source, TextIndex, Texts, Word, sorted_in_slices
from storage.database import catalogue
from storage.database.database import Database

# The texts may be older than that only if they have not been used for so long.
MAX_AGE = 600.0
PAGE, MOST_BEATMAPS = 500, 300_000
SERVERS = {"osu!": 0, "private": 1}
# An id stands between two of these, in digits that no word has.
MARK = b"\x01"
_DIGITS = bytes.maketrans(b"0123456789", bytes(range(14, 24)))
_EPOCH = datetime(1970, 1, 1)
# Not 0 for a beatmap that was deleted since the texts were read.
GONE = "gone"
# What is filtered by and changes.
CHANGING = {"status", "mode", "set_id"}
# How often a page is made again because some of its beatmaps have changed.
TRIES = 5

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
            GONE: lambda _: 0,
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
        found: list[int] = []
        beatmaps: dict[int, B] = {}
        for _ in range(TRIES):
            found = await self._find(texts, query)
            page = [texts.ids[row] for row in found[offset : offset + limit]]
            beatmaps = {row.id: row for row in await read(tuple(page))} if page else {}
            # What was deleted, or has another status now, leaves its place on the page to the next one.
            changed = [id for id in page if not _is_as_kept(texts, query, id, beatmaps.get(id))]
            if not changed:
                break
        rows = [beatmap for row in found[offset : offset + limit] if (beatmap := beatmaps.get(texts.ids[row]))]
        return rows, len(found)

    async def _find(self, texts: Texts[SearchedBeatmap], query: BeatmapQuery) -> list[int]:
        """Return the numbers of the rows that are found, in the order of the query."""
        words = _words(query.text)
        rows = await sorted_in_slices(
            (_filtered(texts, query, part) for part in texts.find(words)) if words else iter(()),
            texts.numbers[query.sort or "server"].__getitem__,
        )
        if query.descending:
            rows.reverse()
        return rows

    async def _read(self, after: int, limit: int) -> list[SearchedBeatmap]:
        return await self._database.all(catalogue.beatmap_texts, after=after, limit=limit)


def _filtered(texts: Texts[SearchedBeatmap], query: BeatmapQuery, rows: list[int]) -> list[int]:
    gone = texts.numbers[GONE]
    rows = [row for row in rows if not gone[row]]
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
        texts.numbers[GONE][row] = 1
        return False
    same = True
    for name in query.numbers.keys() & CHANGING:
        value = getattr(beatmap, name)
        same = same and value == query.numbers[name]
        texts.numbers[name][row] = value
    return same


def _words(text: str) -> list[Word]:
    """Return the words of a text. A number also has the ids that are equal to it."""
    words: list[Word] = []
    for word in dict.fromkeys(folded(text).split()):
        part = word.encode()
        words.append((part, _marked(word)) if word.isascii() and word.isdigit() else (part,))
    return words


def _text(beatmap: SearchedBeatmap) -> bytes:
    texts = (beatmap.artist, beatmap.title, beatmap.creator, beatmap.version)
    return b"\0".join([folded(text).encode() for text in texts]) + _marked(str(beatmap.id), str(beatmap.set_id))


def _marked(*ids: str) -> bytes:
    return MARK + b"".join(id.encode().translate(_DIGITS) + MARK for id in ids)


def _number(name: str) -> Callable[[SearchedBeatmap], float]:
    return attrgetter(name)


def _seconds(beatmap: SearchedBeatmap) -> float:
    return (beatmap.last_update - _EPOCH).total_seconds() if beatmap.last_update else 0.0
