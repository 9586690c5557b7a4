"""The connection pool."""

import asyncio
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
        self._timeout = timeout
        # Connections that may be taken from `_idle` or opened.
        self._free = asyncio.Semaphore(size)
        self._idle: list[Any] = []
        self._now = asyncio.get_running_loop().time

    async def acquire(self) -> Any:
        """Return a connection, which the caller must release.

        Raise TimeoutError if there is none in time, and the driver's error if a new one cannot be opened.
        """
        # Without the cost of a timeout if nothing has to be awaited.
        if not self._free.locked() and (connection := self._pop_idle()):
            await self._free.acquire()
            return connection
        try:
            async with asyncio.timeout(self._timeout):
                await self._free.acquire()
                try:
                    return self._pop_idle() or await self._driver_pool.acquire()
                except BaseException:
                    self._free.release()
                    raise
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._timeout} s") from None

    def release(self, connection: Any) -> None:
        """Keep a connection for another statement."""
        if self._is_usable(connection):
            self._idle.append(connection)
        else:
            self._discard(connection)
        self._free.release()

    def close(self) -> None:
        """Return idle connections to the driver's pool, which closes them when it is closed."""
        while self._idle:
            self._driver_pool.release(self._idle.pop())

    def _pop_idle(self) -> Any | None:
        while self._idle:
            # The one that was used last, so that those a quiet hour does not need reach MAX_IDLE.
            connection = self._idle.pop()
            if self._is_usable(connection) and self._now() - connection.last_usage < MAX_IDLE:
                return connection
            self._discard(connection)
        return None

    def _discard(self, connection: Any) -> None:
        connection.close()
        self._driver_pool.release(connection)
