"""A version of all changes made through this service, shared by its workers and, through Redis, by all hosts."""

import asyncio
import mmap
import os
import secrets
import time
from pathlib import Path

from storage.availability import Availability
from storage.redis_channel import RedisChannel
from storage.redis_client import RedisAway

LENGTH = 8
CHANNEL = "apidot:changes"
# For how many seconds at least a process trusts that it hears everything, and a change is tried to be published. A
# process whose event loop is slow needs some time to notice that Redis has answered.
LEASE_SECONDS = 2.0
# Seconds between two tries.
PUBLISH_PAUSE = 0.1


class ChangeMarker:
    """A version that differs after each change. The workers of one service see the same version."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` is shared by the workers, and created if it does not exist. A single worker needs none."""
        if file is None:
            self._shared = mmap.mmap(-1, LENGTH)
            return
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < LENGTH:
                # Not ftruncate(), which reserves no space: if the disk is full later, a write to the mapping would
                # kill the process.
                os.pwrite(descriptor, bytes(LENGTH), 0)
            self._shared = mmap.mmap(descriptor, LENGTH)
        finally:
            os.close(descriptor)

    @property
    def version(self) -> bytes | None:
        """The version, None while changes may have been made of which this process does not know."""
        return self._shared[:LENGTH]

    async def bump(self) -> None:
        """Make another version, after a change."""
        self._bump()

    def _bump(self) -> None:
        # Random, because one of two workers that count up at once would be lost.
        self._shared[:LENGTH] = os.urandom(LENGTH)

    async def close(self) -> None:
        self._shared.close()


class RedisChangeMarker(ChangeMarker):
    """A version that differs after each change at any of the hosts that use the same Redis.

    Each process hears of changes through a channel, so a version costs no question to Redis. There is none when
    Redis has not shown for some seconds that the process hears everything. A host that cannot publish a change
    tries for as long before it responds, so the others know by then, unless it is the only one that Redis does
    not answer.
    """

    def __init__(self, file: Path | None, url: str, *, timeout: float) -> None:
        """Redis has `timeout` seconds to answer. Needs a running event loop."""
        super().__init__(file)
        self._lease = max(timeout, LEASE_SECONDS)
        self._availability = Availability(
            "Redis, to publish changes,", "other hosts may show older profiles for some seconds"
        )
        self._sender = secrets.token_hex(8).encode()
        self._channel = RedisChannel(
            url,
            CHANNEL,
            timeout=timeout,
            purpose="changes at other hosts",
            consequence="what players can change is not cached",
            ping=self._lease / 8,
        )
        self._channel.subscribe(self)

    @property
    def version(self) -> bytes | None:
        if time.monotonic() >= self._channel.complete_until + self._lease:
            return None
        return super().version

    async def bump(self) -> None:
        self._bump()
        end = time.monotonic() + self._lease
        while True:
            try:
                await self._channel.publish(self._sender)
            except RedisAway as error:
                if time.monotonic() >= end:
                    self._availability.down(error)
                    return
            else:
                self._availability.up()
                return
            # Where Redis has failed over, another host may be subscribed again before this one has noticed.
            await asyncio.sleep(PUBLISH_PAUSE)

    async def close(self) -> None:
        await self._channel.close()
        await super().close()

    # Called by the channel.

    def on_message(self, message: bytes) -> None:
        if message != self._sender:
            self._bump()

    def on_up(self) -> None:
        # What was published before may not have been heard.
        self._bump()

    def on_down(self) -> None:
        pass
