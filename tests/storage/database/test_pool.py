"""The connection pool: no connection and no slot is lost, whoever times out or is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from storage.database.pool import MAX_IDLE, ConnectionPool

SHORT = 0.05  # seconds


class FakeConnection:
    """A connection that does nothing."""

    def __init__(self) -> None:
        self.is_open = True
        self.last_usage = asyncio.get_running_loop().time()

    def close(self) -> None:
        self.is_open = False


class FakeDriverPool:
    """Opens connections, unless it is told to fail or to hang."""

    def __init__(self) -> None:
        self.opened = 0
        self.released = 0
        self.failing = False
        self.hanging = False

    async def acquire(self) -> FakeConnection:
        await asyncio.sleep(60 if self.hanging else 0)
        if self.failing:
            raise OSError("refused")
        self.opened += 1
        return FakeConnection()

    def release(self, connection: FakeConnection) -> None:
        self.released += 1


Test = Callable[[ConnectionPool, FakeDriverPool], Awaitable[None]]


def with_pool(test: Test, *, size: int = 1) -> None:
    """Run `test` with a pool, and check at the end that all of its slots are free again."""

    async def run() -> None:
        driver_pool = FakeDriverPool()
        pool = ConnectionPool(driver_pool, lambda connection: connection.is_open, size=size, timeout=SHORT)
        await test(pool, driver_pool)
        driver_pool.failing = driver_pool.hanging = False
        connections = [await pool.acquire() for _ in range(size)]
        with pytest.raises(TimeoutError):
            await pool.acquire()
        for connection in connections:
            pool.release(connection)

    asyncio.run(run())


def test_a_released_connection_is_used_again() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        first = await pool.acquire()
        pool.release(first)
        assert await pool.acquire() is first
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.release(first)
        assert await waiting is first
        pool.release(first)
        assert (driver_pool.opened, driver_pool.released) == (1, 0)

    with_pool(test)


def test_waiting_and_opening_end_in_time() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        connection = await pool.acquire()
        for _ in range(2):
            with pytest.raises(TimeoutError, match=r"^no connection within 0\.05 s$"):
                await pool.acquire()
        connection.close()
        pool.release(connection)
        driver_pool.hanging = True
        with pytest.raises(TimeoutError, match=r"^no connection within 0\.05 s$"):
            await pool.acquire()

    with_pool(test)


def test_a_failure_to_open_reaches_everybody_who_waits() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        driver_pool.failing = True
        failures = await asyncio.gather(*(pool.acquire() for _ in range(5)), return_exceptions=True)
        assert [str(failure) for failure in failures] == ["refused"] * 5

    with_pool(test, size=2)


@pytest.mark.parametrize("broken", [False, True])
def test_a_waiter_cancelled_while_it_gets_a_connection_passes_it_on(broken: bool) -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        connection = await pool.acquire()
        first, second = asyncio.create_task(pool.acquire()), asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        connection.is_open = not broken
        pool.release(connection)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second is connection) is not broken
        pool.release(second.result())

    with_pool(test)


def test_a_cancelled_waiter_is_passed_over() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
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


def test_cancelled_while_opening() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        driver_pool.hanging = True
        opening = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    with_pool(test)


def test_closed_and_stale_connections_are_discarded() -> None:
    async def test(pool: ConnectionPool, driver_pool: FakeDriverPool) -> None:
        first, second = await pool.acquire(), await pool.acquire()
        pool.release(first)
        pool.release(second)
        second.close()
        first.last_usage -= MAX_IDLE
        third = await pool.acquire()
        assert third not in (first, second)
        assert not first.is_open
        assert (driver_pool.opened, driver_pool.released) == (3, 2)
        pool.release(third)

    with_pool(test, size=2)
