"""Several services on one Redis: one of them polls for new scores, and all send them once."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import NamedTuple

import pytest
from redis import Redis as RedisClient

from storage.events.relay import NOTHING, Relay, namespace
from storage.redis_channel import MAX_MESSAGE_BYTES
from tests.conftest import Running, running
from tests.support import conformance, mariadbd, servers
from tests.support.event_stream import EventClient, listening
from tests.support.new_scores import insert
from tests.support.servers import MariaDB, Redis

# Seconds in which nothing may come: several looks.
QUIET = 2.5


class Both(NamedTuple):
    """Two services with the same database and Redis, and a stream of each."""

    services: list[Running]
    streams: list[EventClient]
    database: str
    redis: Redis

    def sql(self, *statements: str) -> None:
        mariadbd.execute(self.database, *statements)

    def poller(self) -> int:
        """The number of the service that looks."""
        with closing(RedisClient.from_url(self.redis.url)) as client:
            (lock,) = client.scan_iter("apidot:events:*:scores:lock")
            pid = int(str(client.get(lock)).split()[1])
        return next(n for n, service in enumerate(self.services) if service.process.pid == pid)

    def looks(self) -> list[float]:
        """How often each service has looked."""
        return [looks(service) for service in self.services]


def looks(service: Running) -> float:
    page = service.client.get("/metrics").text
    found = re.search(r'statement_seconds_count\{statement="score_ids"\} (\S+)', page)
    return float(found[1]) if found else 0.0


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with servers.redis(private=True) as server:
        yield server


@contextmanager
def services(database: str, redis: str, count: int = 2) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        settings = {"database_url": database, "redis_url": redis}
        yield [stack.enter_context(running(**settings)) for _ in range(count)]


@pytest.fixture
def both(mariadb: MariaDB, own_redis: Redis) -> Iterator[Both]:
    database = mariadb.database("relay")
    conformance.load(database)
    with services(database, own_redis.url) as two, ExitStack() as stack:
        streams = [stack.enter_context(listening(service.client)) for service in two]
        for stream in streams:
            stream.next("hello")
        # Until one follows the other.
        time.sleep(2)
        yield Both(two, streams, database, own_redis)


def told(stream: EventClient, ids: list[int], seconds: float = 10) -> None:
    """Check that the stream tells these scores next, and none of them again."""
    assert [stream.next("score", seconds).score for _ in ids] == ids


def test_one_service_polls_and_both_send(both: Both) -> None:
    poller = both.poller()
    before = both.looks()
    for first in range(7001, 7021, 5):
        both.sql(*(insert(id) for id in range(first, first + 5)))
        for stream in both.streams:
            told(stream, [*range(first, first + 5)])
    after = both.looks()
    assert after[poller] > before[poller]
    assert after[1 - poller] == before[1 - poller]
    assert both.streams[0].last_id == both.streams[1].last_id == "7020"


def test_late_and_missing_ids_are_heard_too(both: Both) -> None:
    with closing(mariadbd.connect(both.database)) as late:
        late.begin()
        late.cursor().execute(insert())
        both.sql(insert(userid=16), insert())
        for stream in both.streams:
            assert stream.next("score").id == "7003.7001"
        late.commit()
        for stream in both.streams:
            assert stream.next("score").id == "7003"


def test_scores_are_wiped(both: Both) -> None:
    both.sql("DELETE FROM scores WHERE id > 6000")
    time.sleep(QUIET)
    both.services[both.poller()].client.advance(11)
    time.sleep(QUIET)
    both.sql(insert(6001))
    for stream in both.streams:
        told(stream, [6001])


def test_the_poller_is_killed(both: Both) -> None:
    poller = both.poller()
    other = both.streams[1 - poller]
    both.sql(insert(7001))
    told(other, [7001])
    os.kill(both.services[poller].process.pid, signal.SIGKILL)
    both.sql(insert(7002), insert(7004))
    told(other, [7002, 7004], seconds=5)
    both.sql(insert(7003), insert(7005))
    told(other, [7003, 7005], seconds=5)
    assert other.rest(QUIET) == []
    assert both.poller() == 1 - poller


def test_the_listeners_of_the_poller_leave(both: Both) -> None:
    poller = both.poller()
    both.streams[poller].close()
    both.sql(insert(7001))
    told(both.streams[1 - poller], [7001], seconds=5)
    with listening(both.services[poller].client, "7000") as again:
        again.next("hello")
        told(again, [7001])
        both.sql(insert(7002))
        told(again, [7002])
        told(both.streams[1 - poller], [7002])


def test_redis_is_away_for_a_while(both: Both) -> None:
    next_id = 7001

    def add_two() -> None:
        nonlocal next_id
        both.sql(insert(next_id), insert(next_id + 1))
        for stream in both.streams:
            told(stream, [next_id, next_id + 1], seconds=5)
        next_id += 2

    for change in (both.redis.stop, both.redis.start, both.redis.pause, both.redis.resume):
        for _ in range(2):
            add_two()
        change()
    for _ in range(3):
        add_two()
        time.sleep(1)
    for stream in both.streams:
        assert stream.rest(QUIET) == []
    before = both.looks()
    time.sleep(QUIET)
    assert both.looks()[1 - both.poller()] == before[1 - both.poller()]


def test_messages_that_are_lost_are_looked_for(both: Both) -> None:
    with closing(RedisClient.from_url(both.redis.url)) as client:
        for id in range(7001, 7007):
            client.client_kill_filter(_type="pubsub")
            both.sql(insert(id))
            for stream in both.streams:
                told(stream, [id], seconds=5)
        (channel,) = {name for name in client.pubsub_channels() if b":scores:" in name}
        for nonsense in (b"", b"\xff", b"[]", b'["x",1,{}]', b'["x",2,{"after":1}]', b"x" * 100_000):
            client.publish(channel, nonsense)
        both.sql(insert(7007))
        for stream in both.streams:
            told(stream, [7007], seconds=5)
            assert stream.rest(QUIET) == []


def test_services_of_different_databases_do_not_mix(mariadb: MariaDB, own_redis: Redis) -> None:
    databases = [mariadb.database("relay_a"), mariadb.database("relay_b")]
    with ExitStack() as stack:
        clients = []
        for database in databases:
            conformance.load(database)
            clients.append(stack.enter_context(running(database_url=database, redis_url=own_redis.url)).client)
        clients.append(
            stack.enter_context(
                running(database_url=databases[0], redis_url=own_redis.url, show_hidden_players="on")
            ).client
        )
        streams = [stack.enter_context(listening(client)) for client in clients]
        for stream in streams:
            stream.next("hello")
        time.sleep(1)
        mariadbd.execute(databases[0], insert(7001, userid=16), insert(7002))
        mariadbd.execute(databases[1], insert(7001), insert(7003))
        told(streams[0], [7002])
        told(streams[1], [7001, 7003])
        told(streams[2], [7001, 7002])


def test_json_that_is_nested_deeply_is_no_message(own_redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    async def talk() -> None:
        one, other = (Relay(own_redis.url, "x", "scores", timeout=2) for _ in range(2))
        one.start()
        other.start()
        for _ in range(3):
            await asyncio.sleep(0.3)
            assert await other.receive() is None
        with closing(RedisClient.from_url(own_redis.url)) as client:
            (channel,) = client.pubsub_channels()
            client.publish(channel, b'["x",1,' + b"[" * 100_000)
        assert await other.receive() is None
        assert await one.publish([b"1"])
        assert await other.receive() == b"1"
        await one.close()
        await other.close()

    asyncio.run(talk())
    assert caplog.text == ""


def test_a_process_that_cannot_publish_polls_again(own_redis: Redis) -> None:
    async def talk() -> None:
        relay = Relay(own_redis.url, "x", "scores", timeout=0.2)
        relay.start()
        for _ in range(3):
            await asyncio.sleep(0.3)
            assert await relay.receive() is None
        own_redis.pause()
        assert not await relay.publish([])
        # Nothing is left to wait for.
        hearing = asyncio.ensure_future(relay.receive())
        await asyncio.sleep(0)
        own_redis.resume()
        assert hearing.done()
        await relay.close()

    asyncio.run(talk())


def test_whoever_misses_a_message_looks(own_redis: Redis) -> None:
    async def talk() -> None:
        one, other = (Relay(own_redis.url, "x", "scores", timeout=2) for _ in range(2))
        one.start()
        other.start()
        # Until both are subscribed, whatever is published is missed.
        for _ in range(3):
            await asyncio.sleep(0.3)
            assert await other.receive() is None
        assert await one.publish([b"1", b"2"])
        assert [await other.receive(), await other.receive()] == [b"1", b"2"]
        assert not await other.publish([b"3"])
        # There is nothing new.
        assert await one.publish([])
        assert await other.receive() == NOTHING
        # A poll that has failed half way, and something that is too large for a message.
        for lose in (one.skip, partial(one.publish, [b'"%b"' % (b"x" * MAX_MESSAGE_BYTES)])):
            lost = lose()
            if lost is not None:
                assert await lost
            assert await one.publish([b"4"])
            assert await other.receive() is None
            assert await one.publish([b"5"])
            assert await other.receive() == b"5"
        await one.close()
        assert await other.receive() is None
        assert await other.publish([])
        await other.close()

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mysql://a:b@db/x", "mysql://c:d@db/x", True),
        ("mysql://a:b@db/x", "mysql+asyncmy://a:b@db/x", True),
        ("mysql://a:b@db/x", "mysql://a:b@db/y", False),
        ("mysql://a:b@db/x", "mysql://a:b@db2/x", False),
        ("mysql://a:b@db:3307/x", "mysql://a:b@db/x", False),
        ("mysql://a:b@/x?unix_socket=/run/a", "mysql://a:b@/x?unix_socket=/run/b", False),
    ],
)
def test_who_sees_the_same(one: str, other: str, same: bool) -> None:
    assert (namespace(one, 3) == namespace(other, 3)) is same
    assert namespace(one, 3) != namespace(one, 0)


def test_a_local_server_is_another_one_on_each_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for machine in ("one", "two"):
        monkeypatch.setattr("socket.gethostname", lambda machine=machine: machine)
        names |= {namespace("mysql://a@127.0.0.1/x"), namespace("mysql://a@db/x")}
    assert len(names) == 3
