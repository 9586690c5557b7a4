"""A player's scores on a beatmap, and the place of the best one on the board that get_map_scores shows."""

from typing import Any

import httpx2
import pytest

from tests.conftest import Playground

Answer = dict[str, Any]


def board(client: httpx2.Client, md5: str, mode: int, **params: Any) -> list[Answer]:
    """The whole board of a beatmap."""
    rows: list[Answer] = []
    while len(rows) % 100 == 0:
        asked = {"scope": "best", "md5": md5, "mode": mode, "limit": 100, "offset": len(rows), **params}
        page = client.get("/v1/get_map_scores", params=asked).json()["scores"]
        if not page:
            break
        rows += page
    return rows


def ask(client: httpx2.Client, **params: Any) -> Answer:
    answer = client.get("/v1/get_player_map_scores", params=params)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def plain(score: Answer) -> Answer:
    """A score of a board without what is only there."""
    return {key: value for key, value in score.items() if not key.startswith(("clan_", "player_country"))}


@pytest.mark.parametrize("mode", [0, 3, 4, 8])
def test_everybody_on_the_longest_board(world: Playground, mode: int) -> None:
    client = world.client
    scores = client.get("/v2/scores", params={"mode": mode, "status": 2, "page_size": 100}).json()["data"]
    md5s = [score["map_md5"] for score in scores]
    md5 = max(md5s, key=md5s.count)
    whole = board(client, md5, mode)
    assert len(whole) > 3
    for place, expected in enumerate(whole, start=1):
        found = ask(client, id=expected["userid"], md5=md5, mode=mode)
        assert (found["rank"], found["of"], found["best"]) == (place, len(whole), plain(expected))
        assert found["best"] in found["scores"]
        sort = "pp" if mode >= 4 else "score"
        assert found["scores"] == sorted(found["scores"], key=lambda score: (-score[sort], score["id"]))
        for score in found["scores"]:
            assert (score["userid"], score["map_md5"], score["mode"]) == (expected["userid"], md5, mode)
            assert score["status"] > 0
    with_hidden = board(client, md5, mode, mods="HD")
    for place, expected in enumerate(with_hidden, start=1):
        found = ask(client, id=expected["userid"], md5=md5, mode=mode, mods="HD")
        assert (found["rank"], found["of"]) == (place, len(with_hidden))
        assert all(score["mods"] & 8 for score in found["scores"])


def test_every_way_to_ask(world: Playground) -> None:
    client = world.client
    scores = client.get("/v2/scores?mode=0&status=2&page_size=1").json()["data"]
    beatmap = client.get("/v1/get_map_info", params={"md5": scores[0]["map_md5"]}).json()["map"]
    player, name = scores[0]["userid"], scores[0]["player_name"]
    expected = ask(client, id=player, map_id=beatmap["id"])
    assert expected["status"] == "success"
    assert ask(client, name=name, md5=beatmap["md5"].upper()) == expected
    assert ask(client, name=name, map_id=beatmap["id"], md5="x" * 32) == expected
    assert ask(client, id=player, map_id=beatmap["id"], mods="~") == {
        "status": "success",
        "rank": None,
        "of": 0,
        "best": None,
        "scores": [],
    }
    answer = client.get(f"/v2/players/{player}/maps/{beatmap['id']}/scores").json()
    assert (answer["status"], answer["meta"]) == ("success", {})
    assert {key: answer["data"][key] for key in ("rank", "of")} == {key: expected[key] for key in ("rank", "of")}
    assert [score["id"] for score in answer["data"]["scores"]] == [score["id"] for score in expected["scores"]]
    assert answer["data"]["best"]["perfect"] is bool(expected["best"]["perfect"])


def test_somebody_without_scores_there(world: Playground) -> None:
    unplayed = world.client.get("/v2/maps?page_size=100").json()["data"]
    for beatmap in unplayed:
        found = ask(world.client, id=3, map_id=beatmap["id"], mode=8)
        if not found["scores"]:
            length = len(board(world.client, beatmap["md5"], 8))
            assert found == {"status": "success", "rank": None, "of": length, "best": None, "scores": []}
            return
    pytest.fail("the player has scores on all beatmaps")


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("id=3", 400, "Must provide either map_id or md5!"),
        ("id=2000000", 400, "Must provide either map_id or md5!"),
        ("map_id=78", 400, "Must provide either id OR name!"),
        ("id=3&name=abc&map_id=78", 400, "Must provide either id OR name!"),
        ("id=29&map_id=78", 404, "Player not found."),
        ("id=2000000&map_id=78", 404, "Player not found."),
        ("id=3&map_id=2000000", 404, "Map not found."),
        ("id=3&map_id=78&mode=9", 400, "Invalid gamemode."),
    ],
)
def test_what_is_not_found(world: Playground, query: str, status: int, message: str) -> None:
    answer = world.client.get(f"/v1/get_player_map_scores?{query}")
    assert (answer.status_code, answer.json()) == (status, {"status": message})


def test_what_version_2_does_not_find(world: Playground) -> None:
    for path in ("players/29/maps/78", "players/2000000/maps/78", "players/3/maps/2000000"):
        assert world.client.get(f"/v2/{path}/scores").status_code == 404
