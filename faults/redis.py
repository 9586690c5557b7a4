"""Faults of Redis."""

import os
import signal
import time
from contextlib import closing
from urllib.parse import urlsplit

from redis import Redis as RedisClient

from config.settings import Settings
from faults.fault import Context, Fault
from faults.nonsense import nonsense
from faults.servers import Servers, polled

# What the scripts of ranks and of rate limits run in Redis.
RANKS, LIMITS = "cmdstat_zrevrank", "cmdstat_time"


def longest_wait(settings: Settings) -> float:
    """A rate limit, then ranks."""
    return 2 * settings.redis_timeout


def commands(servers: Servers, *names: str) -> list[int]:
    """Return how often Redis has run these commands."""
    with closing(RedisClient.from_url(servers.redis.url, decode_responses=True)) as client:
        stats = client.info("commandstats")
    return [stats.get(name, {}).get("calls", 0) for name in names]


def redis_is_asked(context: Context, seconds: float) -> float | None:
    """Wait until Redis is asked for ranks and for a rate limit."""
    ranks, limits = commands(context.servers, RANKS, LIMITS)

    def asked() -> bool:
        ranks_now, limits_now = commands(context.servers, RANKS, LIMITS)
        return ranks_now > ranks and limits_now > limits

    return polled(asked, seconds)


def killed(context: Context) -> None:
    server = context.servers.redis
    with closing(RedisClient.from_url(server.url)) as client:
        client.save()
    os.kill(server.process.pid, signal.SIGKILL)
    server.stop()
    time.sleep(context.seconds)
    server.start()


def stopped(context: Context) -> None:
    context.servers.redis.pause()
    try:
        time.sleep(context.seconds)
    finally:
        context.servers.redis.resume()


def emptied(context: Context) -> None:
    with closing(RedisClient.from_url(context.servers.redis.url)) as client:
        client.flushall()
        client.script_flush()
        time.sleep(context.seconds)
        # Without the rate limits, which the service has written meanwhile.
        client.flushall()
    context.servers.load_ranks()


def replaced(context: Context) -> None:
    server = context.servers.redis
    # Redis saves its data when it is stopped.
    server.stop()
    try:
        with nonsense(urlsplit(server.url).port or 0):
            time.sleep(context.seconds)
    finally:
        server.start()


FAULTS = (
    Fault(
        "redis-killed", "Redis killed (SIGKILL) and started again", killed, longest_wait, redis_is_asked, workers=2
    ),
    Fault(
        "redis-stopped", "Redis stopped (SIGSTOP) and continued", stopped, longest_wait, redis_is_asked, workers=2
    ),
    Fault("redis-emptied", "Redis emptied (FLUSHALL)", emptied, longest_wait, redis_is_asked, workers=2),
    Fault(
        "redis-nonsense", "Redis answers nonsense of every type", replaced, longest_wait, redis_is_asked, workers=2
    ),
)
