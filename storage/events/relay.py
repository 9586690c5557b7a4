"""Shares new events between processes through Redis, so that only one of them polls.

The process that holds the lock of a feed polls, and publishes what is new. The others receive it. A process that
misses a message, or receives none for a while, polls itself: the database has everything, and each process knows
what it has delivered, so nothing is lost or delivered twice if Redis fails.
"""

import asyncio
import hashlib
import os
import secrets
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from storage.events.event import encode
from storage.redis_channel import MAX_MESSAGE_BYTES, RedisChannel
from storage.redis_client import RedisAway

# The version of the messages. Processes with different versions ignore each other.
FORMAT = 2
# Milliseconds until the lock of a process that has died is free.
LOCK_MS = 2_400
# Seconds without a message after which a process polls itself. The lock is free by then.
SILENCE = 2.5
# How many messages may wait to be read.
MAX_WAITING = 32
LOCAL = ("localhost", "127.0.0.1", "::1", None)

# Takes or renews the lock and publishes the messages, unless another process has it. Returns 1 or 0.
PUBLISH = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for index = 4, #ARGV do
    redis.call('PUBLISH', ARGV[3], ARGV[index])
end
return 1
"""
# Releases the lock, and publishes a message, after which another process takes it.
LEAVE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
    redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 0
"""


class Message(msgspec.Struct, frozen=True, array_like=True):
    """A message of a process. `number` counts its messages, `content` is what a feed publishes, as JSON."""

    sender: str
    number: int
    content: msgspec.Raw


NOTHING = b"null"
_decode = msgspec.json.Decoder(Message).decode


class Relay:
    """Publishes what a feed of this process delivers, or receives what another process publishes."""

    def __init__(self, url: str, namespace: str, feed: str, *, timeout: float) -> None:
        """`namespace` is common to processes that show the same. Redis may take `timeout` seconds."""
        # The lock shows the host and the process that has it.
        self._sender = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
        self._number = 0
        name = f"apidot:events:{namespace}:{feed}"
        self._channel = RedisChannel(
            url, name, timeout=timeout, purpose=f"live events ({feed})", consequence="each worker polls by itself"
        )
        self._lock = f"{name}:lock"
        self._waiting: deque[Message] = deque()
        self._woken = asyncio.Event()
        # Whether messages may have been missed, and the sender and number of the next message.
        self._missed = True
        self._is_up = False
        self._expected: tuple[str, int] | None = None

    def start(self) -> None:
        """Begin to receive messages."""
        self._channel.subscribe(self)

    async def close(self) -> None:
        """Release the lock, and stop receiving messages."""
        goodbye = encode(Message(self._sender, -1, msgspec.Raw(NOTHING)))
        arguments = (self._lock, self._sender, self._channel.name, goodbye)
        # Even if it does not know that it has the lock: it may have been cancelled while it took it.
        with suppress(RedisAway):
            await self._channel.redis.call(lambda redis: redis.eval(LEAVE, 1, *arguments))
        await self._channel.close()

    async def publish(self, contents: Sequence[bytes]) -> bool:
        """Publish the contents, unless another process polls. Return whether this one goes on polling."""
        messages: list[bytes] = []
        for content in contents or [NOTHING]:
            self._number += 1
            message = encode(Message(self._sender, self._number, msgspec.Raw(content)))
            # The others notice by the numbers that one is missing.
            if len(message) <= MAX_MESSAGE_BYTES:
                messages.append(message)
        arguments = (self._lock, self._sender, str(LOCK_MS), self._channel.name)
        try:
            answer = await self._channel.redis.call(lambda redis: redis.eval(PUBLISH, 1, *arguments, *messages))
        except RedisAway:
            # The channel logs that. Perhaps no process polls now, so this one does again.
            self._missed = True
            return False
        return bool(answer == 1)

    def skip(self) -> None:
        """Skip a number, so that the others notice that they missed something, and poll themselves."""
        self._number += 1

    async def receive(self) -> bytes | None:
        """Return the content of the next message, or None if this process has to poll itself."""
        while not self._missed and self._is_up:
            if self._waiting:
                message = self._waiting.popleft()
                is_next = self._expected in (None, (message.sender, message.number))
                self._expected = None if message.number < 0 else (message.sender, message.number + 1)
                return bytes(message.content) if is_next and message.number >= 0 else None
            self._woken.clear()
            try:
                async with asyncio.timeout(SILENCE):
                    await self._woken.wait()
            except TimeoutError:
                return None
        # Messages from now on are about what happens after the poll that follows.
        self._waiting.clear()
        self._expected = None
        self._missed = False
        return None

    # Called by the channel.

    def on_message(self, message: bytes) -> None:
        try:
            decoded = _decode(message)
        except (msgspec.MsgspecError, RecursionError):
            self._missed = True
        else:
            if decoded.sender == self._sender:
                return
            self._waiting.append(decoded)
            if len(self._waiting) > MAX_WAITING:
                self._waiting.clear()
                self._missed = True
        self._woken.set()

    def on_up(self) -> None:
        self._is_up = self._missed = True
        self._woken.set()

    def on_down(self) -> None:
        self._is_up = False
        self._missed = True
        self._woken.set()


def namespace(database: str, *shown: object) -> str:
    """Return a key that is the same for processes with the same database that show the same of it."""
    parts = urlsplit(database)
    place = f"{parts.hostname}:{parts.port or 3306}"
    if parts.hostname in LOCAL or "unix_socket" in parts.query:
        # Another machine has another server there.
        place += f" of {socket.gethostname()}, {parts.query}"
    text = f"{FORMAT} {place} {parts.path} {shown}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
