"""Turns for reads that take long, so that other reads find a free connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.errors import Unavailable
from storage.database.database import SLOW


class Turns:
    """Lets so many blocks run at a time; others wait for their turn."""

    def __init__(self, number: int, *, wait: float) -> None:
        """At most `number` blocks run at a time. Another one waits `wait` seconds at most."""
        self._free = asyncio.Semaphore(number)
        self._wait = wait

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Run the block in its turn. Raise Unavailable if that does not come in time."""
        try:
            async with asyncio.timeout(self._wait):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(SLOW.message) from None
        try:
            yield
        finally:
            self._free.release()
