"""Statements: their time limit, what happens when they are cancelled, and which values they take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import Unavailable
from storage.database import catalogue
from storage.database.catalogue import Version
from storage.database.database import Database, Query
from tests.conftest import connected

DRIVERS = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])


@asynccontextmanager
async def single(url: str, driver: str) -> AsyncIterator[Database]:
    """A database with one connection. Its server ends no statement, this service does after one second."""
    url = url.replace("mysql://", f"{driver}://")
    async with connected(Database(url, pool_max=1, wait=1.5, statement_timeout=0)) as database:
        yield database


def sleeping() -> Query[Version]:
    """A statement that takes five seconds."""
    query = Query("server_version", Version)
    query.mysql = "SELECT SLEEP(5) AS version"
    return query


async def name_of(database: Database, player_id: int) -> str:
    player = await database.one(catalogue.player, id=player_id, safe_name=None, visible=0)
    assert player is not None
    return player.name


@DRIVERS
def test_a_statement_ends_after_its_time_limit(recorded_mysql: str, driver: str) -> None:
    async def test() -> None:
        async with single(recorded_mysql, driver) as database:
            names = [await name_of(database, number) for number in (3, 4)]
            statement = database.one(sleeping())
            slow = asyncio.create_task(statement)
            await asyncio.sleep(0.1)
            waiting = asyncio.create_task(name_of(database, 3))
            with pytest.raises(Unavailable, match="The database did not answer in time") as failure:
                await slow
            assert str(failure.value.__cause__) == "no answer within 1 s"
            # The next statement does not read the result of the slow one.
            assert [await waiting, await name_of(database, 4)] == names

    asyncio.run(test())


@DRIVERS
def test_a_cancelled_statement_leaves_nothing_behind(recorded_mysql: str, driver: str) -> None:
    async def test() -> None:
        async with single(recorded_mysql, driver) as database:
            name = await name_of(database, 3)
            statement = database.one(sleeping())
            slow = asyncio.create_task(statement)
            await asyncio.sleep(0.1)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            assert await name_of(database, 3) == name

    asyncio.run(test())


def test_values_are_never_part_of_the_statement(recorded_url: str) -> None:
    async def test() -> None:
        async with connected(Database(recorded_url)) as database:
            for text in ("'", "\\", "\\'", "%s", "?", "%(id)s", ":id", "試", "😀", "a\0b"):
                assert await database.one(catalogue.player, id=None, safe_name=text, visible=0) is None
            safe_name = (await name_of(database, 3)).lower().replace(" ", "_")
            player = await database.one(catalogue.player, id=None, safe_name=safe_name, visible=0)
            assert player is not None
            assert player.id == 3
            # Larger than any column can hold.
            assert await database.one(catalogue.player, id=2**64, safe_name=None, visible=0) is None

    asyncio.run(test())
