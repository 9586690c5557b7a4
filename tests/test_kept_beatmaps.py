"""The beatmaps within lists: each read once, kept for some seconds, and seen changed after that."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from domain.beatmaps import Beatmap
from domain.errors import Unavailable
from storage import beatmaps, catalogue
from storage.beatmaps import Beatmaps
from storage.query import Database, Statement
from tests.conftest import Playground

DRIVERS = ["sqlite", "mysql", "mysql+asyncmy"]
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

    async def _run(self, query: Statement, values: dict[str, Any]) -> tuple[list[str], Sequence[Sequence[Any]]]:
        if query.name == "beatmaps_by_md5":
            self.asked.append(values["md5s"])
            await self.may.wait()
            if self.away:
                raise Unavailable("Away.")
        return await super()._run(query, values)


@pytest.fixture(params=DRIVERS)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of the recorded world, for each driver."""
    recorded: str = request.getfixturevalue("recorded_sqlite" if request.param == "sqlite" else "recorded_mysql")
    return recorded.replace("mysql://", f"{request.param}://")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Counting]:
    """A database that counts."""
    database = Counting(url)
    await database.connect()
    try:
        yield database
    finally:
        await database.disconnect()


async def some(database: Database, number: int) -> list[str]:
    """The md5s of so many beatmaps."""
    found = await database.all(NAMES, ids=tuple(range(1, 4000)))
    assert len(found) >= number
    return [each.md5 for each in found[:number]]


def read(found: dict[str, msgspec.Raw]) -> dict[str, Beatmap]:
    """What JSON says."""
    return {md5: msgspec.json.decode(raw, type=Beatmap) for md5, raw in found.items()}


def test_a_hundred_are_asked_in_one_statement_and_once(url: str) -> None:
    async def test() -> None:
        async with connected(url) as database:
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


def test_lists_that_ask_at_once_ask_for_each_beatmap_once(url: str) -> None:
    async def test() -> None:
        async with connected(url) as database:
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
        async with connected(recorded_sqlite) as database:
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
        async with connected(recorded_sqlite) as database:
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
        async with connected(recorded_sqlite) as database:
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
        async with connected(recorded_sqlite) as database:
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
        async with connected(recorded_sqlite) as database:
            kept = Beatmaps(database, catalogue.beatmaps_by_md5)
            database.may.clear()
            waiting = asyncio.create_task(kept.of([UNKNOWN]))
            await asyncio.sleep(0.01)
            await kept.close()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(test())


LISTS = ("/v1/get_player_scores?scope=recent&id=50&limit=5", "/v2/players/50/scores?scope=recent&limit=5")


def plays(world: Playground, path: str) -> set[int]:
    """How often the beatmaps of a list were played."""
    answer = world.client.get(path).json()
    return {score["beatmap"]["plays"] for score in answer.get("scores") or answer["data"]}


def changed(world: Playground, lists: Iterable[str], number: int) -> set[str]:
    """Those of the lists that show that number by now."""
    return {path for path in lists if plays(world, path) == {number}}


def test_a_changed_beatmap_is_seen_within_its_age(world: Playground) -> None:
    before = {path: plays(world, path) for path in LISTS}
    assert all(before.values())
    began = time.monotonic()
    world.sql("UPDATE maps SET plays = 123456")
    seen: set[str] = set()
    # A list's answer is kept for three seconds itself.
    while seen != set(LISTS) and time.monotonic() - began < beatmaps.SECONDS + 3.5:
        time.sleep(0.25)
        seen = changed(world, LISTS, 123456)
    assert seen == set(LISTS)
    assert time.monotonic() - began > 2


def test_a_beatmap_that_is_gone_takes_its_scores_along(world: Playground) -> None:
    path = "/v1/get_player_scores?scope=recent&id=50&limit=1&include_failed=0"
    (score,) = world.client.get(path).json()["scores"]
    world.sql(f"DELETE FROM maps WHERE md5 = '{score['map_md5']}'")
    time.sleep(3.5)
    (other,) = world.client.get(path).json()["scores"]
    assert other["map_md5"] != score["map_md5"]
    assert other["beatmap"]["md5"] == other["map_md5"]
