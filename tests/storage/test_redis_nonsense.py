"""Whatever is at the address of Redis and whatever it answers, ranks and rate limits go on."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from operator import methodcaller
from pathlib import Path

import pytest

from domain.modes import Mode
from domain.players import Rank
from storage.database.database import Database
from storage.ranks import Ranks, RedisRanks
from storage.rate_limit import RateLimitState, RedisRateLimiter
from storage.redis_client import CONNECTIONS, RedisAway, RedisClient
from tests.support.redis_stub import Answer, RedisStub, redis_stub
from tests.support.servers import Redis

TIMEOUT = 0.4
SLACK = 3.0  # for a busy machine
PLAYER, COUNTRY = 12, "de"


def elements(command: list[bytes]) -> int:
    """Return how many elements the answer to a script has: positions, or two numbers for each bucket."""
    keys = int(command[2])
    return keys if b"ZREVRANK" in command[1] else 2 * keys


def once(*parts: bytes | float | None) -> Callable[[list[bytes]], Answer]:
    return lambda _: iter(parts)


def each(element: bytes) -> Callable[[list[bytes]], Answer]:
    """Answer a script with a list of the right length."""

    def answer(command: list[bytes]) -> Answer:
        if command[0] != b"EVAL":
            return iter([element])
        count = elements(command)
        return iter([b"*%d\r\n" % count + element * count])

    return answer


def drip(_: list[bytes]) -> Answer:
    while True:
        yield b"*"
        yield 0.05
        yield from (part for _ in range(100) for part in (b"1", 0.05))


def endless(begin: bytes, more: bytes) -> Callable[[list[bytes]], Answer]:
    def answer(_: list[bytes]) -> Answer:
        yield begin
        yield from repeat(more * (65536 // len(more)))

    return answer


NONSENSE: dict[str, Callable[[list[bytes]], Answer]] = {
    "nil": once(b"$-1\r\n"),
    "nil list": once(b"*-1\r\n"),
    "status": once(b"+OK\r\n"),
    "text": once(b"$5\r\nhello\r\n"),
    "number": once(b":1\r\n"),
    "empty list": once(b"*0\r\n"),
    "list of one": once(b"*1\r\n:1\r\n"),
    "list that is too long": once(b"*99\r\n" + b":1\r\n" * 99),
    "texts": each(b"$1\r\n1\r\n"),
    "lists": each(b"*1\r\n:1\r\n"),
    "empty lists": each(b"*0\r\n"),
    "negative numbers": each(b":-2\r\n"),
    "very negative numbers": each(b":-20000000000\r\n"),
    "huge numbers": each(b":1000000000000000000000000000000\r\n"),
    "errors in a list": each(b"-ERR odd\r\n"),
    "not a number": once(b":one\r\n"),
    "a number of 10 000 digits": once(b":" + b"9" * 10_000 + b"\r\n"),
    "huge bulk": endless(b"$4000000000\r\n", b"x"),
    "huge list": endless(b"*4000000000\r\n", b":1\r\n"),
    "a line without end": endless(b"+", b"x"),
    "nested lists": once(b"*1\r\n" * 100_000),
    "negative length": once(b"$-7\r\n"),
    "length that is none": once(b"$x\r\n"),
    "map of protocol 3": once(b"%1\r\n+a\r\n:1\r\n"),
    "null of protocol 3": once(b"_\r\n"),
    "garbage": once(bytes(range(256)) * 4 + b"\r\n"),
    "HTTP": once(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", None),
    "empty lines": once(b"\r\n" * 10),
    "closed": once(None),
    "closed in a line": once(b"*1", None),
    "closed in a list": once(b"*16\r\n:1\r\n", None),
    "closed in a text": once(b"$100\r\nhello", None),
    "silence": once(3600.0),
    "silence in a list": once(b"*16\r\n:1\r\n", 3600.0),
    "byte by byte": drip,
    "empty error": once(b"-\r\n"),
    "NOAUTH": once(b"-NOAUTH Authentication required.\r\n"),
    "NOPERM": once(b"-NOPERM this user has no permissions to run the 'eval' command\r\n"),
    "unknown command": once(b"-ERR unknown command 'EVAL', with args beginning with: 'x' \r\n"),
    "LOADING": once(b"-LOADING Redis is loading the dataset in memory\r\n"),
    "READONLY": once(b"-READONLY You can't write against a read only replica.\r\n"),
    "OOM": once(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
    "MOVED": once(b"-MOVED 3999 127.0.0.1:6381\r\n"),
    "ASK": once(b"-ASK 3999 127.0.0.1:6381\r\n"),
    "BUSY": once(b"-BUSY Redis is busy running a script.\r\n"),
    "CLUSTERDOWN": once(b"-CLUSTERDOWN The cluster is down\r\n"),
    "MASTERDOWN": once(b"-MASTERDOWN Link with MASTER is down\r\n"),
    "MISCONF": once(b"-MISCONF Redis is configured to save RDB snapshots\r\n"),
    "max clients": once(b"-ERR max number of clients reached\r\n", None),
}


def well(command: list[bytes]) -> Answer:
    """Answer as Redis does: everybody is the seventh, and each bucket has two tokens left."""
    count = elements(command)
    numbers = [6] * count if b"ZREVRANK" in command[1] else [-20_000, 10_000] * (count // 2)
    return iter([b"*%d\r\n" % count + b"".join(b":%d\r\n" % number for number in numbers)])


@pytest.fixture
def stub() -> Iterator[RedisStub]:
    with redis_stub() as running:
        yield running


@asynccontextmanager
async def ranks_from(url: str, database_url: str) -> AsyncIterator[tuple[RedisRanks, Ranks]]:
    """The ranks from that Redis, and those counted in the database."""
    database = Database(database_url)
    await database.connect()
    ranks = RedisRanks(database, url, timeout=TIMEOUT)
    try:
        yield ranks, Ranks(database)
    finally:
        await ranks.close()
        await database.disconnect()


def warnings(caplog: pytest.LogCaptureFixture) -> tuple[int, int]:
    """Return how often the log says that Redis went down, and that it came back. It must say nothing else."""
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    down = sum(text.startswith("Redis does not answer (") for text in texts)
    up = sum(text == "Redis answers again" for text in texts)
    assert down + up == len(texts), texts
    return down, up


def connections(stub: RedisStub) -> int:
    """Return how many connections to the stub are open."""
    # The third field is the remote address, the fourth the state: 01 is established.
    rows = (row.split() for row in Path("/proc/self/net/tcp").read_text().splitlines()[1:])
    return sum(remote.endswith(f":{stub.port:04X}") and state == "01" for _, _, remote, state, *_ in rows)


@pytest.mark.parametrize("kind", NONSENSE)
def test_ranks(stub: RedisStub, recorded_sqlite: str, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    async def ask() -> None:
        async with ranks_from(stub.url, recorded_sqlite) as (ranks, counting):
            counted = await counting.of(PLAYER, COUNTRY, list(Mode))
            assert counted
            stub.answer = NONSENSE[kind]
            for _ in range(2):
                begin = time.monotonic()
                answers = await asyncio.gather(*(ranks.of(PLAYER, COUNTRY, list(Mode)) for _ in range(20)))
                assert time.monotonic() - begin < TIMEOUT + SLACK
                assert answers == [counted] * 20
                assert connections(stub) <= CONNECTIONS
            with pytest.raises(RedisAway):
                await ranks.missing_modes()
            stub.answer = well
            assert await ranks.of(PLAYER, COUNTRY, list(Mode)) == dict.fromkeys(Mode, Rank(7, 7))
            assert await ranks.missing_modes() == []

    asyncio.run(ask())
    assert warnings(caplog) == (1, 1)


@pytest.mark.parametrize("kind", [*NONSENSE, "nils"])
def test_rate_limits(stub: RedisStub, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    async def ask() -> None:
        limiter = RedisRateLimiter(100, 5, stub.url, timeout=TIMEOUT)
        stub.answer = (NONSENSE | {"nils": each(b"$-1\r\n")})[kind]
        begin = time.monotonic()
        # One client after another: some come while the first command is under way.
        tasks = []
        for number in range(20):
            tasks.append(asyncio.create_task(limiter.take(f"client {number}")))
            await asyncio.sleep(0.001)
        states = await asyncio.gather(*tasks)
        assert time.monotonic() - begin < TIMEOUT + SLACK
        assert states == [RateLimitState(4, 10_000, 0)] * 20
        with pytest.raises(RedisAway):
            await limiter.check()
        stub.answer = well
        await limiter.check()
        limiter._paused_until = 0
        assert await limiter.take("client") == RateLimitState(2, 10_000, 0)
        await limiter.close()

    asyncio.run(ask())
    assert warnings(caplog) == (1, 1)


@pytest.mark.parametrize(
    "handshake", ["nil", "text", "list of one", "NOAUTH", "LOADING", "garbage", "HTTP", "closed"]
)
def test_nonsense_while_connecting(
    stub: RedisStub, recorded_sqlite: str, caplog: pytest.LogCaptureFixture, handshake: str
) -> None:
    async def ask() -> None:
        async with ranks_from(stub.url, recorded_sqlite) as (ranks, counting):
            counted = await counting.of(PLAYER, COUNTRY, list(Mode))
            stub.answer = well
            stub.handshake = b"".join(part for part in NONSENSE[handshake]([]) if isinstance(part, bytes))
            for _ in range(3):
                assert await ranks.of(PLAYER, COUNTRY, list(Mode)) == counted
            stub.handshake = b"+OK\r\n"
            assert await ranks.of(PLAYER, COUNTRY, list(Mode)) == dict.fromkeys(Mode, Rank(7, 7))

    asyncio.run(ask())
    assert warnings(caplog) == (1, 1)


def test_connections_are_given_in_turn(redis: Redis) -> None:
    async def ask() -> None:
        client = RedisClient(redis.url, timeout=20)
        asked = [0] * (4 * CONNECTIONS)

        async def ask_often(number: int) -> None:
            while max(asked) < 100:
                assert await client.call(methodcaller("ping")) is True
                asked[number] += 1

        await asyncio.gather(*map(ask_often, range(len(asked))))
        await client.close()
        assert min(asked) > 50

    asyncio.run(ask())


def test_the_limiters_task_is_cancelled(stub: RedisStub) -> None:
    async def ask() -> None:
        limiter = RedisRateLimiter(100, 5, stub.url, timeout=60)
        stub.answer = NONSENSE["silence"]
        takes = [asyncio.create_task(limiter.take("client")) for _ in range(3)]
        await asyncio.sleep(0.1)
        takes.append(asyncio.create_task(limiter.take("client")))
        await asyncio.sleep(0)
        assert limiter._states._sender
        limiter._states._sender.cancel()
        states = await asyncio.wait_for(asyncio.gather(*takes), 5)
        assert sorted(state.remaining for state in states) == [1, 2, 3, 4]
        stub.answer = well
        assert await limiter.take("client") == RateLimitState(2, 10_000, 0)
        await limiter.close()

    asyncio.run(ask())


@pytest.mark.parametrize("login", [":geheim@", "reader:geheim@"])
@pytest.mark.parametrize(
    "handshake",
    [
        b"-ERR unknown command 'AUTH', with args beginning with: 'reader' 'geheim' \r\n",
        b"-ERR no\rgeheim\r\n",
        b"geheim\r\n",
        b"$6\r\ngeheim\r\n",
    ],
)
def test_a_password_is_never_repeated(
    stub: RedisStub, recorded_sqlite: str, caplog: pytest.LogCaptureFixture, login: str, handshake: bytes
) -> None:
    stub.handshake = handshake

    async def ask() -> None:
        async with ranks_from(stub.url.replace("//", f"//{login}"), recorded_sqlite) as (ranks, _):
            with pytest.raises(RedisAway) as away:
                await ranks.missing_modes()
            assert "geheim" not in str(away.value)
            assert "\r" not in str(away.value)
            assert await ranks.of(PLAYER, COUNTRY, list(Mode))

    asyncio.run(ask())
    assert "geheim" not in caplog.text
    assert warnings(caplog) == (1, 0)
