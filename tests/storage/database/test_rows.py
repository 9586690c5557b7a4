"""Rows of every type and size, as they are read all at once and as the drivers read them."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiomysql
import asyncmy
import pytest

from storage.database import drivers
from storage.database.pool import is_usable
from storage.database.rows import Shape
from tests.support.servers import MariaDB

MANY = "WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM n WHERE seq < {}) "
STATEMENTS = (
    "SELECT 1 AS a, -9223372036854775808 AS b, 18446744073709551615 AS c, CAST(98.765 AS FLOAT) AS d, 1e300 AS e",
    "SELECT NULL AS a, '' AS b, '試し 🎵' AS c, CAST('2026-01-02 03:04:05' AS DATETIME) AS d, x'00FF' AS e",
    "SELECT REPEAT('a', 250) AS a, REPEAT('b', 251) AS b, REPEAT('c', 70000) AS c, 1.50 AS d, CURRENT_DATE AS e",
    MANY.format(900) + "SELECT seq, REPEAT(seq, seq %% 300) AS text FROM n",
    "SELECT 1 AS a FROM DUAL WHERE 1 = 0",
    MANY.format(3) + "SELECT REPEAT('x', 300000) AS a, seq FROM n",
)


BOTH = pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])


async def connect(driver: str, url: str) -> Any:
    """A connection as the service has it."""
    connect: Any = aiomysql.connect if driver == "aiomysql" else asyncmy.connect
    return await connect(**options(url), conv=drivers.decoders(driver))


async def both(driver: str, url: str, sql: str) -> list[tuple[list[str], list[tuple[Any, ...]]]]:
    """Names and rows as they are read all at once, first and again, and as the driver reads them."""
    ask = drivers.execute_with("mysql", driver)
    connection = await connect(driver, url)
    try:
        first, rows = await ask(connection, sql, {}, [])
        assert first is not None
        other, _ = await ask(connection, "SELECT 1 AS other", {}, [first])
        assert other is not None
        again, same = await ask(connection, sql, {}, [other, first])
        assert again is first
        async with connection.cursor() as cursor:
            await cursor.execute(sql, {})
            theirs = [column[0] for column in cursor.description], list(await cursor.fetchall())
        return [(first.names, [tuple(row) for row in rows]), (first.names, [tuple(row) for row in same]), theirs]
    finally:
        connection.close()


def options(url: str) -> dict[str, Any]:
    """How the drivers are told of a URL."""

    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "charset": "utf8mb4",
    }


@BOTH
@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_is_read_at_once_is_what_the_driver_reads(mariadb: MariaDB, driver: str, sql: str) -> None:
    mine, again, theirs = asyncio.run(both(driver, mariadb.url, sql))
    assert mine == again == theirs


@BOTH
def test_a_refusal_leaves_the_connection_usable_and_other_columns_are_noticed(
    mariadb: MariaDB, driver: str
) -> None:
    ask = drivers.execute_with("mysql", driver)

    async def asked() -> None:
        connection = await connect(driver, mariadb.url)
        try:
            known, _ = await ask(connection, "SELECT 1 AS a", {}, [])
            assert known is not None
            with pytest.raises(drivers.errors("mysql", driver), match="no_such"):
                await ask(connection, "SELECT no_such", {}, [known])
            other, rows = await ask(connection, "SELECT %(text)s AS b", {"text": "it's \\ %"}, [known])
            assert other is not None
            assert other is not known
            assert (other.names, [tuple(row) for row in rows]) == (["b"], [("it's \\ %",)])
            assert await ask(connection, "DO 1", {}, [known]) in ((None, []), (None, ()))
        finally:
            connection.close()

    asyncio.run(asked())


@BOTH
def test_who_leaves_early_closes_the_connection(mariadb: MariaDB, driver: str) -> None:
    ask = drivers.execute_with("mysql", driver)

    async def asked() -> bool:
        connection = await connect(driver, mariadb.url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask(connection, "SELECT SLEEP(5) AS a", {}, [])
        return not is_usable(connection)

    assert asyncio.run(asked())


@pytest.mark.parametrize(
    ("names", "row", "expected"),
    [
        (["a", "b"], [1, None], {"a": 1, "b": None}),
        (["a", "b__c"], [1, 2], {"a": 1, "b": {"c": 2}}),
        (["b__c", "b__d__e", "a"], [None, None, 1], {"a": 1, "b": None}),
        (["b__d__e", "b__c", "a"], [3, None, 1], {"a": 1, "b": {"c": None, "d": {"e": 3}}}),
        (["b__c"], [2], {"b": {"c": 2}}),
        (["b__c"], [None], {}),
        ([], [], {}),
    ],
)
def test_nested(names: list[str], row: Sequence[Any], expected: dict[str, Any]) -> None:
    assert Shape(names).read([row]) == [expected]
