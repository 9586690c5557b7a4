"""First places: each board of a beatmap has one, that of the score which get_map_scores shows first."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo.build import build
from demo.world import Sizes
from domain.modes import Mode
from domain.players import VISIBLE
from storage.cache.first_places import FirstPlaces
from storage.database import catalogue
from storage.database.database import Database
from tests.conftest import Playground, connected
from tests.support import conformance, mariadbd
from tests.support.servers import MariaDB

RANKED, APPROVED, LOVED = 2, 3, 5
# The md5 of a beatmap, and a mode.
Board = tuple[str, int]
# The visible players, the boards with a visible best score, and the boards of all scores.
PLAYERS = "SELECT id FROM users WHERE priv & 3 = 3"
BOARDS = (
    "SELECT DISTINCT s.map_md5, s.mode FROM scores s JOIN maps m ON m.md5 = s.map_md5"
    " JOIN users u ON u.id = s.userid WHERE s.status = 2 AND u.priv & 3 = 3 AND m.status IN ({})"
)
SCORES = "SELECT id, map_md5, mode FROM scores"


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return file.execute(statement).fetchall()
    with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def change(url: str, statement: str) -> None:
    if url.startswith("mysql"):
        mariadbd.execute(url, statement)
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement)
        connection.commit()


def leaders(url: str, *statuses: int) -> dict[Board, int]:
    """The id of the score that is first on each board of a beatmap with one of these statuses."""

    async def read() -> dict[Board, int]:
        found = {}
        async with connected(Database(url)) as database:
            for md5, mode in rows(url, BOARDS.format(", ".join(map(str, statuses)))):
                query = catalogue.beatmap_scores["pp" if Mode(mode).pp_board else "score"]
                values = {"mask": 0, "weak": False, "visible": VISIBLE, "limit": 1, "offset": 0}
                [score] = await database.all(query, md5=md5, mode=mode, **values)
                found[md5, mode] = score.id
        return found

    return asyncio.run(read())


def first_places(url: str, *, include_loved: bool = False) -> dict[Board, int]:
    """The ids of all players' first places by board. No two of them are on the same board."""
    boards = {id: (md5, mode) for id, md5, mode in rows(url, SCORES)}

    async def read() -> dict[Board, int]:
        found: dict[Board, int] = {}
        async with connected(Database(url)) as database:
            places = FirstPlaces(database, visible=VISIBLE, wait=1)
            for (player,) in rows(url, PLAYERS):
                for mode in Mode:
                    for place in await places.of(player, mode, include_loved=include_loved):
                        assert boards[place.id] not in found
                        found[boards[place.id]] = place.id
        return found

    return asyncio.run(read())


def check_every_board_has_one(url: str) -> dict[Board, int]:
    expected = leaders(url, RANKED, APPROVED)
    assert first_places(url) == expected
    return expected


def test_of_the_demo_world(tmp_path: Path) -> None:
    build(tmp_path, sizes=Sizes(replays=0, files=0))
    assert len(check_every_board_has_one(f"sqlite:///{tmp_path / 'world.sqlite'}")) > 300


@pytest.fixture(params=["sqlite", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a copy of the recorded world, which the test may change."""
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    if request.param == "mysql":
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        url = mariadb.database("first_places")
    conformance.load(url)
    return url


def test_of_the_recorded_world(url: str) -> None:
    expected = check_every_board_has_one(url)
    with_loved = leaders(url, RANKED, APPROVED, LOVED)
    assert len(with_loved) > len(expected) > 100
    assert first_places(url, include_loved=True) == with_loved

    # Leaders who become hidden have no first place, and hide nobody's.
    ids = ", ".join(str(id) for id in sorted(expected.values())[::3])
    hidden = [player for (player,) in rows(url, f"SELECT DISTINCT userid FROM scores WHERE id IN ({ids})")][::2]
    change(url, f"UPDATE users SET priv = 2 WHERE id IN ({', '.join(map(str, hidden))})")
    without_them = check_every_board_has_one(url)
    assert 0 < len(without_them) <= len(expected)
    assert any(without_them[board] != expected[board] for board in without_them)

    # Of equal scores, the one that was set first is ahead.
    change(url, "UPDATE scores SET score = 5, pp = 5")
    equal = check_every_board_has_one(url)
    assert equal.keys() == without_them.keys()
    assert equal != without_them


def most_first_places(here: Playground) -> tuple[int, list[dict[str, Any]]]:
    """The player with most first places in mode 0, and these."""
    ids = [score["userid"] for score in here.client.get("/v2/scores?mode=0&status=2&page_size=100").json()["data"]]
    found = {}
    for id in set(ids):
        answer = here.client.get(f"/v1/get_player_scores?scope=first&id={id}&limit=100").json()
        assert answer["total"] == len(answer["scores"])
        found[id] = answer["scores"]
    player = max(found, key=lambda id: len(found[id]))
    return player, found[player]


def test_parameters(world: Playground) -> None:
    client = world.client
    player, whole = most_first_places(world)
    assert len(whole) > 5
    assert whole == sorted(whole, key=lambda score: (score["play_time"], score["id"]), reverse=True)
    for score in whole:
        assert (score["userid"], score["mode"], score["status"]) == (player, 0, 2)
        assert score["beatmap"]["md5"] == score["map_md5"]
        board = client.get(f"/v1/get_map_scores?scope=best&md5={score['map_md5']}&limit=1").json()["scores"]
        assert [first["id"] for first in board] == [score["id"]]

    def ask(**params: Any) -> tuple[int, list[dict[str, Any]]]:
        asked: dict[str, Any] = {"scope": "first", "id": player, **params}
        answer = client.get("/v1/get_player_scores", params=asked).json()
        return answer["total"], answer["scores"]

    assert ask(limit=2, offset=1) == (len(whole), whole[1:3])
    assert ask(offset=1000) == (len(whole), [])
    # Mods filter the list, not the boards.
    for mods, mask in (("HD", 8), ("HDDT", 72)):
        with_all = [score for score in whole if score["mods"] & mask == mask]
        assert ask(mods=mods, limit=100) == (len(with_all), with_all)
        with_any = [score for score in whole if score["mods"] & mask]
        assert ask(mods=f"~{mods}", limit=1) == (len(with_any), with_any[:1])
    assert ask(mods="~") == (0, [])
    assert ask(mods="rx") == ask(mode=4)

    answer = client.get(f"/v2/players/{player}/scores?scope=first&limit=2&offset=1").json()
    assert [score["id"] for score in answer["data"]] == [score["id"] for score in whole[1:3]]
    assert answer["meta"] == {"total": len(whole), "scope": "first", "mode": 0}


def test_players_that_cannot_be_seen(world: Playground) -> None:
    paths = ("/v1/get_player_scores?scope=first&id=29", "/v2/players/29/scores?scope=first")
    answers: list[httpx2.Response] = [world.client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [404, 404]
