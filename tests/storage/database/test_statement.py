"""Values that are lists, on every driver."""

import asyncio

import pytest

from storage.database import catalogue, session
from storage.database.database import Database
from storage.database.statement import Value, with_json, with_lists

DRIVERS = ["sqlite", "mysql", "mysql+asyncmy"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_list_of_ids(request: pytest.FixtureRequest, driver: str) -> None:
    name = "recorded_sqlite" if driver == "sqlite" else "recorded_mysql"
    url: str = request.getfixturevalue(name).replace("mysql://", f"{driver}://")

    async def names(*ids: int) -> dict[int, tuple[str, int]]:
        database = Database(url)
        await database.connect()
        try:
            players = await database.all(catalogue.known_players, ids=ids)
        finally:
            await database.disconnect()
        return {player.id: (player.name, player.priv) for player in players}

    assert asyncio.run(names(1, 7, 134, 9999999999)) == {
        1: ("BanchoBot", 1),
        7: ("さくら 8426", 3),
        134: ("keivor", 2),
    }
    assert asyncio.run(names()) == {}
    assert len(asyncio.run(names(*range(20_000)))) == 161


@pytest.mark.parametrize(
    ("values", "text", "bound"),
    [
        ({"a": 1, "ids": (7, -8)}, "a = %(a)s AND id IN (7, -8)", {"a": 1}),
        (
            {"a": 1, "ids": ("7", "8")},
            "a = %(a)s AND id IN (%(ids_0)s, %(ids_1)s)",
            {"a": 1, "ids_0": "7", "ids_1": "8"},
        ),
        ({"a": None, "ids": ()}, "a = %(a)s AND id IN (NULL)", {"a": None}),
    ],
)
def test_with_lists(values: dict[str, Value], text: str, bound: dict[str, Value]) -> None:
    assert with_lists("a = %(a)s AND id IN (%(ids)s)", values) == (text, bound)


def test_with_json() -> None:
    text = "a = :a AND id IN (SELECT value FROM json_each(:ids))"
    bound = {"a": "x", "ids": '["7","\\"ú"]'}
    assert with_json("a = :a AND id IN (:ids)", {"a": "x", "ids": ("7", '"ú')}) == (text, bound)


@pytest.mark.parametrize("version", ["10.11.18-MariaDB", "9.1.0", "5.6.51"])
def test_no_statement_has_a_comment(version: str) -> None:
    # Proxies such as ProxySQL drop comments, and with them what stands in /*! */ for the server to run.
    statements = [statement.mysql for _, statement in catalogue.statements()]
    texts = [*statements, *session.statements(version, 5.0), session.PING]
    assert [text for text in texts if "/*" in text or "-- " in text or "#" in text] == []
