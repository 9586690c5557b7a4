"""Shares what one process sees with the others, through Redis, so that not all of them have to look.

One process holds the lock of a feed, looks, and publishes what it has seen. The others hear it. Whoever misses a
message, or hears nothing for a while, looks for itself: what is true is in the database, and every process knows
what it has told already, so nothing is lost or told twice, whatever becomes of Redis.
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

# What changes with the form of the messages: processes of different versions do not hear each other.
FORMAT = 2
# Milliseconds for which the lock is kept without being renewed: a process may have died.
LOCK_MS = 2_400
# Seconds without a message after which a process looks for itself. The lock is free by then.
SILENCE = 2.5
# How many messages may wait to be read.
MAX_WAITING = 32
LOCAL = ("localhost", "127.0.0.1", "::1", None)

# Renews the lock, or takes it if it is free. Whoever has it then publishes the messages. Returns whether it has.
TELL = """
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
# Gives the lock back, and lets the others know with a message.
LEAVE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
    redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 0
"""


class Message(msgspec.Struct, frozen=True, array_like=True):
    """What a process has seen: its mark, a number that counts its messages, and the seen as JSON."""

    sender: str
    number: int
    seen: msgspec.Raw


NOTHING = b"null"
_decode = msgspec.json.Decoder(Message).decode


class Relay:
    """One feed in this process: tells the others what it has seen, or hears what another one has seen."""

    def __init__(self, url: str, namespace: str, feed: str, *, timeout: float) -> None:
        """`namespace` is that of the processes which see the same. Redis has `timeout` seconds to answer."""
        # Whoever looks at the lock sees who has it.
        self._sender = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
        self._number = 0
        name = f"apidot:events:{namespace}:{feed}"
        self._channel = RedisChannel(
            url, name, timeout=timeout, purpose=f"live events ({feed})", consequence="each worker looks by itself"
        )
        self._lock = f"{name}:lock"
        self._waiting: deque[Message] = deque()
        self._woken = asyncio.Event()
        # Whether messages may have been missed, and whose message with which number comes next.
        self._missed = True
        self._is_up = False
        self._expected: tuple[str, int] | None = None

    def start(self) -> None:
        """Begin to hear the others."""
        self._channel.subscribe(self)

    async def close(self) -> None:
        """Let another process look, and hear the others no more."""
        farewell = encode(Message(self._sender, -1, msgspec.Raw(NOTHING)))
        arguments = (self._lock, self._sender, self._channel.name, farewell)
        # Always: it may have the lock without knowing, if it was cancelled while it asked for it.
        with suppress(RedisAway):
            await self._channel.redis.call(lambda redis: redis.eval(LEAVE, 1, *arguments))
        await self._channel.close()

    async def tell(self, seen: Sequence[bytes]) -> bool:
        """Tell the others what was seen, unless another process looks. Return whether this one goes on looking."""
        messages: list[bytes] = []
        for each in seen or [NOTHING]:
            self._number += 1
            message = encode(Message(self._sender, self._number, msgspec.Raw(each)))
            # The others see by the number that one is missing.
            if len(message) <= MAX_MESSAGE_BYTES:
                messages.append(message)
        arguments = (self._lock, self._sender, str(LOCK_MS), self._channel.name)
        try:
            answer = await self._channel.redis.call(lambda redis: redis.eval(TELL, 1, *arguments, *messages))
        except RedisAway:
            # The channel logs that. Nobody may look now, so this process does again after a turn.
            self._missed = True
            return False
        return bool(answer == 1)

    def skip(self) -> None:
        """Let the others see that they have missed something, so that they look for themselves."""
        self._number += 1

    async def hear(self) -> bytes | None:
        """Return what the other process has seen next, None if this one has to look for itself."""
        while not self._missed and self._is_up:
            if self._waiting:
                message = self._waiting.popleft()
                is_next = self._expected in (None, (message.sender, message.number))
                self._expected = None if message.number < 0 else (message.sender, message.number + 1)
                return bytes(message.seen) if is_next and message.number >= 0 else None
            self._woken.clear()
            try:
                async with asyncio.timeout(SILENCE):
                    await self._woken.wait()
            except TimeoutError:
                return None
        # Whatever comes from now on is about what happens after the look that follows.
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
    """Return what processes have in common that see the same: the database, and what they show of it."""
    parts = urlsplit(database)
    place = f"{parts.hostname}:{parts.port or 3306}"
    if parts.hostname in LOCAL or "unix_socket" in parts.query:
        # Another machine has another server there.
        place += f" of {socket.gethostname()}, {parts.query}"
    text = f"{FORMAT} {place} {parts.path} {shown}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
