"""A channel of Redis: what one process publishes, all others hear that are subscribed at that moment."""

import asyncio
import math
import time
from contextlib import suppress
from typing import Any, Protocol

from redis.asyncio.client import PubSub

from storage.availability import Availability
from storage.redis_client import RedisAway, RedisClient

# The largest message that is published or heard.
MAX_MESSAGE_BYTES = 1 << 20
# Redis writes the name of the channel beside it.
OVERHEAD = 1 << 10
# Seconds after which Redis is asked again whether it is still there.
PING_SECONDS = 5.0
# Seconds between two attempts to subscribe.
RETRY_SECONDS = 1.0


class Subscriber(Protocol):
    """Who hears the messages of a channel. The methods must return at once."""

    def on_message(self, message: bytes) -> None:
        """A message was published."""

    def on_up(self) -> None:
        """The subscription is up. What was published before may not have been heard."""

    def on_down(self) -> None:
        """The subscription is down: what is published is not heard until it is up again."""


class RedisChannel:
    """Publishes on a channel of the Redis at `url`, and subscribes to it again and again while it is open.

    Messages are at most MAX_MESSAGE_BYTES long. Redis does not keep them: who is not subscribed misses them.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        timeout: float,
        purpose: str,
        consequence: str,
        ping: float = PING_SECONDS,
    ) -> None:
        """Redis has `timeout` seconds to answer, and is asked every `ping` seconds whether it is there.

        `purpose` says in the log what the channel is for, `consequence` what happens while Redis does not answer.
        """
        self.redis = RedisClient(url, timeout, max_answer=MAX_MESSAGE_BYTES + OVERHEAD)
        # Unlike keys, channels are not of one of the databases of Redis.
        self.name = f"{name}:{self.redis.database}"
        self._ping = ping
        # The time on the monotonic clock until which everything has been heard that was published.
        self.complete_until = -math.inf
        self._availability = Availability(f"Redis, for {purpose},", consequence)
        self._task: asyncio.Task[None] | None = None

    async def publish(self, message: bytes) -> None:
        """Send a message to all who are subscribed. Raise RedisAway, or ValueError if it is too long."""
        if len(message) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {len(message)} bytes")
        await self.redis.call(lambda redis: redis.publish(self.name, message))

    def subscribe(self, subscriber: Subscriber) -> None:
        """Let the subscriber hear what is published from now on, until the channel is closed."""
        self._task = asyncio.create_task(self._run(subscriber))

    async def close(self) -> None:
        """End the subscription, and close the connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.redis.close()

    async def _run(self, subscriber: Subscriber) -> None:
        while True:
            subscription = self.redis.subscription()
            try:
                await self._hear(subscription, subscriber)
            except RedisAway as error:
                self._availability.down(error)
            except Exception as error:
                # Of a subscriber that cannot read a message. Without it, nothing would be heard any more.
                self._availability.down(repr(error))
            finally:
                self.complete_until = -math.inf
                subscriber.on_down()
                with suppress(Exception):
                    async with asyncio.timeout(self.redis.timeout):
                        await subscription.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, subscription: PubSub, subscriber: Subscriber) -> None:
        """Subscribe, and hand on messages. Raise RedisAway."""
        asked, due, is_up = time.monotonic(), math.inf, False
        await self.redis.in_time(subscription.subscribe(self.name))
        while True:
            # The answer to SUBSCRIBE or PING must come in time. Until then no other question is due.
            now = time.monotonic()
            end = asked + self.redis.timeout if due == math.inf else due
            answer = await self._next(subscription, end - now) if end > now else None
            if answer is None:
                if due == math.inf:
                    raise RedisAway(f"no answer within {self.redis.timeout:g} s")
                asked, due = time.monotonic(), math.inf
                await self.redis.in_time(subscription.ping())
            elif answer["type"] == "message":
                subscriber.on_message(answer["data"])
            elif answer["type"] in ("subscribe", "pong"):
                # Redis sends everything in order: what was published before it was asked has come.
                self.complete_until, due = asked, asked + self._ping
                is_up = is_up or answer["type"] == "subscribe"
                if not is_up:
                    raise RedisAway("it did not answer that it has subscribed")
                if answer["type"] == "subscribe":
                    self._availability.up()
                    subscriber.on_up()

    async def _next(self, subscription: PubSub, seconds: float) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] | None = await subscription.get_message(timeout=seconds)
        except Exception as error:
            raise RedisAway(self.redis.reason(error)) from error
        if answer is not None and not isinstance(answer.get("data"), bytes | int | None):
            raise RedisAway("it answered something else than messages")
        return answer
