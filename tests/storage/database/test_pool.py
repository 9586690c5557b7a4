"""The connection pool: no connection and no slot is lost, whoever times out or is cancelled; when it pauses."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pymysql import OperationalError

from storage.availability import Availability
from storage.database import pool as pool_module
from storage.database.pool import MAX_IDLE, CannotConnect, ConnectionPool, NoFreeConnection, Pooled
from storage.deadlines import Deadlines

SHORT = 0.1  # seconds
NO_CONNECTION = r"^no connection within 0\.1 s$"
FULL = OperationalError(1040, "Too many connections")


class Connection:
    """A connection that does nothing."""

    def __init__(self) -> None:
        self.is_open = True
        self.was_told = False
        self.last_usage = asyncio.get_running_loop().time()


class Server:
    """Opens connections, unless it is told to fail, to hang, or to ignore cancellations."""

    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.attempts = 0
        self.failure: BaseException | None = None
        self.hanging = False
        self.ignored_cancellations = 0
        # Ends what hangs, for the end of a test.
        self.is_stopped = False

    def new(self) -> Connection:
        self.attempts += 1
        return Connection()

    async def connect(self, connection: Connection) -> None:
        hangs = self.hanging
        while hangs and not self.is_stopped:
            try:
                await asyncio.sleep(SHORT)
            except asyncio.CancelledError:
                if not self.ignored_cancellations:
                    raise
                self.ignored_cancellations -= 1
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        self.opened.append(connection)

    def is_usable(self, connection: Connection) -> bool:
        return connection.is_open

    def close(self, connection: Connection) -> None:
        connection.is_open, connection.was_told = False, True

    def abort(self, connection: Connection) -> None:
        connection.is_open = False


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true, five seconds at the most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(SHORT / 10)


Test = Callable[[ConnectionPool, Server], Awaitable[None]]


def with_pool(test: Test, *, size: int = 1, max_age: float = 1000) -> None:
    """Run `test` with a pool, and check at the end that all of its slots are free again, and that nothing runs."""

    async def run() -> None:
        server = Server()
        deadlines = Deadlines()
        availability = Availability("the database", "nothing works")
        pool = ConnectionPool(
            server, size=size, wait=SHORT, max_age=max_age, availability=availability, deadlines=deadlines
        )
        try:
            await test(pool, server)
        except BaseException:
            # Otherwise asyncio.run would wait for ever for an attempt that ignores its cancellation.
            server.is_stopped = True
            raise
        server.failure, server.hanging = None, False
        # An attempt keeps its slot until it has ended.
        await until(lambda: not pool.is_paused and not pool._opening)
        connections = [await pool.acquire() for _ in range(size)]
        with pytest.raises(NoFreeConnection):
            await pool.acquire()
        for connection in connections:
            pool.release(connection)
        await pool.close()
        assert not any(connection.is_open for connection in server.opened)
        assert not deadlines
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "PROBE_INTERVAL", SHORT)
    monkeypatch.setattr(pool_module, "CANCEL_INTERVAL", SHORT)


def test_a_released_connection_is_used_again() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        first = await pool.acquire()
        pool.release(first)
        assert await pool.acquire() is first
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.release(first)
        assert await waiting is first
        pool.release(first)
        assert len(server.opened) == 1

    with_pool(test)


def test_waiting_ends_in_time() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connection = await pool.acquire()
        for _ in range(2):
            with pytest.raises(NoFreeConnection, match=NO_CONNECTION):
                await pool.acquire()
        pool.release(connection)

    with_pool(test)


@pytest.mark.parametrize("ignored", [0, 3])
def test_opening_ends_in_time_even_if_a_cancellation_is_lost(ignored: int) -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        server.hanging, server.ignored_cancellations = True, ignored
        with pytest.raises(CannotConnect, match=r"^no connection was opened within 0\.09 s$"):
            await pool.acquire()
        # Nobody waits for the attempt any more, nor for another one.
        with pytest.raises(CannotConnect):
            await asyncio.wait_for(pool.acquire(), SHORT / 2)
        server.hanging = False
        await until(lambda: not pool.is_paused)
        pool.release(await pool.acquire())
        await until(lambda: not server.ignored_cancellations)

    with_pool(test, size=8)


def test_a_failure_to_open_reaches_everybody_who_waits() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        server.failure = OSError("refused")
        failures = await asyncio.gather(*(pool.acquire() for _ in range(5)), return_exceptions=True)
        assert [str(failure) for failure in failures] == ["refused"] * 5
        assert all(isinstance(failure, CannotConnect) for failure in failures)
        assert server.attempts == 2

    with_pool(test, size=2)


def test_attempts_are_made_in_the_background_until_one_succeeds() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connection = await pool.acquire()
        pool.release(connection)
        connection.raw.is_open = False
        server.failure = OSError("refused")
        for _ in range(20):
            with pytest.raises(CannotConnect):
                await pool.acquire()
        # Nobody who asks makes an attempt.
        assert server.attempts == 2
        await asyncio.sleep(SHORT * 5)
        assert 3 <= server.attempts <= 8
        server.failure = None
        await asyncio.sleep(SHORT * 2)
        assert not pool.is_paused
        attempts = server.attempts
        pool.release(await pool.acquire())
        await asyncio.sleep(SHORT * 3)
        assert server.attempts == attempts

    with_pool(test)


def test_a_server_that_refuses_more_connections_is_asked_on_those_that_are_open() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connection = await pool.acquire()
        server.failure = FULL
        waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
        await asyncio.sleep(SHORT / 2)
        assert not pool.is_paused
        assert not any(task.done() for task in waiting)
        assert server.attempts <= 3
        pool.release(connection)
        assert await waiting[0] is connection
        pool.release(connection)
        assert await waiting[1] is connection
        # Without another connection, everything waits for the server.
        connection.raw.is_open = False
        pool.release(connection)
        with pytest.raises(CannotConnect, match="the server has no connection left"):
            await pool.acquire()

    with_pool(test, size=4)


def test_one_attempt_that_fails_while_the_database_answers_others_pauses_nothing() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connections = [await pool.acquire() for _ in range(2)]
        server.hanging = True
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(SHORT / 3)
        assert not waiting.done()
        second = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.release(connections[0])
        pool.release(await waiting)
        pool.release(await second)
        await asyncio.sleep(SHORT * 2)
        assert not pool.is_paused
        # Nor does a check that succeeds. One that fails does.
        server.hanging = False
        pool.check(SHORT)
        await asyncio.sleep(SHORT / 2)
        assert not pool.is_paused
        server.hanging = True
        pool.check(SHORT)
        await asyncio.sleep(SHORT * 2)
        assert pool.is_paused
        pool.release(connections[1])

    with_pool(test, size=3)


def test_a_server_that_serves_nobody_is_left_for_another() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connect, failures = server.connect, [OperationalError(1047, "not ready")] * 2

        async def through_a_balancer(connection: Connection) -> None:
            if failures:
                raise failures.pop()
            await connect(connection)

        server.connect = through_a_balancer  # type: ignore[method-assign]
        pool.release(await pool.acquire())
        assert server.attempts == 3

    with_pool(test)


@pytest.mark.parametrize("broken", [False, True])
def test_a_waiter_cancelled_while_it_gets_a_connection_passes_it_on(broken: bool) -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connection = await pool.acquire()
        first, second = asyncio.create_task(pool.acquire()), asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        connection.raw.is_open = not broken
        pool.release(connection)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second is connection) is not broken
        pool.release(second.result())

    with_pool(test)


def test_a_cancelled_waiter_is_passed_over() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connection = await pool.acquire()
        first, second = asyncio.create_task(pool.acquire()), asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        pool.release(connection)
        assert await second is connection
        pool.release(connection)
        assert first.cancelled()

    with_pool(test)


def test_a_connection_opened_for_somebody_who_has_left_is_kept_for_others() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(SHORT / 2)
        pool.release(await pool.acquire())
        assert len(server.opened) == 1

    with_pool(test)


def test_closed_idle_and_old_connections_are_replaced() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connections = [await pool.acquire() for _ in range(4)]
        closed, idle, old, good = connections
        for connection in reversed(connections):
            pool.release(connection)
        closed.raw.is_open = False
        idle.raw.last_usage -= MAX_IDLE + 1
        old.expires -= 1000
        assert await pool.acquire() is good
        assert not idle.raw.is_open
        assert not old.raw.is_open
        # The server is told, so that it does not log a connection that was lost.
        assert (closed.raw.was_told, idle.raw.was_told, old.raw.was_told) == (False, True, True)
        pool.release(good)

    with_pool(test, size=4)


def test_ages_differ() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        connections = [await pool.acquire() for _ in range(20)]
        ages = [connection.expires - connection.opened for connection in connections]
        assert all(800 <= age <= 1000 for age in ages)
        assert len({round(age) for age in ages}) > 10
        for connection in connections:
            pool.release(connection)

    with_pool(test, size=20)


def test_replaced_connections_are_not_used_again() -> None:
    async def test(pool: ConnectionPool, server: Server) -> None:
        idle, used = await pool.acquire(), await pool.acquire()
        pool.release(idle)
        pool.replace()
        new = await pool.acquire()
        pool.release(used)
        assert not idle.raw.is_open
        assert not used.raw.is_open
        pool.release(new)
        assert await pool.acquire() is new
        pool.release(new)

    with_pool(test, size=3)


def test_closing_waits_for_nothing_that_hangs() -> None:
    async def test() -> None:
        server = Server()
        server.hanging, server.ignored_cancellations = True, 3
        availability = Availability("the database", "nothing works")
        pool = ConnectionPool(server, size=1, wait=60, availability=availability, deadlines=Deadlines())
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(SHORT)
        async with asyncio.timeout(5):
            await pool.close()
            with pytest.raises(CannotConnect, match="the service stops"):
                await waiting
            with pytest.raises(CannotConnect, match="the service stops"):
                await pool.acquire()
        server.is_stopped = True

    asyncio.run(test())


def test_deadlines_that_are_exceeded_are_named() -> None:
    connection = Pooled(None, 0, 0, 0)
    deadlines = Deadlines({connection: 10.0, "other": 20.0})
    assert deadlines.exceeded(15.0) == [connection]
    assert str(connection) == "a statement of the database"
