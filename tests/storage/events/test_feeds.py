"""Feeds of live events in one process: when they begin again, how much they tell at once, and how they stop."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis import Redis as RedisClient

from domain.live import Live
from storage.database.database import Database
from storage.events import feeds
from storage.events.cursor import Cursor
from storage.events.event import TYPES, Event, Filter
from storage.events.feeds import PlayerFeed, ScoreFeed
from storage.events.hub import Hub
from storage.events.relay import Relay
from storage.events.scores import ScoreReader
from tests.support import conformance, servers
from tests.support.new_scores import insert


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        for _ in iter(holds, True):
            await asyncio.sleep(0.05)


class Ears:
    """A listener that keeps all that it is told."""

    def __init__(self) -> None:
        self.filter = Filter(types=frozenset(TYPES))
        self.heard: list[Event] = []

    def put(self, events: list[Event]) -> None:
        self.heard += events

    def wake(self) -> None:
        pass

    def forget(self) -> None:
        pass


class World:
    """The recorded scores, up to 7000, and a clock."""

    def __init__(self, path: Path, database: Database) -> None:
        self._path = path
        self.database = database
        self.reader = ScoreReader(database, visible=1, visible_on_boards=1)
        self.now = 1000.0

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    async def feed(self) -> tuple[ScoreFeed, Ears]:
        """Return a feed that has looked once, and who listens to it. It looks when it is told to."""
        feed, ears = ScoreFeed(self.reader, None), Ears()
        feed.wanted.add(ears)
        feed.attach(ears)
        await feed.poll()
        return feed, ears


InWorld = Callable[[Callable[[World], Awaitable[None]]], None]


@pytest.fixture
def in_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InWorld:
    """Run a coroutine in a world of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        path = tmp_path / "world.sqlite"
        conformance.load(f"sqlite:///{path}")
        database = Database(f"sqlite:///{path}")
        await database.connect()
        try:
            world = World(path, database)
            monkeypatch.setattr(feeds, "time", SimpleNamespace(monotonic=lambda: world.now))
            yield world
        finally:
            await database.disconnect()

    def run(use: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            async with opened() as world:
                await use(world)

        asyncio.run(main())

    return run


def test_a_server_that_is_behind_twice_is_waited_for_twice(in_world: InWorld) -> None:
    async def use(world: World) -> None:
        (poller, _), (follower, _) = await world.feed(), await world.feed()
        world.sql("UPDATE scores SET id = -id WHERE id > 6000")
        await follower.poll()
        world.sql("UPDATE scores SET id = -id WHERE id < 0", insert(7001))
        for seen in await poller.poll():
            assert await follower.receive(seen)
        world.now += 60
        world.sql("UPDATE scores SET id = -id WHERE id > 6000")
        await follower.poll()
        assert follower.cursor.newest == 7001

    in_world(use)


def test_more_scores_than_a_look_tells(in_world: InWorld) -> None:
    async def use(world: World) -> None:
        (poller, ears), (follower, other) = await world.feed(), await world.feed()
        world.sql(*(insert(id) for id in range(7001, 10_001)))
        seen = await poller.poll()
        assert poller.has_more
        assert 7000 < poller.cursor.newest < 10_000
        poller.has_more = False
        seen += await poller.poll()
        assert not poller.has_more
        for each in seen:
            assert await follower.receive(each)
        for listener in (ears, other):
            assert [event.id for event in listener.heard] == [*range(7001, 10_001)]

    in_world(use)


def test_more_scores_than_anybody_can_catch_up_with(in_world: InWorld) -> None:
    async def use(world: World) -> None:
        (poller, ears), (follower, other) = await world.feed(), await world.feed()
        world.sql(*(insert(id) for id in [*range(7001, 12_002), 12_003]))
        seen = await poller.poll()
        world.sql(insert(12_002), insert(12_004))
        seen += await poller.poll()
        for each in seen:
            assert await follower.receive(each)
        for listener in (ears, other):
            heard = [(event.type, event.id, event.cursor) for event in listener.heard]
            assert heard == [("reset", 0, "12003.12002"), ("score", 12002, "12003"), ("score", 12004, "12004")]

    in_world(use)


def test_a_feed_that_is_closed_while_it_stops_gives_the_lock_back() -> None:
    async def use(url: str, turns: int) -> None:
        feed = PlayerFeed(Live(), partial(Relay, url, "x", "players", timeout=2))
        with closing(RedisClient.from_url(url)) as client:
            ears = Ears()
            feed.join(ears)
            await eventually(lambda: bool(client.keys("*:lock")))
            feed.leave(ears)
            for _ in range(turns):
                await asyncio.sleep(0)
            await feed.close()
            assert client.keys("*:lock") == []

    # It is closed before, while and after it talks to Redis.
    with servers.redis(private=True) as redis:
        for turns in range(6):
            asyncio.run(use(redis.url, turns))


def test_a_client_that_has_seen_more_than_the_process(in_world: InWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "TURN", 3600.0)

    async def use(world: World) -> None:
        hub = Hub(world.database, Live(), visible=1, visible_on_boards=1, per_client=9, total=9)
        with hub.listen(Filter(types=frozenset({"score"}))) as first:
            assert [event.cursor for event in await anext(first)] == ["7000"]
            world.sql(*(insert(id) for id in range(7001, 7004)))
            with hub.listen(first.filter, last=Cursor(7003, frozenset({7001}))) as again:
                (hello,) = await anext(again)
                assert (hello.cursor, json.loads(hello.data)["last_id"]) == ("", "7003.7001")
                reading = asyncio.ensure_future(anext(again))
                # Until it waits for what happens.
                await asyncio.sleep(0.5)
                again.beat()
                assert await reading == []
                assert again.cursor == ""
                await hub.scores.poll()
                assert [(event.id, event.cursor) for event in await anext(again)] == [(7001, "7003")]
                assert again.cursor == "7003"
                world.sql(insert(7004))
                await hub.scores.poll()
                assert [(event.id, event.cursor) for event in await anext(again)] == [(7004, "7004")]
        await hub.close()

    in_world(use)


def test_what_is_told_after_a_wipe(in_world: InWorld) -> None:
    async def use(world: World) -> None:
        (poller, _), (follower, _) = await world.feed(), await world.feed()
        world.sql(insert(7001))
        for seen in await poller.poll():
            await follower.receive(seen)
        world.sql("DELETE FROM scores WHERE id > 6000")
        await poller.poll()
        world.now += 11
        for seen in await poller.poll():
            await follower.receive(seen)
        for feed in (poller, follower):
            assert feed.sent is not None
            assert feed.sent == feed.cursor
            assert feed.sent.newest <= 6000

    in_world(use)
