"""Players found in memory: the same ones, in the same order, that a search of the table finds."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demo.load import load_mysql
from domain.players import FoundPlayer
from storage.cache import hidden_players, player_names, texts
from storage.cache.player_names import PlayerNames, name_pattern
from storage.database import catalogue
from storage.database.database import Database
from tests.conftest import connected
from tests.storage.cache.test_leaderboards import Counting
from tests.storage.database.test_data_traps import Row, user
from tests.support import mariadbd
from tests.support.servers import MariaDB

LIMIT = 1000
NAMES = (
    *(
        "ana",
        "Anna",
        "ANNA K",
        "an na",
        "a%b",
        "a_b",
        "a!b",
        "a\\b",
        "a\\\\b",
        "a'b",
        'a"b',
        "[ab]",
        "{ab}",
        "~ab^`",
    ),
    *(
        "100%",
        "%",
        "_",
        "!",
        "%%",
        "__",
        "\\",
        "trail  ",
        " lead",
        "tab\tname",
        "zero\x01",
        "new\nline",
        "del\x7f",
    ),
    *(
        "Ánná",
        "änna",
        "ÅNNA",
        "Łukasz",
        "Zoë",
        "Björn",
        "Øre",
        "Straße",
        "Strasse",
        "ﬀ",
        "ﬁn",
        "Ærø",
        "ðelta",
        "Þor",
    ),
    *(
        "ıi",
        "İi",
        "ſs",
        "ŉn",
        "Kelvin",
        "ª1",
        "①②",
        "ｆｕｌｌ",
        "ﾊﾝ",
        "ĳssel",
        "ƒoo",
        "ŋ",
        "đak",
        "ħat",
        "ǅ",
        "ʼn",
        "ß",
    ),
    *(
        "さくら",
        "ミク Miku",
        "夜桜ab",
        "하늘",
        "Ночь",
        "Аnna",
        "Αnna",
        "anna\u0301",
        "a\u200bb",
        "a\u00adb",
        "a\u00a0b",
    ),
    *(
        "a\u2019b",
        "a\u2013b",
        "a\u2010b",
        "\u2212x",
        "a\u3000b",
        "\u0301mark",
        "\u1e9eharp",
        "x\u00b2",
        "\u212bng",
        "µm",
    ),
)
HIDDEN_NAMES = ("hidden Anna", "HIDDEN ä", "bot anna", "odd\x02")
# Of MariaDB. Those of MySQL 8 have the same names as these, and other weights, but are not tested here.
PLAIN = (
    *("utf8mb3_general_ci", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci"),
    *("utf8mb4_general_nopad_ci", "utf8mb4_unicode_520_nopad_ci"),
)
OTHERS = ("utf8mb4_bin", "utf8mb4_swedish_ci", "utf8mb4_lithuanian_ci", "utf8mb4_turkish_ci", "latin1_swedish_ci")


def world(mariadb: MariaDB, name: str, collation: str) -> str:
    """Return the URL of a database with those players, whose names have that collation."""
    url = mariadb.database(name)
    load_mysql(url, [])
    charset = collation.partition("_")[0]
    width = 0xFF if charset == "latin1" else 0xFFFF
    mariadbd.execute(
        url,
        "ALTER TABLE users DROP INDEX users_name_uindex, DROP INDEX users_safe_name_uindex",
        f"ALTER TABLE users MODIFY name varchar(32) CHARACTER SET {charset} COLLATE {collation} NOT NULL",
    )
    rows = [
        user(3 + number, name, safe_name=str(number), priv=priv)
        for number, (name, priv) in enumerate(
            [*((name, 3) for name in NAMES), *((name, 2 - number % 2) for number, name in enumerate(HIDDEN_NAMES))]
        )
        if all(ord(char) <= width for char in name)
    ]
    insert(url, rows)
    return url


def insert(url: str, rows: list[Row]) -> None:
    """Insert rows with the same columns into `users`."""
    columns = ", ".join(rows[0])
    statement = f"INSERT INTO users ({columns}) VALUES ({', '.join(['%s'] * len(rows[0]))})"
    with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
        cursor.executemany(statement, [tuple(row.values()) for row in rows])
        connection.commit()


@pytest.fixture(scope="module", params=PLAIN)
def plain(request: pytest.FixtureRequest, mariadb: MariaDB) -> str:
    return world(mariadb, "names", request.param)


@asynccontextmanager
async def loaded(url: str) -> AsyncIterator[tuple[PlayerNames, Counting]]:
    """The names of a database, which are in memory already."""
    async with connected(Counting(url)) as database:
        names = PlayerNames(database)
        try:
            assert await names.find("an", LIMIT) is None
            await names._index.wait()
            yield names, database
        finally:
            await names.close()


async def in_table(database: Database, text: str, limit: int = LIMIT) -> list[FoundPlayer]:
    """Return what a search of the table finds."""
    pattern = name_pattern(text)
    return await database.all(catalogue.player_search, pattern=pattern, limit=limit, offset=0)


def test_every_part_of_a_name_finds_the_same_as_in_the_table(plain: str) -> None:
    parts = {name[begin:end] for name in NAMES for begin in range(len(name)) for end in range(begin + 1, 33)}
    asked = {part for part in parts | {part.swapcase() for part in parts} if part.isascii() and part.isprintable()}
    asked |= {chr(char) for char in range(32, 127)} | {"an", "nn", "ss", "ae", "oe", "th", "lu", "  ", "a ", " a"}

    async def test() -> None:
        async with loaded(plain) as (names, database):
            for text in sorted(asked):
                expected = await in_table(database, text)
                assert await names.find(text, LIMIT) == expected, text
                # From what is kept, and with fewer players than match.
                assert await names.find(text, LIMIT) == expected, text
                fresh = PlayerNames(database)
                fresh._index = names._index
                fresh._longest = names._longest
                for limit in (1, 2, 5):
                    assert await fresh.find(text, limit) == expected[:limit], (text, limit)

    asyncio.run(test())


TEXTS = st.text(st.sampled_from("aAnNbBäë%_!\\'\" \t[]~ßøŁkK0さ\u0301"), min_size=1, max_size=6)


@settings(max_examples=40)
@given(names=st.lists(TEXTS, min_size=1, max_size=12), queries=st.lists(TEXTS, min_size=1, max_size=12))
@example(names=["a\\", "a%"], queries=["\\", "\\%", "a\\"])
def test_any_names(any_names: str, names: list[str], queries: list[str]) -> None:
    rows = [user(3 + number, name, safe_name=str(number)) for number, name in enumerate(names)]
    mariadbd.execute(any_names, "DELETE FROM users")
    insert(any_names, rows)

    async def test() -> None:
        async with loaded(any_names) as (index, database):
            for text in queries:
                found = await index.find(text, LIMIT)
                if text.isascii() and text.isprintable():
                    assert found == await in_table(database, text), text
                else:
                    assert found is None

    asyncio.run(test())


@pytest.fixture(scope="module")
def any_names(mariadb: MariaDB) -> str:
    return world(mariadb, "any_names", "utf8mb4_unicode_ci")


@pytest.mark.parametrize("collation", OTHERS)
def test_other_collations_are_left_to_the_database(
    mariadb: MariaDB, collation: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with connected(Counting(world(mariadb, "others", collation))) as database:
            names = PlayerNames(database)
            for _ in range(5):
                assert await names.find("an", LIMIT) is None
                await asyncio.sleep(0.05)
            assert database.statements == ["schema_columns"]
            await names.close()

    asyncio.run(test())
    assert [record.message for record in caplog.records if "kept in memory" in record.message] == [
        "the players are not kept in memory: The search is not available: users.name has the collation "
        f"{collation}."
    ]


@pytest.mark.parametrize("collation", ["utf8mb3_general_ci", "utf8mb4_unicode_520_nopad_ci"])
def test_no_name_is_longer_than_the_column(mariadb: MariaDB, collation: str) -> None:
    url = world(mariadb, "long_names", collation)
    # Each has the greatest length.
    long = ["a" * 32, "padded" + " " * 26, "\u00e4" * 32, "ss" * 15 + "\u00df\u00df", "fi\ufb01" * 10 + "xx"]
    rows = [user(1000 + number, name, safe_name=f"l{number}") for number, name in enumerate(long)]
    insert(url, rows)
    asked = {"a" * 32, "padded" + " " * 26, "s" * 32, "padded", "ana" + " " * 29, " " * 26}
    asked |= {text + end for text in asked for end in ("a", " ", "%", " " * 300)} | {"a" * 70_000}

    async def test() -> None:
        async with loaded(url) as (names, database):
            for text in sorted(asked):
                expected = await in_table(database, text)
                assert bool(expected) <= (len(text) <= 32)
                database.statements.clear()
                assert await names.find(text, LIMIT) == expected, text
                if len(text) > 32:
                    assert database.statements == ["hidden_players_mark"]
                    assert names._found.matches.get(text) is None
            mariadbd.execute(url, f"ALTER TABLE users MODIFY name varchar(40) COLLATE {collation} NOT NULL")
            insert(url, [user(2000, "b" * 40, safe_name="b")])
            await names._index.wait()
            assert await names.find("b" * 40, LIMIT) == await in_table(database, "b" * 40) != []

    asyncio.run(test())


def test_older_names_do_not_stay_in_memory(plain: str) -> None:
    async def test() -> None:
        async with loaded(plain) as (names, _):
            older = []
            for text in ("an", "nn", "a", "ss"):
                await names.find(text, LIMIT)
                assert names._found.texts is not None
                older.append(weakref.ref(names._found.texts))
                await names._index.wait()
            await names.find("k", LIMIT)
            gc.collect()
            assert [ref() for ref in older] == [None] * 4

    asyncio.run(test())


def test_texts_that_only_the_database_compares(plain: str) -> None:
    async def test() -> None:
        async with loaded(plain) as (names, _):
            for text in ("ä", "さくら", "a\u0301", "\x01", "a\tb", ""):
                assert await names.find(text, LIMIT) is None

    asyncio.run(test())


def test_a_search_reads_nothing_but_the_mark(plain: str) -> None:
    async def test() -> None:
        async with loaded(plain) as (names, database):
            await names.find("an", LIMIT)
            database.statements.clear()
            await names.find("an", LIMIT)
            assert database.statements == ["hidden_players_mark"]
            database.statements.clear()
            await asyncio.gather(*(names.find("an", LIMIT) for _ in range(20)))
            assert database.statements == ["hidden_players_mark"]

    asyncio.run(test())


def test_who_is_hidden_is_left_out_at_once(mariadb: MariaDB) -> None:
    url = world(mariadb, "changing", "utf8mb4_general_ci")

    async def test() -> None:
        async with loaded(url) as (names, database):
            for change in (
                "UPDATE users SET priv = 2 WHERE name = 'ANNA K'",
                "UPDATE users SET priv = 3 WHERE name = 'hidden Anna'",
                "UPDATE users SET priv = 3 WHERE name = 'ANNA K'",
                "UPDATE users SET priv = priv & ~1 WHERE name LIKE '%nn%'",
                "UPDATE users SET priv = 3",
            ):
                before = await names.find("nn", LIMIT)
                await asyncio.to_thread(mariadbd.execute, url, change)
                found = await names.find("nn", LIMIT)
                assert found == await in_table(database, "nn") != before

    asyncio.run(test())


def test_a_check_that_has_begun_does_not_count_for_later_callers(mariadb: MariaDB) -> None:
    url = world(mariadb, "overlapping", "utf8mb4_general_ci")

    class Slow(Counting):
        async def _run(self, query: Any, values: dict[str, Any]) -> Any:
            result = await super()._run(query, values)
            if query.name == "hidden_players_mark":
                await asyncio.sleep(0.3)
            return result

    async def test() -> None:
        async with connected(Slow(url)) as database:
            hidden = hidden_players.HiddenPlayers(database)
            first = asyncio.create_task(hidden.current())
            await asyncio.sleep(0.1)
            await asyncio.to_thread(mariadbd.execute, url, "UPDATE users SET priv = 2 WHERE id = 3")
            second, third = await asyncio.gather(hidden.current(), hidden.current())
            assert second is third
            assert 3 in (second or ())
            await first
            await hidden.close()

    asyncio.run(test())


def test_new_players_and_new_names(mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    url = world(mariadb, "growing", "utf8mb4_general_ci")
    monkeypatch.setattr(player_names, "PAGE", 10)

    def found_by(players: list[FoundPlayer] | None) -> list[str]:
        assert players is not None
        return [player.name for player in players]

    def change(statement: str) -> Awaitable[None]:
        return asyncio.to_thread(mariadbd.execute, url, statement)

    async def test() -> None:
        monkeypatch.setattr(texts, "NEW_SECONDS", 1000)
        async with loaded(url) as (names, database):
            values = ", ".join(f"('new {number}', 'n{number}', 'n{number}', '', 3)" for number in range(25))
            await change(f"INSERT INTO users (name, safe_name, email, pw_bcrypt, priv) VALUES {values}")
            assert found_by(await names.find("new", LIMIT)) == ["new\nline"]
            monkeypatch.setattr(texts, "NEW_SECONDS", 0)
            assert await names.find("new", LIMIT) == await in_table(database, "new")
            assert len(found_by(await names.find("new", LIMIT))) == 26
            await change("UPDATE users SET name = 'renamed' WHERE name = 'ana'")
            assert found_by(await names.find("renamed", LIMIT)) == []
            monkeypatch.setattr(texts, "RENEW_SECONDS", 0)
            # Still by the old names, which are read again in the background.
            await names.find("renamed", LIMIT)
            await names._index.wait()
            assert found_by(await names.find("renamed", LIMIT)) == ["renamed"]
            assert await names.find("a", LIMIT) == await in_table(database, "a")
            monkeypatch.setattr(player_names, "MAX_AGE", -1)
            assert await names.find("a", LIMIT) is None

    asyncio.run(test())


@pytest.mark.parametrize(("module", "name"), [(player_names, "MOST_PLAYERS"), (hidden_players, "MOST_HIDDEN")])
def test_too_many(mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    url = world(mariadb, "crowded", "utf8mb4_general_ci")
    monkeypatch.setattr(module, name, 3)
    mariadbd.execute(url, "UPDATE users SET priv = 2 WHERE id < 20")

    async def test() -> None:
        async with connected(Counting(url)) as database:
            names = PlayerNames(database)
            for _ in range(5):
                assert await names.find("an", LIMIT) is None
                await asyncio.sleep(0.05)
            await names.close()

    asyncio.run(test())
