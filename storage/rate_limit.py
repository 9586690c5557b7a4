"""How many requests somebody has left: a bucket that is full at first, gives one for each request, and refills.

A bucket is one number: the time at which it will be full again. Times are whole microseconds, so that nothing is
lost by rounding. This is own code because the libraries cost more than the rest of a kept answer: 4 to 10 µs a
request where this takes half of one; nor do they bound how many buckets they keep, or ask Redis for several
requests in one command.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.availability import Availability

SECOND = 1_000_000
PREFIX = "apidot:limit:"

# Several buckets in one command, by the clock of Redis, which all workers share. A bucket is gone when it is full.
# Should that clock be put back, a bucket is not emptier than empty.
SCRIPT = """
local interval, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = {}
for number, key in ipairs(KEYS) do
    local full = tonumber(redis.call('GET', key) or now) or now
    full = math.min(math.max(full, now), now + room)
    local wait = full + interval - now - room
    if wait <= 0 then
        full = full + interval
        redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
    end
    found[number * 2 - 1] = wait
    found[number * 2] = full - now
end
return found
"""


class RateLimitState(NamedTuple):
    """What a bucket says of a request: how many more it would give now; then microseconds: until it is full again,
    and until it gives one, which is 0 when it gave one."""

    remaining: int
    full: int
    wait: int


class RateLimiter(Protocol):
    """A bucket for each subject."""

    rate: float
    burst: int

    async def take(self, subject: str) -> RateLimitState:
        """Take one out of the subject's bucket."""

    async def close(self) -> None:
        """Close what is open."""


class MemoryRateLimiter:
    """Buckets in the memory of this process; of more than `size` those least used lately are forgotten."""

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        size: int = 50_000,
        clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        """`rate` a second flow into each bucket, `burst` is what it holds. `clock` is in microseconds."""
        self.rate = rate
        self.burst = burst
        self._interval = round(SECOND / rate)
        self._room = burst * self._interval
        self._size = size
        self._clock = clock
        # Those used last are at the end.
        self._full: OrderedDict[str, int] = OrderedDict()

    async def take(self, subject: str) -> RateLimitState:
        """See RateLimiter."""
        now = self._clock()
        full = max(self._full.pop(subject, now), now)
        wait = full + self._interval - now - self._room
        if wait <= 0:
            full += self._interval
        self._full[subject] = full
        if len(self._full) > self._size:
            self._full.popitem(last=False)
        return left(wait, full - now, self._interval)

    async def close(self) -> None:
        """Nothing is open."""


class RedisRateLimiter:
    """Buckets in Redis, which several workers share; while Redis is away, in the memory of each.

    What is asked while a command is under way waits for its end and then goes into one, so that one connection
    is enough and a worker under load sends fewer commands than it has requests.
    """

    def __init__(self, url: str, meanwhile: MemoryRateLimiter, *, timeout: float, pause: float = 1.0) -> None:
        """`timeout` is how many seconds Redis may take; when it has not answered, it is let be for `pause`."""
        self.rate = meanwhile.rate
        self.burst = meanwhile.burst
        self._meanwhile = meanwhile
        self._interval = round(SECOND / self.rate)
        self._room = self.burst * self._interval
        self._pause = pause
        self._redis = redis.asyncio.Redis.from_url(
            url,
            # With version 3 the client does not notice before use that a pooled connection was closed.
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._redis.register_script(SCRIPT)
        self._availability = Availability("Redis", "each worker limits requests by itself")
        self._away_until = 0.0
        self._waiting: list[tuple[str, asyncio.Future[RateLimitState | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, subject: str) -> RateLimitState:
        """See RateLimiter."""
        if time.monotonic() < self._away_until:
            return await self._meanwhile.take(subject)
        answer: asyncio.Future[RateLimitState | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((subject, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer or await self._meanwhile.take(subject)

    async def close(self) -> None:
        """Close the connection."""
        if self._asking is not None:
            await self._asking
        await self._redis.aclose()

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                found = await self._script(
                    [PREFIX + subject for subject, _ in asked], [self._interval, self._room]
                )
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + self._pause
                self._availability.down(error)
                # Who came meanwhile would wait as long again.
                asked, self._waiting = asked + self._waiting, []
                lefts: list[RateLimitState | None] = [None] * len(asked)
            else:
                self._availability.up()
                lefts = [left(*pair, self._interval) for pair in zip(found[::2], found[1::2], strict=True)]
            for (_, answer), each in zip(asked, lefts, strict=True):
                # A request whose client has gone waits no more.
                if not answer.done():
                    answer.set_result(each)
        self._asking = None


def left(wait: int, full: int, interval: int) -> RateLimitState:
    """What a bucket says that gives its next in `wait` microseconds, and did already if that is not above 0."""
    return RateLimitState(-wait // interval, full, 0) if wait <= 0 else RateLimitState(0, full, wait)
