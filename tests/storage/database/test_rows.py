"""Rows of every type and size: what the service reads is what the driver itself reads."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from storage.database import drivers
from storage.database.rows import RowShape
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


def options(url: str) -> dict[str, Any]:
    """Return the parts of a URL as the drivers take them."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "charset": "utf8mb4",
    }


async def connect(driver: str, url: str) -> Any:
    """Open a connection with the options that the service uses."""
    loaded = drivers.load("mysql", driver)
    assert loaded.wire is not None
    connection = loaded.wire.new({**options(url), "conv": loaded.decoders})
    await loaded.wire.connect(connection)
    return connection


async def read_three_ways(driver: str, url: str, sql: str) -> list[tuple[list[str], list[tuple[Any, ...]]]]:
    """Return names and rows: read with unknown columns, with known ones, and by the driver itself."""
    execute = drivers.load("mysql", driver).execute
    connection = await connect(driver, url)
    try:
        first, rows = await execute(connection, sql, {}, [])
        assert first is not None
        other, _ = await execute(connection, "SELECT 1 AS other", {}, [first])
        assert other is not None
        again, same_rows = await execute(connection, sql, {}, [other, first])
        assert again is first
        async with connection.cursor() as cursor:
            await cursor.execute(sql, {})
            theirs = [column[0] for column in cursor.description], list(await cursor.fetchall())
        ours = [(first.names, [tuple(row) for row in result]) for result in (rows, same_rows)]
        return [*ours, theirs]
    finally:
        connection.close()


@BOTH
@pytest.mark.parametrize("sql", STATEMENTS)
def test_results_equal_those_of_the_driver(mariadb: MariaDB, driver: str, sql: str) -> None:
    first, again, theirs = asyncio.run(read_three_ways(driver, mariadb.url, sql))
    assert first == again == theirs


@BOTH
def test_an_error_leaves_the_connection_usable_and_other_columns_are_noticed(
    mariadb: MariaDB, driver: str
) -> None:
    execute, errors, *_ = drivers.load("mysql", driver)

    async def test() -> None:
        connection = await connect(driver, mariadb.url)
        try:
            known, _ = await execute(connection, "SELECT 1 AS a", {}, [])
            assert known is not None
            with pytest.raises(errors, match="no_such"):
                await execute(connection, "SELECT no_such", {}, [known])
            other, rows = await execute(connection, "SELECT %(text)s AS b", {"text": "it's \\ %"}, [known])
            assert other is not None
            assert other is not known
            assert (other.names, [tuple(row) for row in rows]) == (["b"], [("it's \\ %",)])
            assert await execute(connection, "DO 1", {}, [known]) in ((None, []), (None, ()))
        finally:
            connection.close()

    asyncio.run(test())


@BOTH
def test_a_cancelled_statement_closes_the_connection(mariadb: MariaDB, driver: str) -> None:
    loaded = drivers.load("mysql", driver)
    assert loaded.wire is not None
    is_usable = loaded.wire.is_usable

    async def test() -> None:
        connection = await connect(driver, mariadb.url)
        assert is_usable(connection)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await loaded.execute(connection, "SELECT SLEEP(5) AS a", {}, [])
        assert not is_usable(connection)

    asyncio.run(test())


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
    assert RowShape(names).mappings([row]) == [expected]
