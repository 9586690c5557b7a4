"""Beatmaps found in memory: those that a comparison of every row finds, in pages without gaps."""

import asyncio
import sqlite3
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from domain.beatmaps import Beatmap
from domain.errors import Unavailable
from domain.folding import folded
from storage.cache import beatmap_search, texts
from storage.cache.beatmap_search import BeatmapQuery, BeatmapSearch
from storage.database import catalogue
from storage.database.database import Database
from tests.api.v2.test_v2 import table
from tests.conftest import connected
from tests.support import conformance

MAPS = sorted(table("maps"), key=lambda row: row["id"])
FIELDS = ("artist", "title", "creator", "version")
ALL: dict[str, Any] = {"offset": 0, "limit": 10_000}


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and blocks so small that there are many."""
    monkeypatch.setattr(beatmap_search, "PAGE", 7)
    monkeypatch.setattr(texts, "BLOCK_ROWS", 20)
    monkeypatch.setattr(beatmap_search, "FEW", 50)
    monkeypatch.setattr(texts, "PAUSE_SECONDS", 0)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A SQLite file with the recorded world, which a test may change."""
    conformance.load(f"sqlite:///{tmp_path / 'world.sqlite'}")
    return tmp_path / "world.sqlite"


class Searched:
    """A search, and the database that it reads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.search = BeatmapSearch(database)

    async def read(self, ids: tuple[int, ...]) -> list[Beatmap]:
        return await self.database.all(catalogue.beatmaps_by_id, ids=ids, md5s=())

    async def find(self, text: str, **options: Any) -> list[int]:
        """Return the ids of everything that is found, in its order."""
        query = BeatmapQuery(text=text, numbers=options.pop("numbers", {}), **options)
        beatmaps, total = await self.search.page(query, self.read, **ALL)
        assert total == len(beatmaps)
        return [beatmap.id for beatmap in beatmaps]


@asynccontextmanager
async def searched(url: str) -> AsyncIterator[Searched]:
    async with connected(Database(url)) as database:
        here = Searched(database)
        try:
            yield here
        finally:
            await here.search.close()


def change(world: Path, *statements: str) -> None:
    with closing(sqlite3.connect(world)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def plain(text: str) -> str:
    """Return a text without case and accents, in another way than the code."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if unicodedata.category(c) != "Mn"))


def expected(text: str, rows: list[dict[str, Any]] = MAPS) -> list[int]:
    """Return the ids of the beatmaps that a comparison of every row finds, by server and id."""
    found = []
    for row in rows:
        fields = [plain(row[name]) for name in FIELDS]
        words = plain(text).replace("\0", " ").split()
        numbers = {str(row["id"]), str(row["set_id"])}
        if words and all(any(word in field for field in fields) or word in numbers for word in words):
            found.append(row)
    return [row["id"] for row in sorted(found, key=lambda row: (row["server"] != "osu!", row["id"]))]


@pytest.fixture(params=[0, texts.FEW_ROWS])
def _few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FEW_ROWS", request.param)


def queries() -> list[str]:
    """Return parts of the texts, pairs of them, and some that are not in any."""
    chosen = {
        "zzzz",
        "a zzzz",
        "\0",
        "a\0b",
        "%",
        "_",
        "\n",
        " \t ",
        "  a  e ",
        "é",
        "ＨＡＲＤ",
        "78",
        "078",
        "7 8",
        "7 78",
        "a an ana",
        "e a r",
        " ".join("abcdefghijklmnopqrstuvwxyz"),
    }
    for number, row in enumerate(MAPS):
        field = row[FIELDS[number % 4]]
        begin = number % max(1, len(field) - 2)
        chosen |= {field[begin : begin + 3], row["title"][:2].swapcase() + " " + row["version"][-2:].swapcase()}
        chosen |= {str(row["id"]), str(row["set_id"])} if number % 9 == 0 else set()
        if number % 40 == 0:
            # Words that are parts of others, and of ids.
            words = f"{row['title'][:5]} {row['title'][:2]} {row['id']} {row['id'] % 10}"
            chosen |= {words, f"{row['id']} e a"}
    return sorted(chosen)


@pytest.mark.usefixtures("_few_rows")
def test_the_same_as_by_comparing_every_row(recorded_url: str) -> None:
    async def test() -> None:
        async with searched(recorded_url) as here:
            found_any = 0
            for text in queries():
                found = await here.find(text)
                assert found == expected(text), text
                found_any += bool(found)
            assert found_any > 100

    asyncio.run(test())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a abc b bc", [(b"abc",)]),
        ("abc abc", [(b"abc",)]),
        ("é ése", [(b"ese",)]),
        ("ab bc", [(b"ab",), (b"bc",)]),
        # A number may be an id.
        ("1 12", [(b"1", b"\x01\x0f\x01"), (b"12", b"\x01\x0f\x10\x01")]),
        ("12 x12", [(b"x12",)]),
    ],
)
def test_words_that_others_contain_are_not_looked_for(text: str, words: list[texts.Word]) -> None:
    assert beatmap_search._words(text) == words


def test_others_run_after_each_word(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FEW_ROWS", 0)
    monkeypatch.setattr(texts, "SLICE_SECONDS", -1)

    async def test() -> None:
        async with searched(recorded_sqlite) as here:
            turns = {}
            kept = await here.search._index.wait()
            for text in ("a", "a e i o"):
                query = BeatmapQuery(text=text, numbers={})
                search = asyncio.create_task(here.search._find(kept, query))
                turns[text] = 0
                while not search.done():
                    turns[text] += 1
                    await asyncio.sleep(0)
            assert turns["a e i o"] > 2 * turns["a"]

    asyncio.run(test())


@pytest.mark.parametrize("sort", catalogue.BEATMAP_SORTS)
@pytest.mark.parametrize("numbers", [{}, {"mode": 0}, {"status": 2, "mode": 0}, {"frozen": 1}, {"server": 1}])
def test_sorted_and_filtered(recorded_sqlite: str, sort: str, numbers: dict[str, int]) -> None:
    servers = {"osu!": 0, "private": 1}
    rows = [row for row in MAPS if (row | {"server": servers[row["server"]]}).items() >= numbers.items()]

    async def test() -> None:
        async with searched(recorded_sqlite) as here:
            ids = set(expected("a", rows))
            ascending = [
                row["id"] for row in sorted(rows, key=lambda row: (row[sort], row["id"])) if row["id"] in ids
            ]
            assert await here.find("a", sort=sort, numbers=numbers) == ascending
            assert await here.find("a", sort=sort, numbers=numbers, descending=True) == ascending[::-1]
            some = frozenset(ascending[::3])
            among = await here.find("a", sort=sort, numbers=numbers, among=some)
            assert among == [id for id in ascending if id in some]

    asyncio.run(test())


def test_pages(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with searched(recorded_sqlite) as here:
            query = BeatmapQuery(text="a", numbers={}, sort="plays", descending=True)
            every = await here.find("a", sort="plays", descending=True)
            assert len(every) > 50
            for limit in (1, 9, 100):
                for offset in range(0, len(every) + limit, limit):
                    page, total = await here.search.page(query, here.read, offset=offset, limit=limit)
                    assert [beatmap.id for beatmap in page] == every[offset : offset + limit]
                    assert total == len(every)
            page, total = await here.search.page(query, here.read, offset=2**63 - 1, limit=100)
            assert (page, total) == ([], len(every))

    asyncio.run(test())


def test_changes(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "NEW_SECONDS", 1000)

    async def test() -> None:
        async with searched(f"sqlite:///{world}") as here:
            ranked = {"status": 2}
            query = BeatmapQuery(text="a", numbers=ranked, sort="plays")
            before = await here.find("a", numbers=ranked, sort="plays")
            change(
                world,
                f"DELETE FROM maps WHERE id IN ({before[0]}, {before[3]})",
                f"UPDATE maps SET status = 0 WHERE id = {before[1]}",
            )
            # The first page is as long as ever, and the second one continues it.
            left = [before[2], *before[4:]]
            first, total = await here.search.page(query, here.read, offset=0, limit=5)
            assert ([beatmap.id for beatmap in first], total) == (left[:5], len(left))
            second, total = await here.search.page(query, here.read, offset=5, limit=5)
            assert ([beatmap.id for beatmap in second], total) == (left[5:10], len(left))
            assert before[1] in await here.find("a", numbers={"status": 0})
            # New ones are found in the last page; one in between once everything has been read again.
            unused = next(id for id in range(before[0], 2**31) if id not in {row["id"] for row in MAPS})
            columns = ", ".join(column for column in MAPS[0] if column not in ("id", "md5", "artist"))
            for id in (unused, 2**31 - 1):
                change(
                    world,
                    f"INSERT INTO maps (id, md5, artist, {columns}) SELECT {id}, '{id:032}', 'Ünheard', {columns}"
                    f" FROM maps WHERE id = {before[2]}",
                )
            assert await here.find("unheard") == []
            monkeypatch.setattr(texts, "NEW_SECONDS", 0)
            assert await here.find("unheard") == [2**31 - 1]
            monkeypatch.setattr(texts, "RENEW_SECONDS", 0)
            await here.find("unheard")
            await here.search._index.wait()
            assert await here.find("unheard") == [unused, 2**31 - 1]
            # Nothing must be reading while SQLite is changed.
            monkeypatch.setattr(texts, "RENEW_SECONDS", 1000)
            await here.search._index.wait()
            change(world, "DELETE FROM maps")
            assert await here.find("a") == []

    asyncio.run(test())


def test_too_many(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beatmap_search, "MOST_BEATMAPS", 20)

    async def test() -> None:
        async with searched(recorded_sqlite) as here:
            for _ in range(2):
                with pytest.raises(Unavailable) as raised:
                    await here.find("a")
                assert raised.value.message == "The search is not available: there are more than 20 beatmaps."
                assert raised.value.retry_after == texts.UNFIT_SECONDS

    asyncio.run(test())


def test_not_read_in_time(recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "WAIT_SECONDS", 0.0001)

    async def test() -> None:
        async with searched(recorded_sqlite) as here:
            with pytest.raises(Unavailable, match=r"The beatmaps are being read\."):
                await here.find("a")
            monkeypatch.setattr(texts, "WAIT_SECONDS", 20)
            # The reading that was under way goes on.
            assert await here.find("a") == expected("a")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("text", "result"),
    [
        *(
            ("ABC", "abc"),
            ("Déjà Vu", "deja vu"),
            ("ＡＢ１", "ab1"),
            ("Straße", "strasse"),
            ("ﬁ", "fi"),
            ("İ", "i"),
        ),
        *(("ガギ", "カキ"), ("하늘", "하늘"), ("Ёж", "еж"), ("a\tb\x00c", "a b c"), ("ⓔ²", "e2"), ("Σς", "σσ")),
    ],
)
def test_folded(text: str, result: str) -> None:
    assert folded(text) == result
    assert folded(result) == result
