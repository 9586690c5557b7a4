"""The Redis client of ranks and rate limits."""

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def redis_client(url: str, timeout: float) -> redis.asyncio.Redis:
    """Return a client that gives Redis `timeout` seconds to connect, and as many to answer."""
    return redis.asyncio.Redis.from_url(
        url,
        # With protocol 3, the client does not notice that a pooled connection was closed until it uses it.
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # A retry would make the request wait twice as long, and whatever Redis is used for has a fallback.
        retry=Retry(NoBackoff(), 0),
    )
