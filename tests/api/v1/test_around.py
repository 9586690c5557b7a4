"""The page of a leaderboard that a player is on."""

from typing import Any

import pytest

from storage.cache.leaderboards import FRESH_SECONDS
from tests.conftest import Playground


def whole(here: Playground, **params: Any) -> list[int]:
    """The ids of all players on a leaderboard, in its order."""
    ids: list[int] = []
    while True:
        asked = {"limit": 100, "offset": len(ids), **params}
        page = here.client.get("/v1/get_leaderboard", params=asked).json()["leaderboard"]
        ids += [row["player_id"] for row in page]
        if len(page) < 100:
            return ids


@pytest.mark.parametrize("sort", ["pp", "acc", "plays"])
@pytest.mark.parametrize("mode", [0, 4])
def test_every_player_is_on_the_page(world: Playground, sort: str, mode: int) -> None:
    ids = whole(world, sort=sort, mode=mode)
    assert len(ids) > 20
    for position, player in enumerate(ids):
        asked: dict[str, Any] = {"sort": sort, "mode": mode, "limit": 7, "around": player}
        found = world.client.get("/v1/get_leaderboard", params=asked).json()
        begin = position - position % 7
        assert found["offset"] == begin
        assert [row["player_id"] for row in found["leaderboard"]] == ids[begin : begin + 7]


def test_of_a_country(world: Playground) -> None:
    ids = whole(world, country="de")
    assert len(ids) > 2
    for position, player in enumerate(ids):
        asked: dict[str, Any] = {"country": "DE", "limit": 2, "around": player, "offset": 1}
        found = world.client.get("/v1/get_leaderboard", params=asked).json()
        assert found["offset"] == position - position % 2
        assert player in [row["player_id"] for row in found["leaderboard"]]
    elsewhere = next(player for player in whole(world) if player not in ids)
    answer = world.client.get("/v1/get_leaderboard", params={"country": "de", "around": elsewhere})
    assert (answer.status_code, answer.json()) == (404, {"status": "Player not found."})


def test_who_has_no_place(world: Playground) -> None:
    for player in (29, 2_000_000):
        answer = world.client.get("/v1/get_leaderboard", params={"around": player})
        assert (answer.status_code, answer.json()) == (404, {"status": "Player not found."})
    assert world.client.get("/v1/get_leaderboard?around=x").status_code == 422
    assert world.client.get("/v1/get_leaderboard?around=&limit=1&offset=3").json()["offset"] == 3


def test_a_player_who_has_just_overtaken_everybody(uncached: Playground) -> None:
    ids = whole(uncached)
    last = ids[-1]
    uncached.sql(f"UPDATE stats SET pp = 4000000000 WHERE id = {last} AND mode = 0")
    # In the order that is cached, from which pages are read, the player is still the last one.
    found = uncached.client.get("/v1/get_leaderboard", params={"around": last, "limit": 5}).json()
    assert last in [row["player_id"] for row in found["leaderboard"]]
    uncached.client.advance(FRESH_SECONDS + 1)
    found = uncached.client.get("/v1/get_leaderboard", params={"around": last, "limit": 5}).json()
    assert (found["offset"], found["leaderboard"][0]["player_id"]) == (0, last)
