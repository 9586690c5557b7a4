"""Faults of the database that requests do not notice, or only once: lost connections, conflicts, odd servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest

from domain.errors import Unavailable
from storage.database import catalogue, session
from storage.database.catalogue import Version
from storage.database.database import Database, Query
from storage.database.failures import number_of
from tests.conftest import connected
from tests.storage.database.test_database import DRIVERS, name_of
from tests.support import conformance, lossy_proxy, mariadbd, servers
from tests.support.lossy_proxy import LossyProxy
from tests.support.servers import MariaDB

PLAYER = 3
STORED_PAGE = f"(SELECT userpage_content FROM users WHERE id = {PLAYER})"
UNCHANGED = {
    f"set_{name}": 0
    for name in (*("userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon"),)
} | dict.fromkeys(("userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon"))


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A MariaDB for this file alone, with the recorded world in the database `recorded`."""
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        yield server


@pytest.fixture
def proxied(server: MariaDB) -> Iterator[tuple[LossyProxy, str]]:
    with lossy_proxy.in_front_of(server.url + "recorded") as (proxy, url):
        yield proxy, url


@asynccontextmanager
async def using(url: str, driver: str, **options: Any) -> AsyncIterator[Database]:
    """A database with that driver, and at least one connection."""
    options = {"wait": 4.0, "statement_timeout": 2.0} | options
    async with connected(Database(url.replace("mysql://", f"{driver}://"), **options)) as database:
        await name_of(database, PLAYER)
        yield database


def connections(url: str) -> list[int]:
    """The ids of the connections that others have to this database."""
    with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM information_schema.processlist WHERE db = 'recorded' AND id <> CONNECTION_ID()"
        )
        return [row[0] for row in cursor.fetchall()]


def kill_all(url: str) -> int:
    """End all connections that others have. Return how many."""
    killed = connections(url)
    mariadbd.execute(url, *(f"KILL {number}" for number in killed))
    return len(killed)


async def text(database: Database, expression: str) -> str:
    """Return the value of a text expression."""
    query = Query("server_version", Version)
    query.mysql = f"SELECT {expression} AS version"
    row = await database.one(query)
    assert row
    return row.version


async def slow(database: Database, seconds: float) -> str:
    """Run a statement that takes so long. Return 0 if it was not interrupted."""
    return await text(database, f"CONCAT(SLEEP({seconds}))")


async def change(database: Database, new: str) -> None:
    """Change the player's page."""
    values = UNCHANGED | {"set_userpage_content": 1, "userpage_content": new}
    await database.execute(catalogue.profile_change, id=PLAYER, **values)


def page(url: str) -> str:
    """Return the player's page, as another connection sees it."""
    with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4")
        cursor.execute(f"SELECT userpage_content FROM users WHERE id = {PLAYER}")
        row = cursor.fetchone()
        assert row
        return str(row[0])


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(bounded())


@DRIVERS
def test_a_connection_killed_during_a_read(server: MariaDB, driver: str) -> None:
    url = server.url + "recorded"

    async def test() -> None:
        async with using(url, driver) as database:
            reading = asyncio.create_task(slow(database, 0.5))
            await asyncio.sleep(0.2)
            assert await asyncio.to_thread(kill_all, url) == 1
            assert await reading == "0"

    run(test)


@DRIVERS
def test_connections_killed_while_idle(server: MariaDB, driver: str) -> None:
    url = server.url + "recorded"

    async def test() -> None:
        async with using(url, driver) as database:
            for ask in (name_of, name_of, lambda database, _: change(database, "idle")):
                await asyncio.gather(*(name_of(database, number) for number in (3, 4, 5)))
                # Not in another thread: the event loop does not notice it before it uses a connection.
                assert kill_all(url) >= 1
                await ask(database, PLAYER)
            assert page(url) == "idle"

    run(test)


@DRIVERS
def test_a_connection_reset_during_a_read(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            for _ in range(3):
                reading = asyncio.create_task(slow(database, 0.3))
                await asyncio.sleep(0.1)
                await asyncio.to_thread(proxy.reset)
                assert await reading == "0"

    run(test)


@DRIVERS
@pytest.mark.parametrize("number", [1047, 1053, 1927, 3032, 3169, 4031])
def test_a_server_that_serves_nobody_any_more_is_left(
    proxied: tuple[LossyProxy, str], driver: str, number: int
) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            await asyncio.gather(*(slow(database, 0.05) for _ in range(3)))
            before = proxy.accepted
            proxy.refuse("SELECT u.id", number, "not any more")
            await name_of(database, PLAYER)
            # The connection was closed, and the idle ones too, which lead to the same server.
            assert proxy.accepted == before + 1
            await asyncio.sleep(0.1)
            assert proxy.open == 1
            # Where the new one says the same, the database is away.
            proxy.refuse("SELECT u.id", number, "not any more", times=2)
            with pytest.raises(Unavailable, match=r"^The database did not answer\.$"):
                await name_of(database, PLAYER)
            assert database._availability.is_down
            await name_of(database, PLAYER)
            assert not database._availability.is_down

    run(test)


@DRIVERS
def test_a_galera_node_that_is_not_ready_is_not_asked(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            for statement in ("SELECT u.id", session.PING):
                proxy.refuse(statement, 1047, "WSREP has not yet prepared node for application use", times=10)
            with pytest.raises(Unavailable) as unavailable:
                await name_of(database, PLAYER)
            assert number_of(unavailable.value.__cause__) == 1047
            before = proxy.accepted
            for _ in range(50):
                with pytest.raises(Unavailable):
                    await name_of(database, PLAYER)
            assert proxy.accepted == before
            proxy._refusals.clear()
            await answered_again(database)

    run(test)


async def answered_again(database: Database, within: float = 2.5) -> float:
    """Wait until a read is answered. Return after how many seconds."""
    start = time.monotonic()
    while True:
        try:
            await name_of(database, PLAYER)
        except Unavailable:
            assert time.monotonic() - start < within
            await asyncio.sleep(0.05)
        else:
            return time.monotonic() - start


@DRIVERS
@pytest.mark.parametrize(("number", "times"), [(1213, 3), (1205, 2), (3101, 1)])
def test_a_change_with_conflicts_is_made_in_the_end(
    server: MariaDB, proxied: tuple[LossyProxy, str], driver: str, number: int, times: int
) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            before = proxy.accepted
            proxy.refuse("UPDATE", number, "try restarting transaction", times=times)
            await change(database, f"{driver} {number}")
            assert page(server.url + "recorded") == f"{driver} {number}"
            assert proxy.accepted == before
            # There is an end to it.
            proxy.refuse("UPDATE", number, "try restarting transaction", times=5)
            with pytest.raises(Unavailable):
                await change(database, "too many")
            assert page(server.url + "recorded") == f"{driver} {number}"

    run(test)


@DRIVERS
def test_a_change_is_made_again_after_a_lost_connection(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            proxy.refuse("UPDATE", 2013, "Lost connection to server during query")
            await change(database, f"{driver} lost")
            assert page(url) == f"{driver} lost"

    run(test)


@DRIVERS
@pytest.mark.parametrize("number", [1180, 3100])
def test_a_change_that_a_node_cannot_commit(proxied: tuple[LossyProxy, str], driver: str, number: int) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver) as database:
            before = proxy.accepted
            proxy.refuse("UPDATE", number, "Not connected to Primary Component")
            await change(database, f"{driver} {number}")
            # The node was left.
            assert proxy.accepted == before + 1
            assert page(url) == f"{driver} {number}"
            proxy.refuse("UPDATE", number, "Not connected to Primary Component", times=2)
            with pytest.raises(Unavailable):
                await change(database, "on none")
            assert page(url) == f"{driver} {number}"

    run(test)


@DRIVERS
def test_a_planned_switchover(server: MariaDB, mariadb: MariaDB, driver: str) -> None:
    other = mariadb.database("switchover")
    conformance.load(other)
    name = other.rpartition("/")[2]
    conformance.load(server.database(name))
    user = f"'switching_{driver[-3:]}'@'%'"
    for each in (server, mariadb):
        mariadbd.execute(each.url, f"DROP USER IF EXISTS {user}", f"CREATE USER {user} IDENTIFIED BY 'secret'")
        mariadbd.execute(each.url, f"GRANT SELECT, UPDATE ON {name}.* TO {user}")

    async def test() -> None:
        with lossy_proxy.in_front_of(f"{server.url}{name}") as (proxy, url):
            host = url.rpartition("@")[2]
            async with using(f"mysql://switching_{driver[-3:]}:secret@{host}", driver) as database:
                await change(database, "on the old one")
                mariadbd.execute(server.url, "SET GLOBAL read_only = 1")
                # Nobody has taken over yet.
                with pytest.raises(Unavailable) as refused:
                    await change(database, "on none")
                assert number_of(refused.value.__cause__) == 1290
                changing = asyncio.create_task(change(database, "on the new one"))
                await asyncio.sleep(0.4)
                assert not changing.done()
                proxy.target = int(other.rpartition("@")[2].partition("/")[0].rpartition(":")[2])
                await changing
                # The reads go there too.
                assert await text(database, STORED_PAGE) == "on the new one"

    try:
        run(test)
        assert page(other) == "on the new one"
        assert page(f"{server.url}{name}") == "on the old one"
    finally:
        mariadbd.execute(server.url, "SET GLOBAL read_only = 0", f"DROP USER {user}")
        mariadbd.execute(mariadb.url, f"DROP USER {user}")


@DRIVERS
@pytest.mark.parametrize("lock", ["SELECT id FROM users WHERE id = 3 FOR UPDATE", "LOCK TABLES users WRITE"])
def test_a_change_answered_with_503_is_not_made_later(server: MariaDB, driver: str, lock: str) -> None:
    url = server.url + "recorded"

    async def test() -> None:
        async with using(url, driver) as database:
            await change(database, "before")
            with closing(mariadbd.connect(url)) as other, other.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(lock)
                start = time.monotonic()
                with pytest.raises(Unavailable) as unavailable:
                    await change(database, "after")
                assert number_of(unavailable.value.__cause__) == 1205
                # Not one that only this service has given up.
                running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s"
                cursor.execute(running, ("UPDATE users%",))
                assert cursor.fetchone() == (0,)
                assert time.monotonic() - start < 1.0 + 3.0 + 0.5
                cursor.execute("UNLOCK TABLES")
                cursor.execute("ROLLBACK")
            await asyncio.sleep(0.3)
            assert page(url) == "before"
            # One that only waits for a moment is made.
            with closing(mariadbd.connect(url)) as other, other.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(lock)
                changing = asyncio.create_task(change(database, "after"))
                await asyncio.sleep(0.5)
                assert not changing.done()
            await changing
            assert page(url) == "after"

    run(test)


@pytest.fixture(scope="module")
def odd_server() -> Iterator[MariaDB]:
    """A server whose own settings differ from what the statements need."""
    options = ("--skip-character-set-client-handshake", "--character-set-server=latin1")
    modes = "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH"
    with servers.mariadb(private=True, options=(*options, modes)) as server:
        conformance.load(server.database("recorded"))
        mariadbd.execute(server.url, "SET GLOBAL autocommit = 0", "SET GLOBAL time_zone = '+09:00'")
        yield server


@DRIVERS
def test_the_session_does_not_depend_on_the_server(odd_server: MariaDB, server: MariaDB, driver: str) -> None:
    pages = ("試 é", 'it\'s \\ "quoted"', "\\' OR 1=1 -- ", "%s :id")

    async def test() -> None:
        async with (
            using(odd_server.url + "recorded", driver) as odd,
            using(server.url + "recorded", driver) as usual,
        ):
            for number in (3, 4, 5, 12):
                assert await name_of(odd, number) == await name_of(usual, number)
            for mode in (0, 4):
                in_odd = await odd.one(catalogue.pool, id=1 + mode, visible=0)
                assert in_odd == await usual.one(catalogue.pool, id=1 + mode, visible=0)
            for new in pages:
                await change(odd, new)
                assert page(odd_server.url + "recorded") == new
                assert await text(odd, STORED_PAGE) == new

    run(test)


@DRIVERS
def test_variables_that_a_server_does_not_know_are_left_out(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    variables = (
        "CONCAT_WS(' ', @@max_statement_time, @@lock_wait_timeout, @@innodb_lock_wait_timeout,"
        " @@autocommit, @@time_zone, @@character_set_client, @@sql_mode)"
    )

    async def test() -> None:
        same = "ON +00:00 utf8mb4 STRICT_ALL_TABLES"
        with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout")
            [(table, row)] = cursor.fetchall()
        # The server knows its own limit, none, or none of the three.
        for unknown, expected in ((0, f"2.000000 1 1 {same}"), (2, f"0.000000 1 1 {same}")):
            proxy.refuse("SET NAMES", 1193, "Unknown system variable", times=unknown)
            async with using(url, driver) as database:
                assert await text(database, variables) == expected
        proxy.refuse("SET NAMES", 1193, "Unknown system variable", times=3)
        async with using(url, driver) as database:
            assert await text(database, variables) == f"0.000000 {table} {row} {same}"

    run(test)


def test_the_time_limit_is_one_that_the_version_of_the_server_knows() -> None:
    def first(version: str) -> str:
        return session.statements(version, 5.0)[0]

    for version in ("5.5.5-10.11.18-MariaDB-0+deb12u1", "11.8.2-MariaDB"):
        assert first(version).endswith(", max_statement_time = 5.0")
    for version in ("8.4.3", "9.7.4-0ubuntu1", "5.7.8-log"):
        assert first(version).endswith(", max_execution_time = 5000")
    assert "max_execution_time" not in first("5.6.51")
    for statement in session.statements("8.4.3", 5.0):
        assert "/*" not in statement


@DRIVERS
def test_a_slow_statement_alone_pauses_nothing(server: MariaDB, driver: str) -> None:
    async def test() -> None:
        # The server does not end it, as MySQL does not end what is no SELECT.
        async with using(server.url + "recorded", driver, statement_timeout=0, pool_max=2) as database:
            statement = asyncio.create_task(slow(database, 3))
            while not statement.done():
                await name_of(database, PLAYER)
                await asyncio.sleep(0.05)
            with pytest.raises(Unavailable, match="in time"):
                await statement
            assert not database._availability.is_down
            await name_of(database, PLAYER)

    run(test)


@DRIVERS
def test_a_hung_server_is_noticed_while_the_first_statement_waits(
    proxied: tuple[LossyProxy, str], driver: str
) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver, statement_timeout=1) as database:
            await asyncio.to_thread(proxy.stall)
            await unavailable_within(database, 1 + 1 + 0.5)
            for _ in range(20):
                await unavailable_within(database, 0.2)
            await asyncio.to_thread(proxy.resume)
            await answered_again(database)

    run(test)


async def unavailable_within(database: Database, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        with pytest.raises(Unavailable):
            await name_of(database, PLAYER)


@DRIVERS
@pytest.mark.parametrize("after", [0, 20, 100])
def test_connecting_to_a_server_that_hangs_ends_in_time(
    proxied: tuple[LossyProxy, str], driver: str, after: int
) -> None:
    proxy, url = proxied
    proxy.stall(after)

    async def test() -> None:
        async with connected(Database(url.replace("mysql://", f"{driver}://"), wait=0.5)) as database:
            await unavailable_within(database, 0.5 + 0.4)
            await unavailable_within(database, 0.2)
            await asyncio.to_thread(proxy.resume)
            await answered_again(database)
            await asyncio.sleep(0.2)
            assert proxy.open <= 3
        await asyncio.sleep(0.1)
        assert proxy.open == 0

    run(test)


@DRIVERS
def test_a_cancellation_that_the_driver_loses(
    proxied: tuple[LossyProxy, str], driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, url = proxied

    async def losing(awaitable: Awaitable[Any], timeout: float) -> Any:  # noqa: ASYNC109
        """Lose one cancellation, as asyncio.wait_for may on Python 3.11 if it comes when the result is there."""
        result = await awaitable
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return result

    async def test() -> None:
        async with connected(Database(url.replace("mysql://", f"{driver}://"), pool_max=1, wait=0.5)) as database:
            proxy.stall()
            monkeypatch.setattr(asyncio, "wait_for", losing)
            await unavailable_within(database, 0.5 + 0.4)
            monkeypatch.undo()
            # The driver waits for a greeting that will never come.
            proxy.forget()
            proxy.resume()
            await answered_again(database)
            await asyncio.sleep(2)
            assert proxy.open == 1

    run(test)


@DRIVERS
def test_connections_that_lead_nowhere_cost_one_answer(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    async def test() -> None:
        async with using(url, driver, statement_timeout=0.5) as database:
            await asyncio.gather(*(slow(database, 0.05) for _ in range(4)))
            proxy.forget()
            await unavailable_within(database, 0.5 + 1 + 0.5)
            for _ in range(5):
                await name_of(database, PLAYER)

    run(test)


@DRIVERS
def test_a_connection_is_replaced_when_it_is_old(server: MariaDB, driver: str) -> None:
    url = server.url + "recorded"

    async def test() -> None:
        async with using(url, driver, max_age=0.5) as database:
            first = await asyncio.to_thread(connections, url)
            await name_of(database, PLAYER)
            assert await asyncio.to_thread(connections, url) == first
            await asyncio.sleep(0.6)
            await name_of(database, PLAYER)
            await asyncio.sleep(0.1)
            second = await asyncio.to_thread(connections, url)
            assert len(second) == 1
            assert second != first

    run(test)
