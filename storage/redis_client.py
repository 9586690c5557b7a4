"""The client of Redis. A call ends in time, with what Redis answered or with RedisAway."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from redis._parsers import _AsyncRESP2Parser
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import InvalidResponse

from config.redis_sentinel import SentinelURL, parse_sentinel_url

# One process has so many connections at most; further calls wait for one of them, within their timeout.
CONNECTIONS = 8
MAX_ANSWER_BYTES = 1 << 16
MAX_REASON_LENGTH = 200

T = TypeVar("T")


class RedisAway(Exception):
    """Redis cannot be used. The message says why, without the password, in one line."""


class _BoundedParser(_AsyncRESP2Parser):
    """Raises InvalidResponse at an answer that would take more memory than any answer to us takes."""

    most: ClassVar[int] = MAX_ANSWER_BYTES

    async def _readline(self) -> bytes:
        self._limit(0)
        return await super()._readline()

    async def _read(self, length: int) -> bytes:
        self._limit(length)
        return await super()._read(length)

    def _limit(self, more: int) -> None:
        # The position counts the bytes of one answer.
        if self._pos + more > self.most:
            raise InvalidResponse(f"an answer of more than {self.most} bytes")


class RedisClient:
    """A small pool of connections to the Redis at `url`."""

    def __init__(self, url: str, timeout: float, *, max_answer: int = MAX_ANSWER_BYTES) -> None:
        """A call may take `timeout` seconds: waiting for a connection, connecting and logging in included.

        An answer may have `max_answer` bytes.
        """
        self.timeout = timeout
        # In turn: the library's own pool that waits gives a connection to whoever asks next, and others starve.
        self._free = asyncio.Semaphore(CONNECTIONS)
        options: dict[str, Any] = {
            "parser_class": type("_Parser", (_BoundedParser,), {"most": max_answer}),
            # With protocol 3, the client does not notice that a pooled connection was closed until it uses it.
            "protocol": 2,
            # A timeout for each read would start again with each byte: `call` has one for the whole.
            "socket_timeout": None,
            "socket_connect_timeout": timeout,
            # A retry would make the request wait twice as long, and whatever Redis is used for has a fallback.
            "retry": Retry(NoBackoff(), 0),
        }
        self._sentinel: Sentinel | None = None
        if watched := parse_sentinel_url(url):
            self._sentinel = _sentinel(watched, timeout)
            self._pool: ConnectionPool = _watched_pool(self._sentinel, watched, options)
        else:
            self._pool = ConnectionPool.from_url(url, **options)
        logins = (self._pool.connection_kwargs, watched.login if watched else {})
        self._passwords = [login["password"] for login in logins if login.get("password")]
        self._redis = Redis(connection_pool=self._pool)

    async def call(self, command: Callable[[Redis], Awaitable[Any]]) -> Any:
        """Return what `command` returns, which is whatever Redis answered, of any type. Raise RedisAway."""

        async def in_turn() -> Any:
            async with self._free:
                return await command(self._redis)

        return await self.in_time(in_turn())

    async def in_time(self, answer: Awaitable[T]) -> T:
        """Return what is awaited. Raise RedisAway if that fails, or takes longer than a call may."""
        try:
            async with asyncio.timeout(self.timeout):
                return await answer
        except TimeoutError:
            raise RedisAway(f"no answer within {self.timeout:g} s") from None
        except Exception as error:
            # At an answer that is not one of Redis, the library raises ValueError, RecursionError and others.
            raise RedisAway(self.reason(error)) from error

    @property
    def database(self) -> int:
        """The number of the database in Redis."""
        return int(self._pool.connection_kwargs.get("db") or 0)

    def subscription(self) -> PubSub:
        """Return a subscription to no channel yet, which takes a connection of its own."""
        return self._redis.pubsub()

    async def close(self) -> None:
        """Close the connections, whether or not Redis takes part in that."""
        with suppress(Exception):
            async with asyncio.timeout(self.timeout):
                await self._pool.aclose()
                if self._sentinel:
                    await self._sentinel.aclose()

    def reason(self, error: Exception) -> str:
        """Return what the error says, in one line that may be logged."""
        # Redis repeats the arguments of a command that it does not know, and AUTH may be one of those.
        text = " ".join(str(error).partition(", with args beginning with")[0].split()) or type(error).__name__
        for password in self._passwords:
            text = text.replace(password, "***")
        return text[:MAX_REASON_LENGTH]


def _sentinel(watched: SentinelURL, timeout: float) -> Sentinel:
    """Return a client of the sentinels, each of which has a share of the time: one that hangs is passed over."""
    share = timeout / (len(watched.sentinels) + 1)
    encryption = {name: value for name, value in parse_url(watched.redis).items() if name.startswith("ssl_")}
    return Sentinel(  # type: ignore[no-untyped-call]
        watched.sentinels,
        sentinel_kwargs={
            **watched.login,
            **encryption,
            "ssl": watched.redis.startswith("rediss:"),
            "protocol": 2,
            "socket_timeout": share,
            "socket_connect_timeout": share,
            "retry": Retry(NoBackoff(), 0),
        },
    )


def _watched_pool(sentinel: Sentinel, watched: SentinelURL, options: dict[str, Any]) -> SentinelConnectionPool:
    """Return a pool of connections to the Redis that is the primary when they are opened."""
    # The options of the URL, as the library reads them.
    read: dict[str, Any] = {**parse_url(watched.redis)}
    for name in ("host", "port", "connection_class"):
        read.pop(name, None)
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]
        watched.service, sentinel, **read, **options, ssl=watched.redis.startswith("rediss:")
    )
