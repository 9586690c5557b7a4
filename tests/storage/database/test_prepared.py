"""Statements that connections to MariaDB remember: run the same, and without being remembered where that fails."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing

import pytest

from storage.database import catalogue
from storage.database.database import Database
from storage.database.statement import Prepared
from tests.conftest import connected
from tests.support import conformance, mariadbd, servers
from tests.support.servers import MariaDB

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A MariaDB that answers nobody else, with the recorded world in the database `recorded`."""
    with servers.mariadb(private=True) as running:
        conformance.load(running.database("recorded"))
        yield running


def single(server: MariaDB, driver: str) -> Database:
    """A database with a single connection."""
    return Database(f"{server.url.replace('mysql://', f'{driver}://')}recorded", pool_max=1)


def prepared_so_far(server: MariaDB) -> tuple[int, int]:
    """How often statements were prepared and run so."""
    with closing(mariadbd.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_%_sql'")
        found = {str(name): int(value) for name, value in cursor.fetchall()}
    return found["Com_prepare_sql"], found["Com_execute_sql"]


async def names(database: Database, *ids: int) -> list[str]:
    """What players are called."""
    found = []
    for id in ids:
        player = await database.one(catalogue.player, id=id, safe_name=None, visible=0)
        assert player is not None
        found.append(player.name)
    return found


@DRIVERS
def test_prepared_once_and_run_with_other_values(server: MariaDB, driver: str) -> None:
    async def test() -> None:
        before = prepared_so_far(server)
        async with connected(single(server, driver)) as database:
            first = await names(database, 3, 4, 5, 3)
            assert len(first) == 4
            assert first[0] == first[3] != first[1]
            by_name = await database.one(catalogue.player, id=None, safe_name=first[1].lower(), visible=0)
            assert by_name is not None
            assert by_name.id == 4
            # Quotes, backslashes and characters that the column has not are values like any other.
            for text in ("'", "\\", "\\'", "%s", "?", "%(id)s", "試", "😀", "a\0b"):
                assert await database.one(catalogue.player, id=None, safe_name=text, visible=0) is None
        after = prepared_so_far(server)
        assert (after[0] - before[0], after[1] - before[1]) == (1, 14)

    asyncio.run(test())


@DRIVERS
def test_what_the_server_has_forgotten_is_run_as_it_is(
    server: MariaDB, driver: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with connected(single(server, driver)) as database:
            expected = await names(database, 3, 4)
            assert database._pool is not None
            connection = await database._pool.acquire()
            # As a proxy does that goes on with another connection to the server.
            await database._execute_sql(connection, "DEALLOCATE PREPARE apidot_player", {}, ())
            database._pool.release(connection)
            assert await names(database, 3, 4) == expected

    with caplog.at_level(logging.WARNING):
        asyncio.run(test())
    assert [record.getMessage() for record in caplog.records if "prepared" in record.getMessage()] == [
        "the database keeps no prepared statements ((1243, 'Unknown prepared statement handler (apidot_player)"
        " given to EXECUTE')): going on without"
    ]


@DRIVERS
def test_a_server_without_room_for_them(server: MariaDB, driver: str) -> None:
    async def test() -> None:
        async with connected(single(server, driver)) as database:
            assert len(await names(database, 3, 4)) == 2

    mariadbd.execute(server.url, "SET GLOBAL max_prepared_stmt_count = 0")
    try:
        before = prepared_so_far(server)
        asyncio.run(test())
        assert prepared_so_far(server) == (before[0] + 1, before[1])
    finally:
        mariadbd.execute(server.url, "SET GLOBAL max_prepared_stmt_count = 16382")


@DRIVERS
def test_a_server_that_does_not_know_how(
    server: MariaDB, driver: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with connected(single(server, driver)) as database:
            assert len(await names(database, 3, 4)) == 2

    # Older ones take nothing but the names of variables.
    unknown = Prepared("PREPARE apidot_player FROM 'SELECT 1'", "EXECUTE apidot_player USING @a + %(id)s ?")
    monkeypatch.setattr(catalogue.player, "prepared", unknown)
    with caplog.at_level(logging.WARNING):
        asyncio.run(test())
    assert sum("keeps no prepared statements ((1064" in record.getMessage() for record in caplog.records) == 1


def test_how_it_is_written() -> None:
    text = "SELECT a %% 2, 'it''s' FROM t WHERE b = %(b)s AND c = COALESCE(%(c)s, %(b)s)"
    assert Prepared.of("some", text) == Prepared(
        "PREPARE apidot_some FROM 'SELECT a %% 2, ''it''''s'' FROM t WHERE b = ? AND c = COALESCE(?, ?)'",
        "EXECUTE apidot_some USING %(b)s, %(c)s, %(b)s",
    )
    assert Prepared.of("none", "SELECT 1").execute == "EXECUTE apidot_none"


def test_one_name_stands_for_one_text() -> None:
    found: dict[str, set[str]] = {}
    for query in vars(catalogue).values():
        prepared = getattr(query, "prepared", None)
        if isinstance(prepared, Prepared):
            found.setdefault(prepared.execute.split()[1], set()).add(prepared.prepare)
    assert len(found) > 3
    assert all(len(texts) == 1 for texts in found.values())
