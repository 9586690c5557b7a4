"""The connection pool."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

# Seconds without use after which a connection is discarded: a firewall on the way may have dropped it silently.
MAX_IDLE = 300.0


class ConnectionPool:
    """At most `size` connections, each used by one statement at a time.

    The driver's own pool only opens and closes them. Using it for each statement would cost 5 to 25 % more CPU
    time per request: aiomysql's checks every idle connection before it returns one and starts a task for each that
    is released, and `databases` adds three locks.
    """

    def __init__(self, driver_pool: Any, is_usable: Callable[[Any], bool], *, size: int, timeout: float) -> None:
        """`size` must not exceed that of the driver's pool; `timeout` is in seconds."""
        self._driver_pool = driver_pool
        self._is_usable = is_usable
        self._size = size
        self._timeout = timeout
        # Connections in use or being opened.
        self._in_use = 0
        self._idle: list[Any] = []
        self._waiters: deque[asyncio.Future[Any]] = deque()
        self._now = asyncio.get_running_loop().time

    async def acquire(self) -> Any:
        """Return a connection, which the caller must release.

        Raise TimeoutError if there is none in time, and the driver's error if a new one cannot be opened.
        """
        while self._idle:
            # The one that was used last, so that those a quiet hour does not need reach MAX_IDLE.
            connection = self._idle.pop()
            if self._is_usable(connection) and self._now() - connection.last_usage < MAX_IDLE:
                self._in_use += 1
                return connection
            self._discard(connection)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._wait_or_open()
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._timeout} s") from None

    def release(self, connection: Any | None) -> None:
        """Give a connection to the next waiter, or keep it.

        None stands for a connection that could not be opened; a waiter that gets it opens one itself.
        """
        if connection is not None and not self._is_usable(connection):
            self._discard(connection)
            connection = None
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._in_use -= 1
        if connection is not None:
            self._idle.append(connection)

    def close(self) -> None:
        """Return idle connections to the driver's pool, which closes them when it is closed."""
        while self._idle:
            self._driver_pool.release(self._idle.pop())

    async def _wait_or_open(self) -> Any:
        if self._in_use < self._size:
            self._in_use += 1
        elif (connection := await self._wait()) is not None:
            return connection
        try:
            return await self._driver_pool.acquire()
        except BaseException:
            self.release(None)
            raise

    async def _wait(self) -> Any | None:
        """Wait for another statement to release its connection, and return what it released."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            # Cancelling fails if the waiter got a connection at the same moment: then that has to be released.
            if not waiter.cancel() and not waiter.cancelled():
                self.release(waiter.result())
            raise

    def _discard(self, connection: Any) -> None:
        connection.close()
        self._driver_pool.release(connection)
