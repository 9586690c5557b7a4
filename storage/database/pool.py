"""The connection pool."""

import asyncio
import math
import random
import time
from typing import Any, Protocol

from storage.availability import Availability
from storage.database.failures import ON_THE_WAY, describe, is_of_server, number_of
from storage.deadlines import Deadlines

# Seconds without use after which a connection is closed: a firewall on the way may have dropped it silently.
MAX_IDLE = 300.0
# The share of the greatest age by which the ages of connections differ, so that not all are closed at once.
AGE_SPREAD = 0.2
# Seconds between two attempts to connect during a pause.
PROBE_INTERVAL = 1.0
# Seconds until an attempt that has not ended in spite of a cancellation is cancelled again.
CANCEL_INTERVAL = 1.0
# Seconds that closing the pool may take.
CLOSE_TIMEOUT = 1.0
# How often an attempt connects if the server closes the connection or serves nobody: another one may be reached.
TRIES = 3


class Opener(Protocol):
    """What a pool needs of a Connector."""

    def new(self) -> Any: ...
    async def connect(self, connection: Any) -> None: ...
    def is_usable(self, connection: Any) -> bool: ...
    def close(self, connection: Any) -> None: ...
    def abort(self, connection: Any) -> None: ...


class CannotConnect(Exception):
    """The database is not asked, because no connection to it can be opened. The cause says why."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(describe(cause))
        self.__cause__ = cause


class NoFreeConnection(Exception):
    """All connections were in use for as long as a statement waits for one."""


class Pooled:
    """A connection of the driver."""

    __slots__ = ("expires", "generation", "opened", "raw")

    def __init__(self, raw: Any, opened: float, expires: float, generation: int) -> None:
        """`opened` and `expires` are times of the event loop; see ConnectionPool.replace for `generation`."""
        self.raw = raw
        self.opened = opened
        self.expires = expires
        self.generation = generation

    def __str__(self) -> str:
        return "a statement of the database"


class Attempt:
    """Opens a connection in a task of its own, which nobody waits for longer than wanted.

    asyncio.wait_for, which the drivers use to connect, may lose a cancellation on Python 3.11. The driver then
    waits for the server without a limit.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self.connection = opener.new()
        self._task = asyncio.create_task(opener.connect(self.connection))

    def __str__(self) -> str:
        return "an attempt to connect to the database"

    async def failure(self, left: float, within: float) -> BaseException | None:
        """Return why it failed, None if it succeeded.

        It fails if it takes longer than `left` seconds, which are left of `within` seconds.
        """
        await asyncio.wait((self._task,), timeout=left)
        if not self._task.done():
            return TimeoutError(f"no connection was opened within {within:.2g} s")
        return asyncio.CancelledError() if self._task.cancelled() else self._task.exception()

    def cancel(self) -> None:
        """Close the connection, so that the attempt fails."""
        self._task.cancel()
        self._opener.abort(self.connection)

    async def end(self) -> None:
        """Close the connection, and return when the task has ended, however often it has to be cancelled."""
        while not self._task.done():
            self.cancel()
            await asyncio.wait((self._task,), timeout=CANCEL_INTERVAL)
        self._opener.abort(self.connection)


class ConnectionPool:
    """At most `size` connections, each used by one statement at a time.

    The pool opens connections in the background. Whoever waits for one gets the first that is opened or released.
    If one cannot be opened, the pool pauses: nobody waits for a connection, and one attempt a second is made in
    the background, until one succeeds.

    The driver's own pool would hold a lock while it connects, and use 5 to 25 % more CPU time per request:
    aiomysql's checks every idle connection before it returns one and starts a task for each that is released, and
    `databases` adds three locks.
    """

    def __init__(
        self,
        opener: Opener,
        *,
        size: int,
        wait: float,
        max_age: float = math.inf,
        availability: Availability,
        deadlines: Deadlines,
    ) -> None:
        """`wait` is for how long a statement waits for a connection. It and `max_age` are in seconds."""
        self._opener = opener
        self._size = size
        self._wait = wait
        # Less than a statement waits, so that whoever waits for an attempt learns why it failed.
        self._open_within = wait * 0.9
        self._max_age = max_age
        self._availability = availability
        self._refusals, self._shortage = _refusals(), _shortage()
        self._deadlines = deadlines
        self._idle: list[Pooled] = []
        self._in_use = 0
        self._waiting: dict[asyncio.Future[Pooled], None] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._attempts: set[Attempt] = set()
        # Attempts that have failed and whose tasks have not ended yet.
        self._ending = 0
        self._check: asyncio.Task[None] | None = None
        self._probes: asyncio.Task[None] | None = None
        # Why the pool pauses, None if it does not.
        self._paused: BaseException | None = None
        # Only connections of the present generation are used again.
        self._generation = 0
        # Statements that the database has answered.
        self._answers = 0
        # No attempt is made before, if there are other connections.
        self._refused_until = -math.inf
        self._closed = False
        self._now = asyncio.get_running_loop().time

    @property
    def is_paused(self) -> bool:
        """Whether the database is not asked."""
        return self._paused is not None

    async def acquire(self, wait: float | None = None) -> Pooled:
        """Return a connection, which the caller must release.

        Raise NoFreeConnection if there is none within `wait` seconds, by default those of the pool, and
        CannotConnect if no connection can be opened.
        """
        # Without the cost of a timeout if nothing has to be awaited.
        if connection := self._pop_idle():
            self._in_use += 1
            return connection
        if self._paused is not None:
            raise CannotConnect(self._paused)
        wait = self._wait if wait is None else wait
        future: asyncio.Future[Pooled] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        self._open_more()
        try:
            async with asyncio.timeout(wait):
                return await future
        except BaseException as error:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release(future.result())
            if not isinstance(error, TimeoutError):
                raise
            shortage = NoFreeConnection(f"no connection within {wait:.3g} s")
            self._shortage.down(shortage)
            raise shortage from None
        finally:
            self._waiting.pop(future, None)

    def release(self, connection: Pooled) -> None:
        """Keep a connection for another statement."""
        self._in_use -= 1
        if not self._opener.is_usable(connection.raw):
            self._opener.abort(connection.raw)
            self._open_more()
            return
        self._answers += 1
        if self._shortage.is_down:
            self._shortage.up()
        if connection.generation == self._generation:
            self._keep(connection)
        else:
            self._opener.close(connection.raw)
            self._open_more()

    def abort(self, connection: Pooled) -> None:
        """Close a connection that is in use. The caller still has to release it."""
        self._opener.abort(connection.raw)

    def replace(self) -> None:
        """Use none of the present connections for another statement: they may lead to a server that is gone."""
        self._generation += 1
        while self._idle:
            self._opener.abort(self._idle.pop().raw)

    def check(self, within: float) -> None:
        """Open a connection in the background, and pause if that fails or takes more than `within` seconds."""
        if self._paused is None and (self._check is None or self._check.done()):
            self._check = self._open(within, is_check=True)

    async def close(self) -> None:
        """Close all connections that are not in use, and give up opening others."""
        self._closed = True
        self._paused = ConnectionError("the service stops")
        self._fail_waiting(self._paused)
        if self._probes:
            self._probes.cancel()
        self._generation += 1
        while self._idle:
            self._opener.close(self._idle.pop().raw)
        give_up = self._now() + CLOSE_TIMEOUT
        while self._opening and self._now() < give_up:
            for attempt in self._attempts:
                attempt.cancel()
            await asyncio.wait(self._opening, timeout=CLOSE_TIMEOUT / 10)

    def _pop_idle(self) -> Pooled | None:
        while self._idle:
            # The one that was used last, so that those a quiet hour does not need reach MAX_IDLE.
            connection = self._idle.pop()
            now = self._now()
            if not self._opener.is_usable(connection.raw):
                self._opener.abort(connection.raw)
            elif now > connection.expires or now - connection.raw.last_usage > MAX_IDLE:
                self._opener.close(connection.raw)
            else:
                return connection
        return None

    def _keep(self, connection: Pooled) -> None:
        """Hand a connection to the statement that has waited longest, or keep it until one needs it."""
        for future in self._waiting:
            if not future.done():
                self._in_use += 1
                future.set_result(connection)
                return
        self._idle.append(connection)

    def _open_more(self) -> None:
        """Open connections for those who wait."""
        if self._paused is not None:
            return
        if self._now() < self._refused_until and self._in_use + len(self._idle):
            return
        while len(self._waiting) > len(self._opening) - self._ending and self._total() < self._size:
            self._open(self._open_within)

    def _total(self) -> int:
        return self._in_use + len(self._idle) + len(self._opening)

    def _open(self, within: float, *, is_check: bool = False) -> asyncio.Task[None]:
        task = asyncio.create_task(self._try_to_open(within, is_check))
        self._opening.add(task)
        task.add_done_callback(self._opening_ended)
        return task

    def _opening_ended(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        # Only a mistake of ours is raised; without a connection, it must be seen all the same.
        if not task.cancelled() and (error := task.exception()):
            self._failed(error, others_answer=False)
        self._open_more()

    async def _try_to_open(self, within: float, is_check: bool) -> None:
        deadline = self._now() + within
        for tries_left in reversed(range(TRIES)):
            attempt = Attempt(self._opener)
            generation, answers = self._generation, self._answers
            self._attempts.add(attempt)
            self._deadlines[attempt] = time.monotonic() + within
            failure = await attempt.failure(deadline - self._now(), within)
            is_last = number_of(failure) not in ON_THE_WAY or not tries_left
            # If nobody waits any more, everybody has got another connection, perhaps long ago: the next who needs
            # one learns whether the database is away.
            if failure is not None and is_last and (is_check or self._waiting):
                self._failed(failure, others_answer=is_of_server(failure) or self._answers > answers)
            if failure is not None or not self._opened(attempt.connection, generation):
                self._ending += 1
                await attempt.end()
                self._ending -= 1
            self._attempts.discard(attempt)
            del self._deadlines[attempt]
            if is_last:
                return

    def _opened(self, raw: Any, generation: int) -> bool:
        """Use a connection that has been opened. Return whether it is kept."""
        if self._closed:
            return False
        self._paused = None
        self._refused_until = -math.inf
        self._availability.up()
        self._refusals.up()
        # A check or a probe may have opened one more than there are slots.
        if self._total() > self._size or generation != self._generation:
            return False
        now = self._now()
        age = self._max_age * (1 - AGE_SPREAD * random.random())
        self._keep(Pooled(raw, now, now + age, generation))
        return True

    def _failed(self, failure: BaseException, *, others_answer: bool) -> None:
        """Pause, unless there are other connections, and the database does answer."""
        if self._closed:
            return
        if others_answer and self._paused is None and self._in_use + len(self._idle):
            self._refused_until = self._now() + PROBE_INTERVAL
            self._refusals.down(describe(failure))
            return
        if self._paused is None:
            self.replace()
        self._paused = failure
        self._availability.down(describe(failure))
        self._fail_waiting(failure)
        if self._probes is None or self._probes.done():
            self._probes = asyncio.create_task(self._probe())

    def _fail_waiting(self, failure: BaseException) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(CannotConnect(failure))

    async def _probe(self) -> None:
        while True:
            await asyncio.sleep(PROBE_INTERVAL)
            if self._paused is None:
                return
            # One more than there are slots, which statements that get no answer may hold.
            if self._total() <= self._size:
                self._open(self._open_within, is_check=True)


def _refusals() -> Availability:
    return Availability(
        "the database",
        "using the connections that are open",
        fails="accepts no more connections",
        works="accepts more connections again",
    )


def _shortage() -> Availability:
    return Availability(
        "the pool",
        "answering 503 to what needs one; see DB_POOL_MAX, or the statements that are slow",
        fails="has no free database connection",
        works="has free database connections again",
        steady=1,
    )
