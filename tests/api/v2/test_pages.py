"""Pagination of long lists: each row is on one page, in order, and the totals are right."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from demo.load import load_mysql, load_sqlite
from domain.v2 import Score
from storage.cache.pagination import IdBlocks, PageRequest, Pagination
from storage.database.catalogue import Block
from storage.database.database import Database
from storage.database.statement import Statement
from tests.storage.database.test_data_traps import SCORE, USER, Row
from tests.support.servers import MariaDB

T = TypeVar("T")
ALL: dict[str, Any] = {"map_md5": None, "user_id": None, "mods": None, "status": None, "mode": None}
VISIBLE, HIDDEN, GONE = 3, 5, 77
# Ids with small gaps, a wide one, and one beyond what 32 bits hold; every third score is hidden, every seventh's
# player is gone.
IDS = [*range(1, 2600), *range(9_000, 9_050), *range(2**40, 2**40 + 700)]


def owner(number: int) -> int:
    """Return the player of a score."""
    return GONE if number % 7 == 0 else HIDDEN if number % 3 == 0 else VISIBLE


SCORES: list[Row] = [
    SCORE
    | {"id": id, "map_md5": "a" * 32, "userid": owner(number), "mode": number % 5 % 2, "mods": number % 2 * 64}
    for number, id in enumerate(IDS)
]
SEEN = [row for row in SCORES if row["userid"] == VISIBLE]


class RecordingDatabase(Database):
    """A database that records which statements it ran."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.statements: list[str] = []

    async def _run(self, query: Statement, values: dict[str, Any]) -> Any:
        self.statements.append(query.name)
        return await super()._run(query, values)


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with these scores."""
    users = [
        USER | {"id": id, "name": f"n{id}", "safe_name": f"n{id}", "email": f"{id}@a.b", "priv": priv}
        for id, priv in ((VISIBLE, 3), (HIDDEN, 2))
    ]
    tables = [
        (name, list(rows[0]), [tuple(row.values()) for row in rows])
        for name, rows in (("users", users), ("scores", SCORES))
    ]
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("pages") / "world.sqlite"
        load_sqlite(file, iter(tables))
        return f"sqlite:///{file}"
    mariadb: MariaDB = request.getfixturevalue("mariadb")
    database = mariadb.database("pages")
    load_mysql(database, iter(tables))
    return database


def with_pages(url: str, use: Callable[[Pagination, RecordingDatabase], Awaitable[T]]) -> T:
    """Return what `use` returns for the Pagination of a database."""

    async def run() -> T:
        database = RecordingDatabase(url)
        await database.connect()
        reader = Pagination(database)
        try:
            return await use(reader, database)
        finally:
            await reader.close()
            await database.disconnect()

    return asyncio.run(run())


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, SEEN),
        ({"mode": 1}, [row for row in SEEN if row["mode"] == 1]),
        ({"mode": 0, "mods": 64, "status": 2}, [row for row in SEEN if row["mode"] == 0 and row["mods"] == 64]),
        ({"mods": 1}, []),
        ({"user_id": VISIBLE}, SEEN),
        ({"user_id": HIDDEN}, []),
        ({"map_md5": "A" * 32, "mode": 1}, [row for row in SEEN if row["mode"] == 1]),
        ({"mods": 2**70}, []),
    ],
)
def test_each_score_is_on_one_page(url: str, size: int, filters: dict[str, Any], expected: list[Row]) -> None:
    async def use(reader: Pagination, _: RecordingDatabase) -> list[int]:
        found: list[int] = []
        last = len(expected) // size + 2
        # All pages of a hundred rows. Of smaller pages, those at both ends and some in between.
        chosen = [
            page for page in range(1, last + 1) if size == 100 or page < 4 or page > last - 4 or not page % 97
        ]
        for page in chosen:
            place = PageRequest(page, size)
            rows, total = await reader.scores(place, **(ALL | filters), visible=3)
            assert total == len(expected)
            ids = [row["id"] for row in expected[place.offset : place.offset + size]]
            assert [row.id for row in rows] == ids, place
            found += ids
        return found

    found = with_pages(url, use)
    assert len(found) == len(set(found))


def test_scores_are_counted_in_parts(url: str) -> None:
    async def use(_: Pagination, database: RecordingDatabase) -> tuple[list[Score], int, int]:
        rows, total = await Pagination(database, block_ids=333).scores(PageRequest(15, 100), **ALL, visible=3)
        return rows, total, database.statements.count("score_blocks")

    rows, total, parts = with_pages(url, use)
    assert total == len(SEEN)
    assert [row.id for row in rows] == [row["id"] for row in SEEN[1400:1500]]
    # Eight for the small gaps, one for the fifty scores after them, three for those beyond the wide gap.
    assert parts == 8 + 1 + 3


def test_scores_of_hidden_players_can_be_shown(url: str) -> None:
    async def use(reader: Pagination, _: RecordingDatabase) -> int:
        return (await reader.scores(PageRequest(1, 1), **ALL, visible=0))[1]

    assert with_pages(url, use) == len([row for row in SCORES if row["userid"] != GONE])


def test_a_list_is_counted_once_for_many_requests(url: str) -> None:
    async def use(reader: Pagination, database: RecordingDatabase) -> list[str]:
        await asyncio.gather(*(reader.scores(PageRequest(page, 5), **ALL, visible=3) for page in range(1, 9)))
        one = ALL | {"user_id": VISIBLE}
        await asyncio.gather(*(reader.scores(PageRequest(page, 5), **one, visible=3) for page in range(1, 9)))
        return database.statements

    statements = with_pages(url, use)
    counting = [name for name in statements if name != "scores"]
    parts = ["score_next", "score_blocks"] * 2
    assert counting == [*parts, "score_next", "hidden_score_blocks", "count_scores"]
    assert statements.count("scores") == 16


def test_a_page_past_the_end_reads_nothing(url: str) -> None:
    async def use(reader: Pagination, database: RecordingDatabase) -> list[str]:
        for page in (1000, 2**63 - 1, 10**40):
            for filters in (ALL, ALL | {"user_id": VISIBLE}):
                assert await reader.scores(PageRequest(page, 100), **filters, visible=3) == ([], len(SEEN))
        return database.statements

    assert "scores" not in with_pages(url, use)


def test_blocks_find_every_row() -> None:
    blocks = [Block(first, first + 999, total) for first, total in ((0, 3), (1000, 5), (2000, 4), (7000, 1))]
    # The third block is hidden as a whole. What is hidden beyond what was counted is ignored.
    found = IdBlocks(blocks, [Block(1000, 1999, 2), Block(2000, 2999, 4), Block(9000, 9999, 3)])
    assert found.total == 7
    starts = [found.find(PageRequest(number + 1, 1)) for number in range(found.total)]
    assert starts == [
        *((0, 999, rest) for rest in range(3)),
        *((1000, 6999, rest) for rest in range(3)),
        (7000, None, 0),
    ]
    assert [found.find(PageRequest(1, size))[1] for size in (3, 4, 6, 7, 100)] == [999, 6999, 6999, None, None]


def test_a_list_without_rows() -> None:
    assert IdBlocks([], []).total == 0
