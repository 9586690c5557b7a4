"""Rate limits by token bucket: each request takes a token from its client's bucket, which refills at a fixed rate.

A bucket is one number: the time at which it will be full again. Times are integers in microseconds, so that
nothing is lost to rounding. The libraries for this take 4 to 10 µs a request, more than the rest of a cached
response, where this takes about one. They also neither bound the number of buckets nor send several requests in
one Redis command.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio import Redis

from storage.availability import Availability
from storage.batches import Batches
from storage.cache.bounded import BoundedMap
from storage.redis_client import RedisAway, RedisClient

SECOND = 1_000_000
PREFIX = "apidot:limit:"
# The bucket of no client: whether Redis limits requests is found out by taking a token from it.
CHECK = "check"
NONSENSE = "it answered something else than the states of rate limits"
# How many requests one command counts at most: the answer has to stay below MAX_ANSWER_BYTES.
MAX_BATCH = 1_000
# For how long Redis is not used after it has failed.
PAUSE_SECONDS = 1.0

# Takes a token from several buckets, by the clock of Redis, which all workers share. A full bucket has no key. If
# the clock of Redis is set back, a bucket is at worst empty.
SCRIPT = """
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local states = {}
for number, key in ipairs(KEYS) do
    local stored = redis.pcall('GET', key)
    if type(stored) == 'table' and not string.find(stored.err, '^WRONGTYPE') then
        return stored
    end
    local full = tonumber(stored) or now
    full = math.min(math.max(full, now), now + capacity)
    local wait = full + interval - now - capacity
    if wait <= 0 then
        full = full + interval
        redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
    end
    states[number * 2 - 1] = wait
    states[number * 2] = full - now
end
return states
"""


class RateLimitState(NamedTuple):
    """A bucket after a request."""

    remaining: int  # tokens
    full: int  # microseconds until it is full
    wait: int  # microseconds until a request succeeds, 0 if this one did


class RateLimiter:
    """A bucket of `burst` tokens for each subject, to which `rate` tokens a second come back.

    At most `size` buckets are in the memory of this process; those used least recently make room for new ones.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        size: int = 50_000,
        clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        """`clock` returns microseconds."""
        self.rate = rate
        self.burst = burst
        self._interval = round(SECOND / rate)
        self._capacity = burst * self._interval
        self._clock = clock
        # When each bucket will be full.
        self._full_at: BoundedMap[str, int] = BoundedMap(size)

    async def take(self, subject: str) -> RateLimitState:
        """Take a token from the subject's bucket, if it has one."""
        now = self._clock()
        full_at = max(self._full_at.get(subject) or now, now)
        wait = full_at + self._interval - now - self._capacity
        if wait <= 0:
            full_at += self._interval
        self._full_at.put(subject, full_at)
        return _state(wait, full_at - now, self._interval)


class RedisRateLimiter(RateLimiter):
    """Buckets in Redis, which several workers share; in the memory of each worker while Redis is down.

    Requests that come at the same time are counted by one command.
    """

    def __init__(self, rate: float, burst: int, url: str, *, timeout: float) -> None:
        """Redis has `timeout` seconds to answer, connecting included."""
        super().__init__(rate, burst)
        self._redis = RedisClient(url, timeout)
        self._availability = Availability("Redis", "each worker limits requests by itself")
        self._paused_until = 0.0
        self._states = Batches(self._take_or_pause, most=MAX_BATCH)

    async def take(self, subject: str) -> RateLimitState:
        if time.monotonic() < self._paused_until:
            return await super().take(subject)
        with suppress(RedisAway):
            return await self._states.get(subject)
        return await super().take(subject)

    async def check(self) -> None:
        """Take a token for nobody, as requests take theirs. Raise RedisAway."""
        await self._take_all([CHECK])

    async def close(self) -> None:
        await self._states.close()
        await self._redis.close()

    async def _take_or_pause(self, subjects: Sequence[str]) -> list[RateLimitState]:
        """Take a token for each subject. After a failure, do not use Redis for a second. Raise RedisAway."""
        try:
            states = await self._take_all(subjects)
        except RedisAway as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            self._availability.down(error)
            raise
        self._availability.up()
        return states

    async def _take_all(self, subjects: Sequence[str]) -> list[RateLimitState]:
        """Take a token for each subject. Raise RedisAway, also if Redis answers anything but their states."""
        keys = [PREFIX + subject for subject in subjects]

        async def ask(redis: Redis) -> object:
            # Not by its hash, which would take two more commands that Redis may refuse.
            return await redis.eval(SCRIPT, len(keys), *keys, str(self._interval), str(self._capacity))

        answer = await self._redis.call(ask)
        if not isinstance(answer, list) or len(answer) != 2 * len(keys):
            raise RedisAway(NONSENSE)
        states = []
        for wait, full in zip(answer[::2], answer[1::2], strict=True):
            if not (_is_within(wait, -self._capacity, self._interval) and _is_within(full, 0, self._capacity)):
                raise RedisAway(NONSENSE)
            states.append(_state(wait, full, self._interval))
        return states


def _is_within(value: object, least: int, greatest: int) -> bool:
    return isinstance(value, int) and least <= value <= greatest


def _state(wait: int, full: int, interval: int) -> RateLimitState:
    """Return the state of a bucket. `wait` is above 0 if it had no token, and has one in so many microseconds."""
    return RateLimitState(-wait // interval, full, 0) if wait <= 0 else RateLimitState(0, full, wait)
