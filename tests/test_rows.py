"""Rows of every type and size, as the fast reader of one driver reads them and as the other driver does."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiomysql
import pymysql
import pytest

from storage import drivers, wire
from storage.rows import Shape
from tests.servers import MariaDB

MANY = "WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM n WHERE seq < {}) "
STATEMENTS = (
    "SELECT 1 AS a, -9223372036854775808 AS b, 18446744073709551615 AS c, CAST(98.765 AS FLOAT) AS d, 1e300 AS e",
    "SELECT NULL AS a, '' AS b, '試し 🎵' AS c, CAST('2026-01-02 03:04:05' AS DATETIME) AS d, x'00FF' AS e",
    "SELECT REPEAT('a', 250) AS a, REPEAT('b', 251) AS b, REPEAT('c', 70000) AS c, 1.50 AS d, CURRENT_DATE AS e",
    MANY.format(900) + "SELECT seq, REPEAT(seq, seq %% 300) AS text FROM n",
    "SELECT 1 AS a FROM DUAL WHERE 1 = 0",
    MANY.format(3) + "SELECT REPEAT('x', 300000) AS a, seq FROM n",
)


async def both(url: str, sql: str) -> list[tuple[list[str], list[tuple[Any, ...]]]]:
    """Names and rows as they are read all at once, first and again, and as the driver reads them."""
    parts = pymysql_options(url)
    connection = await aiomysql.connect(**parts, conv=drivers.decoders("aiomysql"))
    try:
        first, rows = await wire.ask(connection, sql, {}, None)
        again, same = await wire.ask(connection, sql, {}, first)
        assert first is not None
        assert again is first
        async with connection.cursor() as cursor:
            await cursor.execute(sql, {})
            theirs = [column[0] for column in cursor.description], list(await cursor.fetchall())
        return [(first.names, [tuple(row) for row in rows]), (first.names, [tuple(row) for row in same]), theirs]
    finally:
        connection.close()


def pymysql_options(url: str) -> dict[str, Any]:
    """How the drivers are told of a URL."""

    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "charset": "utf8mb4",
    }


@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_is_read_at_once_is_what_the_driver_reads(mariadb: MariaDB, sql: str) -> None:
    mine, again, theirs = asyncio.run(both(mariadb.url, sql))
    assert mine == again == theirs


def test_a_refusal_leaves_the_connection_usable_and_other_columns_are_noticed(mariadb: MariaDB) -> None:
    async def ask() -> None:
        connection = await aiomysql.connect(**pymysql_options(mariadb.url))
        try:
            known, _ = await wire.ask(connection, "SELECT 1 AS a", {}, None)
            with pytest.raises(pymysql.MySQLError, match="no_such"):
                await wire.ask(connection, "SELECT no_such", {}, known)
            other, rows = await wire.ask(connection, "SELECT %(text)s AS b", {"text": "it's \\ %"}, known)
            assert other is not None
            assert other is not known
            assert (other.names, rows) == (["b"], [["it's \\ %"]])
            assert await wire.ask(connection, "DO 1", {}, known) == (None, [])
        finally:
            connection.close()

    asyncio.run(ask())


def test_who_leaves_early_closes_the_connection(mariadb: MariaDB) -> None:
    async def ask() -> bool:
        connection = await aiomysql.connect(**pymysql_options(mariadb.url))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await wire.ask(connection, "SELECT SLEEP(5) AS a", {}, None)
        return bool(connection.closed)

    assert asyncio.run(ask())


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
