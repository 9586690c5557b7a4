"""Counts wrong API keys, so that nobody can try many."""

import math
import time
from collections.abc import Callable
from typing import Any

from storage.availability import Availability
from storage.cache.bounded import BoundedMap
from storage.redis_client import RedisAway, RedisClient

# Seconds from the first failure until it and those that follow it are forgotten.
PERIOD = 60.0
PREFIX = "apidot:failures:"
# For how long Redis is not used after it has failed.
PAUSE_SECONDS = 1.0

# Returns the milliseconds until both counters allow another failure.
WAIT = """
local wait = 0
for _, key in ipairs(KEYS) do
    if (tonumber(redis.call('GET', key)) or 0) >= tonumber(ARGV[1]) then
        wait = math.max(wait, redis.call('PTTL', key))
    end
end
return wait
"""
# Counts a failure. Returns 0, or the milliseconds to wait if there was one too many.
ADD = """
local wait = 0
for _, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    if count == 1 then
        redis.call('PEXPIRE', key, ARGV[2])
    end
    if count > tonumber(ARGV[1]) then
        wait = math.max(wait, redis.call('PTTL', key))
    end
    if count > 1 then
        break
    end
end
return wait
"""


class KeyFailures:
    """Counts the failures of each key and of each address within a minute.

    Only a key's first failure counts for the address: a program with an outdated key must not lock out everybody
    else there.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`limit` is how many wrong keys an address may try in a minute, and how often it may repeat one."""
        self._limit = limit
        self._clock = clock
        # By digest or address: when its minute ends, and the failures in it.
        self._counts: BoundedMap[bytes | str, tuple[float, int]] = BoundedMap(10_000)

    async def wait(self, digest: bytes, address: str) -> int:
        """Return for how many seconds the key or the address may not be tried, 0 if it may."""
        return max(self._remaining(subject) for subject in (digest, address))

    async def add(self, digest: bytes, address: str) -> int:
        """Count a failure. Return 0, or for how many seconds to wait if it was one too many."""
        wait = 0
        for subject in (digest, address):
            now = self._clock()
            end, count = self._counts.get(subject) or (0.0, 0)
            if end <= now:
                end, count = now + PERIOD, 0
            self._counts.put(subject, (end, count + 1))
            if count >= self._limit:
                wait = max(wait, math.ceil(end - now))
            if count:
                break
        return wait

    async def close(self) -> None:
        pass

    def _remaining(self, subject: bytes | str) -> int:
        end, count = self._counts.get(subject) or (0.0, 0)
        remaining = end - self._clock()
        return math.ceil(remaining) if count >= self._limit and remaining > 0 else 0


class RedisKeyFailures(KeyFailures):
    """Counts in Redis, for all workers of all hosts that use it; in each worker while Redis is away."""

    def __init__(self, limit: int, url: str, *, timeout: float) -> None:
        """Redis has `timeout` seconds to answer."""
        super().__init__(limit)
        self._redis = RedisClient(url, timeout)
        self._availability = Availability("Redis, for wrong API keys,", "each worker counts them by itself")
        self._paused_until = 0.0

    async def wait(self, digest: bytes, address: str) -> int:
        # Those of the time without Redis count too.
        own = await super().wait(digest, address)
        return max(own, await self._ask(WAIT, digest, address, self._limit) or 0)

    async def add(self, digest: bytes, address: str) -> int:
        wait = await self._ask(ADD, digest, address, self._limit, int(PERIOD * 1000))
        return await super().add(digest, address) if wait is None else wait

    async def close(self) -> None:
        await self._redis.close()

    async def _ask(self, script: str, digest: bytes, address: str, *arguments: int) -> int | None:
        """Return the seconds that a script returns, None if Redis cannot be used."""
        if self._clock() < self._paused_until:
            return None
        keys = (f"{PREFIX}key:{digest.hex()}", f"{PREFIX}address:{address}")

        async def call(redis: Any) -> Any:
            return await redis.eval(script, len(keys), *keys, *arguments)

        try:
            answer = await self._redis.call(call)
            if not isinstance(answer, int):
                raise RedisAway("it answered something else than the time to wait")
        except RedisAway as error:
            self._paused_until = self._clock() + PAUSE_SECONDS
            self._availability.down(error)
            return None
        self._availability.up()
        # At most the period, whatever Redis answers.
        return min(math.ceil(max(answer, 0) / 1000), int(PERIOD))
