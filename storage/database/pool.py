"""Connections of a driver's pool, lent to one statement after another."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Any

from storage.database.patience import Patience

log = logging.getLogger("apidot")

# Seconds after which a connection that nobody used is no longer trusted: what is between may have forgotten it.
RECYCLE = 300.0


class ConnectionPool:
    """Lends connections, and keeps what comes back for the next one, or hands it on to who waits.

    The drivers' own pools make this dear: aiomysql's looks at every idle connection before it lends one and starts
    a task when one comes back, and `databases` adds three locks of its own to each. So the pool is asked only for
    what is not at hand.
    """

    def __init__(self, pool: Any, most: int, wait: float) -> None:
        """At the most `most` connections at once, which is also what the pool allows; `wait` is in seconds."""
        self._pool = pool
        self._most = most
        self._wait = wait
        self._patience = Patience(wait)
        self._lent = 0
        self._idle: list[Any] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._now = asyncio.get_running_loop().time
        # Which statements each connection has prepared; None when they are not to.
        self._prepared: dict[Any, set[str]] | None = {}

    async def acquire(self) -> Any:
        """A connection that works, to be given back. Raises TimeoutError, and what the driver raises."""
        while self._idle:
            # The one that came last: what a quiet hour does not need goes stale.
            connection = self._idle.pop()
            if is_usable(connection) and self._now() - connection.last_usage < RECYCLE:
                self._lent += 1
                return connection
            self._drop(connection)
        try:
            with self._patience:
                return await self._wait_or_open()
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._wait} s") from None

    def release(self, connection: Any | None) -> None:
        """Ends a loan; without a connection, one that came to nothing."""
        if connection is not None and not is_usable(connection):
            self._drop(connection)
            connection = None
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._lent -= 1
        if connection is not None:
            self._idle.append(connection)

    def close(self) -> None:
        """Leave what is idle to the pool, which is about to close it."""
        while self._idle:
            self._pool.release(self._idle.pop())

    def prepared(self, connection: Any) -> set[str] | None:
        """The names of the statements that a connection has prepared; None when it is not to prepare any.

        MariaDB alone takes the values of a prepared statement in EXECUTE.
        """
        if self._prepared is None or "MariaDB" not in connection.get_server_info():
            return None
        return self._prepared.setdefault(connection, set())

    def forget(self, reason: object) -> None:
        """Have no statement prepared any more: there are too many on the server, or a proxy loses them."""
        if self._prepared is not None:
            self._prepared = None
            log.warning("the database keeps no prepared statements (%s): going on without", reason)

    async def _wait_or_open(self) -> Any:
        if self._lent < self._most:
            self._lent += 1
        else:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                connection = await waiter
            except BaseException:
                if waiter.done() and not waiter.cancelled():
                    self.release(waiter.result())
                else:
                    with suppress(ValueError):
                        self._waiting.remove(waiter)
                raise
            if connection is not None:
                return connection
        try:
            return await self._pool.acquire()
        except BaseException:
            self.release(None)
            raise

    def _drop(self, connection: Any) -> None:
        if self._prepared is not None:
            self._prepared.pop(connection, None)
        connection.close()
        self._pool.release(connection)


def is_usable(connection: Any) -> bool:
    """Whether a connection of either driver is open, and the server has not closed it from its side."""
    if hasattr(connection, "_stream_broken"):
        return not connection._stream_broken
    reader = connection._reader
    return not (connection.closed or reader.eof_received or reader.at_eof() or reader.exception())
