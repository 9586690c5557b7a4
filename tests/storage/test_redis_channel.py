"""A channel of Redis: messages arrive while it is up, and the subscriber is told when it is not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing

import pytest
from redis import Redis as RedisClient

from storage.redis_channel import MAX_MESSAGE_BYTES, RedisChannel
from storage.redis_client import RedisAway
from tests.support import servers
from tests.support.redis_stub import redis_stub
from tests.support.servers import Redis

PASSWORD = "not-in-any-log"


class Heard:
    """Notes what it hears: messages, and `up` and `down`."""

    def __init__(self) -> None:
        self.all: list[bytes | str] = []

    def on_message(self, message: bytes) -> None:
        self.all.append(message)

    def on_up(self) -> None:
        self.all.append("up")

    def on_down(self) -> None:
        self.all.append("down")


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with servers.redis(private=True) as server:
        yield server


@asynccontextmanager
async def channel(
    url: str, name: str = "apidot:test", seconds: float = 0.5
) -> AsyncIterator[tuple[RedisChannel, Heard]]:
    """Open a channel and subscribe to it."""
    opened = RedisChannel(url, name, timeout=seconds, purpose="a test", consequence="the test waits")
    heard = Heard()
    opened.subscribe(heard)
    try:
        yield opened, heard
    finally:
        await opened.close()


async def eventually(holds: Callable[[], bool], seconds: float = 15) -> None:
    end = asyncio.get_running_loop().time() + seconds
    for _ in iter(holds, True):
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.02)


def test_messages_are_heard_by_all_who_are_subscribed(own_redis: Redis) -> None:
    async def talk() -> None:
        url = own_redis.url
        other_database = url.rpartition("/")[0] + "/7"
        async with (
            channel(url) as (one, of_one),
            channel(url) as (_, of_other),
            channel(url, "apidot:another") as (__, elsewhere),
            channel(other_database) as (___, in_another_database),
        ):
            everybody = (of_one, of_other, elsewhere, in_another_database)
            await eventually(lambda: all(heard.all == ["up"] for heard in everybody))
            messages = [b"", b"\r\n\x00\xff", "é".encode(), b"x" * MAX_MESSAGE_BYTES]
            for message in messages:
                await one.publish(message)
            with pytest.raises(ValueError, match="a message of"):
                await one.publish(b"x" * (MAX_MESSAGE_BYTES + 1))
            await eventually(lambda: of_one.all == of_other.all == ["up", *messages])
            assert elsewhere.all == in_another_database.all == ["up"]

    asyncio.run(talk())


def test_it_subscribes_again(own_redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    async def talk() -> None:
        async with channel(own_redis.url) as (one, heard):
            await eventually(lambda: heard.all == ["up"])
            with closing(RedisClient.from_url(own_redis.url)) as client:
                client.client_kill_filter(_type="pubsub")
            await eventually(lambda: heard.all == ["up", "down", "up"])
            await one.publish(b"again")
            await eventually(lambda: heard.all[3:] == [b"again"])
            own_redis.stop()
            await eventually(lambda: heard.all[4:5] == ["down"])
            with pytest.raises(RedisAway):
                await one.publish(b"lost")
            own_redis.start()
            await eventually(lambda: heard.all[-1] == "up")
            # A connection that is open and silent.
            own_redis.pause()
            await eventually(lambda: heard.all[-1] == "down")
            own_redis.resume()
            await eventually(lambda: heard.all[-1] == "up")
            await one.publish(b"at last")
            await eventually(lambda: heard.all[-1] == b"at last")

    caplog.set_level(logging.WARNING, "apidot")
    asyncio.run(talk())
    lines = [record.getMessage() for record in caplog.records]
    assert all(line.startswith("Redis, for a test, ") for line in lines)
    assert [line.endswith("answers again") for line in lines] == [False, True] * (len(lines) // 2)


def test_a_subscriber_that_fails_hears_again(own_redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    async def talk() -> None:
        async with channel(own_redis.url) as (one, heard):
            await eventually(lambda: heard.all == ["up"])
            hear = heard.on_message
            heard.on_message = lambda _: 1 / 0  # type: ignore[assignment, method-assign]
            await one.publish(b"wrong")
            await eventually(lambda: heard.all == ["up", "down", "up"])
            heard.on_message = hear  # type: ignore[method-assign]
            await one.publish(b"again")
            await eventually(lambda: heard.all[3:] == [b"again"])

    caplog.set_level(logging.WARNING, "apidot")
    asyncio.run(talk())
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n",
        b"-NOPERM no permission for the channel\r\n",
        b"$5\r\nhello\r\n",
        b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n*0\r\n",
        b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$999999999\r\n",
        b"*999999999\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"",
    ],
)
def test_nonsense_is_no_message(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(url: str) -> None:
        async with channel(url.replace("redis://", f"redis://user:{PASSWORD}@"), seconds=0.2) as (_, heard):
            await eventually(lambda: heard.all.count("down") >= 2)
            assert {*heard.all} <= {"down", "up"}

    caplog.set_level(logging.WARNING, "apidot")
    with redis_stub() as stub:
        stub.answer = lambda _: iter([answer])
        asyncio.run(talk(stub.url))
    assert "Redis, for a test, does not answer" in caplog.text
    assert PASSWORD not in caplog.text
