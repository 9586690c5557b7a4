"""The beatmaps within lists: each is read once, cached for some seconds, and shows changes after that."""

import asyncio
from typing import Any

import msgspec
import pytest

from domain.beatmaps import Beatmap
from domain.errors import Unavailable
from storage.cache.beatmaps import TTL_SECONDS, BeatmapCache
from storage.database import catalogue
from storage.database.database import Database
from storage.database.statement import Statement
from tests.conftest import Playground, connected

UNKNOWN = "f" * 32


class Counting(Database):
    """Remembers the md5s of each statement. It runs them when `may` is set, and fails while `failing`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.statements: list[tuple[str, ...]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.failing = False

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        if query.name == "beatmaps_by_md5":
            self.statements.append(values["md5s"])
            await self.may.wait()
            if self.failing:
                raise Unavailable("No.")
        return await super()._run(query, values)


async def some(database: Database, number: int) -> list[str]:
    """Return the md5s of `number` beatmaps."""
    files = await database.all(catalogue.beatmap_files, ids=tuple(range(1, 4000)))
    assert len(files) >= number
    return [file.md5 for file in files[:number]]


def decoded(beatmaps: dict[str, msgspec.Raw]) -> dict[str, Beatmap]:
    return {md5: msgspec.json.decode(raw, type=Beatmap) for md5, raw in beatmaps.items()}


def test_a_hundred_are_read_by_one_statement_and_once(recorded_url: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            cache = BeatmapCache(database)
            hundred = await some(database, 100)
            found = decoded(await cache.of([*hundred, hundred[0], UNKNOWN]))
            assert found.keys() == set(hundred)
            for md5 in hundred[:5]:
                assert found[md5] == await database.one(catalogue.beatmap, id=None, md5=md5)
            assert database.statements == [(*hundred, UNKNOWN)]
            assert decoded(await cache.of(reversed(hundred))) == found
            assert await cache.of([]) == {}
            assert len(database.statements) == 1
            # That a beatmap does not exist is not cached.
            assert await cache.of([UNKNOWN]) == {}
            assert database.statements[1:] == [(UNKNOWN,)]

    asyncio.run(test())


def test_concurrent_lists_read_each_beatmap_once(recorded_url: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            cache = BeatmapCache(database)
            md5s = await some(database, 30)
            lists = [md5s[start : start + 10] for start in (0, 5, 10, 15, 20, 0)]
            results = await asyncio.gather(*(cache.of(wanted) for wanted in lists))
            assert sorted(md5 for statement in database.statements for md5 in statement) == sorted(md5s)
            for wanted, result in zip(lists, results, strict=True):
                assert result.keys() >= set(wanted)

    asyncio.run(test())


def test_a_caller_that_is_cancelled_does_not_cancel_the_others(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            cache = BeatmapCache(database)
            md5s = await some(database, 3)
            database.may.clear()
            first, second = (asyncio.create_task(cache.of(md5s)) for _ in range(2))
            await asyncio.sleep(0.01)
            first.cancel()
            await asyncio.sleep(0.01)
            database.may.set()
            assert (await second).keys() == set(md5s)
            assert len(database.statements) == 1

    asyncio.run(test())


def test_a_failure_reaches_all_who_wait_and_is_not_cached(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            cache = BeatmapCache(database)
            md5s = await some(database, 3)
            database.failing = True
            results = await asyncio.gather(*(cache.of(md5s) for _ in range(3)), return_exceptions=True)
            assert [type(result) for result in results] == [Unavailable] * 3
            database.failing = False
            assert (await cache.of(md5s)).keys() == set(md5s)
            assert len(database.statements) == 2

    asyncio.run(test())


def test_the_oldest_entries_make_room(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            cache = BeatmapCache(database, size=10)
            md5s = await some(database, 40)
            assert len(await cache.of(md5s)) == 40
            assert len(cache) == 10
            for md5 in md5s:
                await cache.of([md5])
                assert len(cache) == 10
            database.statements.clear()
            await cache.of(md5s[-10:])
            assert database.statements == []
            await cache.of(md5s[:1])
            await cache.of(md5s[-10:])
            assert database.statements == [(md5s[0],), (md5s[-10],)]

    asyncio.run(test())


def test_the_time_to_live_counts_from_before_the_statement(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            cache = BeatmapCache(database, ttl=0.2)
            md5s = await some(database, 2)
            database.may.clear()
            waiting = asyncio.create_task(cache.of(md5s))
            await asyncio.sleep(0.15)
            database.may.set()
            await waiting
            await cache.of(md5s)
            assert len(database.statements) == 1
            await asyncio.sleep(0.06)
            await cache.of(md5s)
            assert len(database.statements) == 2

    asyncio.run(test())


class Padded(Counting):
    """Beatmaps whose title has white space at both ends."""

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        shape, rows = await super()._run(query, values)
        if query.name == "beatmaps_by_md5":
            title = shape.names.index("title")
            rows = [[*row[:title], f" {row[title]}\t", *row[title + 1 :]] for row in rows]
        return shape, rows


@pytest.mark.parametrize("kind", [Counting, Padded])
def test_both_encodings_come_from_one_statement(recorded_sqlite: str, kind: type[Counting]) -> None:
    async def test() -> None:
        async with connected(kind(recorded_sqlite)) as database:
            cache = BeatmapCache(database)
            md5s = await some(database, 3)
            v1, v2 = await cache.of(md5s), await cache.of(md5s, stripped=True)
            assert len(database.statements) == 1
            for md5, beatmap in decoded(v1).items():
                assert decoded(v2)[md5] == msgspec.structs.replace(beatmap, title=beatmap.title.strip())
                assert (v1[md5] is v2[md5]) is (kind is Counting)

    asyncio.run(test())


def test_closing_cancels_what_is_running(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            cache = BeatmapCache(database)
            database.may.clear()
            waiting = asyncio.create_task(cache.of([UNKNOWN]))
            await asyncio.sleep(0.01)
            await cache.close()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(test())


LISTS = ("/v1/get_player_scores?scope=recent&id=50&limit=5", "/v2/players/50/scores?scope=recent&limit=5")


def scores(uncached: Playground, path: str) -> list[Any]:
    """Return the scores of a list of v1 or v2."""
    body = uncached.client.get(path).json()
    rows: list[Any] = body["scores"] if "scores" in body else body["data"]
    return rows


def test_changes_show_in_time(uncached: Playground) -> None:
    first = {path: scores(uncached, path) for path in LISTS}
    gone, *others = dict.fromkeys(score["map_md5"] for score in first[LISTS[0]])
    assert others
    uncached.sql("UPDATE maps SET plays = 123456", f"DELETE FROM maps WHERE md5 = '{gone}'")
    # The scores on a deleted beatmap disappear at once.
    for path in LISTS:
        shown = {score["beatmap"]["md5"]: score["beatmap"] for score in scores(uncached, path)}
        assert gone not in shown
        assert {score["beatmap"]["md5"]: score["beatmap"] for score in first[path]}[others[0]] == shown[others[0]]
        assert shown[others[0]]["plays"] != 123456
    uncached.client.advance(TTL_SECONDS)
    for path in LISTS:
        assert {score["beatmap"]["plays"] for score in scores(uncached, path)} == {123456}
