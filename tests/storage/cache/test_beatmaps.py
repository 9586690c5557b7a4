"""The beatmaps within lists: each read once, kept for some seconds, and seen changed after that."""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from domain.beatmaps import Beatmap
from domain.errors import Unavailable
from storage.cache.beatmaps import SECONDS, Beatmaps
from storage.database import catalogue
from storage.database.database import Database
from storage.database.statement import Statement
from tests.conftest import Playground, connected

UNKNOWN = "f" * 32
NAMES = catalogue.beatmap_files


class Counting(Database):
    """Remembers the md5s it was asked about, a tuple for each statement; answers when it may."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[tuple[str, ...]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.away = False

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        if query.name == "beatmaps_by_md5":
            self.asked.append(values["md5s"])
            await self.may.wait()
            if self.away:
                raise Unavailable("Away.")
        return await super()._run(query, values)


async def some(database: Database, number: int) -> list[str]:
    """The md5s of so many beatmaps."""
    found = await database.all(NAMES, ids=tuple(range(1, 4000)))
    assert len(found) >= number
    return [each.md5 for each in found[:number]]


def read(found: dict[str, msgspec.Raw]) -> dict[str, Beatmap]:
    """What JSON says."""
    return {md5: msgspec.json.decode(raw, type=Beatmap) for md5, raw in found.items()}


def test_a_hundred_are_asked_in_one_statement_and_once(recorded_url: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            hundred = await some(database, 100)
            found = read(await kept.of([*hundred, hundred[0], UNKNOWN]))
            assert found.keys() == set(hundred)
            for md5 in hundred[:5]:
                assert found[md5] == await database.one(catalogue.beatmap, id=None, md5=md5)
            assert database.asked == [(*hundred, UNKNOWN)]
            assert read(await kept.of(reversed(hundred))) == found
            assert await kept.of([]) == {}
            assert len(database.asked) == 1
            # Nobody is told for ten seconds that a beatmap is not there.
            assert await kept.of([UNKNOWN]) == {}
            assert database.asked[1:] == [(UNKNOWN,)]

    asyncio.run(test())


def test_lists_that_ask_at_once_ask_for_each_beatmap_once(recorded_url: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_url)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            md5s = await some(database, 30)
            lists = [md5s[start : start + 10] for start in (0, 5, 10, 15, 20, 0)]
            answers = await asyncio.gather(*(kept.of(each) for each in lists))
            assert sorted(md5 for asked in database.asked for md5 in asked) == sorted(md5s)
            for each, answer in zip(lists, answers, strict=True):
                assert answer.keys() >= set(each)

    asyncio.run(test())


def test_who_leaves_does_not_end_it_for_the_others(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            md5s = await some(database, 3)
            database.may.clear()
            first, second = (asyncio.create_task(kept.of(md5s)) for _ in range(2))
            await asyncio.sleep(0.01)
            first.cancel()
            await asyncio.sleep(0.01)
            database.may.set()
            assert (await second).keys() == set(md5s)
            assert len(database.asked) == 1

    asyncio.run(test())


def test_a_failure_is_told_to_all_who_wait_and_is_not_kept(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            md5s = await some(database, 3)
            database.away = True
            told = await asyncio.gather(*(kept.of(md5s) for _ in range(3)), return_exceptions=True)
            assert [type(each) for each in told] == [Unavailable] * 3
            database.away = False
            assert (await kept.of(md5s)).keys() == set(md5s)
            assert len(database.asked) == 2

    asyncio.run(test())


def test_no_more_than_its_size_and_the_oldest_make_room(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5, size=10)
            md5s = await some(database, 40)
            assert len(await kept.of(md5s)) == 40
            assert len(kept) == 10
            for md5 in md5s:
                await kept.of([md5])
                assert len(kept) == 10
            database.asked.clear()
            await kept.of(md5s[-10:])
            assert database.asked == []
            await kept.of(md5s[:1])
            await kept.of(md5s[-10:])
            assert database.asked == [(md5s[0],), (md5s[-10],)]

    asyncio.run(test())


def test_kept_from_when_it_was_asked(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5, seconds=0.2)
            md5s = await some(database, 2)
            database.may.clear()
            waiting = asyncio.create_task(kept.of(md5s))
            await asyncio.sleep(0.15)
            database.may.set()
            await waiting
            await kept.of(md5s)
            assert len(database.asked) == 1
            await asyncio.sleep(0.06)
            await kept.of(md5s)
            assert len(database.asked) == 2

    asyncio.run(test())


def test_closing_ends_what_is_asked(recorded_sqlite: str) -> None:
    async def test() -> None:
        async with connected(Counting(recorded_sqlite)) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            database.may.clear()
            waiting = asyncio.create_task(kept.of([UNKNOWN]))
            await asyncio.sleep(0.01)
            await kept.close()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(test())


LISTS = ("/v1/get_player_scores?scope=recent&id=50&limit=5", "/v2/players/50/scores?scope=recent&limit=5")


def scores(uncached: Playground, path: str) -> list[Any]:
    """The scores of a list."""
    answer = uncached.client.get(path).json()
    found: list[Any] = answer["scores"] if "scores" in answer else answer["data"]
    return found


def test_changes_are_seen_in_time(uncached: Playground) -> None:
    first = {path: scores(uncached, path) for path in LISTS}
    began = time.monotonic()
    gone, *others = dict.fromkeys(score["map_md5"] for score in first[LISTS[0]])
    assert others
    uncached.sql("UPDATE maps SET plays = 123456", f"DELETE FROM maps WHERE md5 = '{gone}'")
    # One that is gone takes its scores along, at once.
    for path in LISTS:
        shown = {score["beatmap"]["md5"]: score["beatmap"] for score in scores(uncached, path)}
        assert gone not in shown
        assert {score["beatmap"]["md5"]: score["beatmap"] for score in first[path]}[others[0]] == shown[others[0]]
        assert shown[others[0]]["plays"] != 123456
    time.sleep(max(0.0, began + SECONDS - time.monotonic()))
    for path in LISTS:
        assert {score["beatmap"]["plays"] for score in scores(uncached, path)} == {123456}
