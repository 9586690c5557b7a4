"""Equal scores: on a beatmap, the one that was set first is ahead; in a player's list, the latest one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo.load import Rows, load_mysql, load_sqlite
from tests.conftest import service
from tests.storage.database.test_data_traps import MAP, SCORE, USER, Row, table
from tests.support.servers import MariaDB

MD5 = "c" * 32
STD, MANIA, RELAX = 0, 3, 4
PLAYERS = (3, 4, 5)


def world() -> Iterator[Rows]:
    """Four scores a mode that are equal in all columns that sort, two of them of one player."""
    users = [
        USER | {"id": id, "name": f"n{id}", "safe_name": f"n{id}", "email": f"{id}@a.b", "priv": 3}
        for id in PLAYERS
    ]
    yield from table("users", users)
    numbers = {"id": 1, "md5": MD5, "total_length": 1, "max_combo": 1, "last_update": "2020-01-01 00:00:00"}
    yield from table("maps", [MAP | numbers])
    scores: list[Row] = []
    for mode in (STD, MANIA, RELAX):
        equal: Row = {"map_md5": MD5, "mode": mode, "score": 1_000_000, "pp": 100}
        scores += [equal | {"id": 10 * mode + 9 - player, "userid": player} for player in PLAYERS]
        scores += [equal | {"id": 10 * mode + 2, "userid": 3}]
        # One is ahead of them, in the column that sorts the mode, and one is behind.
        scores += [
            equal | {"id": 10 * mode + 8, "userid": 3, "score": 1_000_001, "pp": 101},
            equal | {"id": 10 * mode + 1, "userid": 4, "score": 999_999, "pp": 99},
        ]
    yield from table("scores", [SCORE | score for score in scores])


@pytest.fixture(scope="module", params=["sqlite", "mysql", "mysql+asyncmy"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a service on these rows, with each driver."""
    if request.param == "sqlite":
        file: Path = tmp_path_factory.mktemp("equal") / "world.sqlite"
        load_sqlite(file, world())
        url = f"sqlite:///{file}"
    else:
        server: MariaDB = request.getfixturevalue("mariadb")
        url = server.database("equal").replace("mysql://", f"{request.param}://")
        load_mysql(url.replace(f"{request.param}://", "mysql://"), world())
    with service(database_url=url) as client:
        yield client


def ids(client: httpx2.Client, path: str, **params: Any) -> list[int]:
    answer = client.get(path, params={"limit": 100} | params).json()
    return [score["id"] % 10 for score in answer.get("scores", answer.get("data"))]


@pytest.mark.parametrize("mode", [STD, MANIA, RELAX])
def test_on_a_beatmap_the_first_is_ahead(client: httpx2.Client, mode: int) -> None:
    best, recent = [8, 2, 4, 5, 6, 1], [1, 2, 4, 5, 6, 8]
    for path, key in (("/v1/get_map_scores", {"id": 1}), ("/v2/maps/1/scores", {})):
        assert ids(client, path, scope="best", mode=mode, **key) == best
        assert ids(client, path, scope="recent", mode=mode, **key) == recent
    pages = [ids(client, "/v1/get_map_scores", scope="best", mode=mode, id=1, limit=n) for n in range(1, 7)]
    assert pages == [best[:n] for n in range(1, 7)]


@pytest.mark.parametrize("mode", [STD, MANIA, RELAX])
def test_in_a_players_list_the_latest_is_first(client: httpx2.Client, mode: int) -> None:
    for path, key in (("/v1/get_player_scores", {"id": 3}), ("/v2/players/3/scores", {})):
        assert ids(client, path, scope="best", mode=mode, **key) == [8, 6, 2]
        assert ids(client, path, scope="recent", mode=mode, **key) == [8, 6, 2]
