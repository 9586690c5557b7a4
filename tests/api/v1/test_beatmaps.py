"""Search of beatmaps, sets of beatmaps, and batches."""

from typing import Any

import pytest

from tests.api.v2.test_v2 import HIDDEN, MAPS, SCORES, SEEN
from tests.conftest import Recorded, service

Body = dict[str, Any]
IDS = [row["id"] for row in MAPS]
MD5S = {row["id"]: row["md5"] for row in MAPS}
VISIBLE = sorted(id for id in SEEN if id >= 3)


def get(recorded: Recorded, path: str, **params: Any) -> Body:
    """Return the body of a 200."""
    answer = recorded.client.get(f"/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body: Body = answer.json()
    assert body["status"] == "success"
    return body


def errors(recorded: Recorded, path: str) -> list[tuple[str, list[Any]]]:
    """Return the type and the location of each invalid parameter."""
    answer = recorded.client.get(f"/v1/{path}")
    assert answer.status_code == 422, answer.text
    return [(error["type"], error["loc"]) for error in answer.json()["detail"]]


def test_search_maps(recorded: Recorded) -> None:
    # Two letters that are in the titles of some beatmaps, but not of more than fit into a page.
    titles = [row["title"].lower() for row in MAPS if row["title"].isascii()]
    parts = sorted({title[:2] for title in titles if title[:2].isalpha()})
    found = (get(recorded, "search_maps", q=part, limit=100) for part in parts)
    body, part = next((body, part) for body, part in zip(found, parts, strict=True) if 20 < body["results"] <= 100)
    maps = body["result"]
    assert body["results"] == len(maps)
    assert maps == sorted(maps, key=lambda row: (-row["plays"], -row["id"]))
    for row in maps[:5]:
        assert get(recorded, "get_map_info", id=row["id"])["map"] == row
    half = get(recorded, "search_maps", q=part, limit=5, offset=5)
    assert half == body | {"result": maps[5:10]}
    of_mode = get(recorded, "search_maps", q=part.upper(), mode=0, status=2, limit=100)
    assert of_mode["result"] == [row for row in maps if row["mode"] == 0 and row["status"] == 2]
    assert get(recorded, "search_maps", q="  ") == {"status": "success", "results": 0, "result": []}
    assert errors(recorded, "search_maps") == [("missing", ["query", "q"])]
    assert errors(recorded, "search_maps?q=a") == [("string_too_short", ["query", "q"])]
    assert errors(recorded, "search_maps?q=" + "a" * 65) == [("string_too_long", ["query", "q"])]
    assert errors(recorded, "search_maps?q=an&mode=4&status=6") == [
        ("less_than_equal", ["query", "mode"]),
        ("less_than_equal", ["query", "status"]),
    ]


def test_get_set_info(recorded: Recorded) -> None:
    for set_id in sorted({row["set_id"] for row in MAPS})[:20]:
        of_set = [row for row in MAPS if row["set_id"] == set_id]
        body = get(recorded, "get_set_info", id=set_id)["set"]
        maps = body.pop("maps")
        assert {row["id"] for row in maps} == {row["id"] for row in of_set}
        assert maps == sorted(maps, key=lambda row: (row["mode"], row["diff"], row["id"]))
        assert maps[0] == get(recorded, "get_map_info", id=maps[0]["id"])["map"]
        first = min(maps, key=lambda row: row["id"])
        assert body == {
            "id": set_id,
            **{name: first[name] for name in ("artist", "title", "creator", "status")},
            "last_update": max(row["last_update"] for row in maps),
        }
    unknown = recorded.client.get("/v1/get_set_info?id=2147483647")
    assert (unknown.status_code, unknown.json()) == (404, {"status": "Set not found."})
    assert errors(recorded, "get_set_info?id=2147483648") == [("less_than_equal", ["query", "id"])]


def test_get_players_info(recorded: Recorded) -> None:
    asked = [*VISIBLE[40:60][::-1], HIDDEN[-1], 2_000_000_000, VISIBLE[0], VISIBLE[50]]
    players = get(recorded, "get_players_info", id=asked)["players"]
    assert [player["info"]["id"] for player in players] == [*VISIBLE[40:60][::-1], VISIBLE[0]]
    for player in players:
        assert player == get(recorded, "get_player_info", scope="all", id=player["info"]["id"])["player"]
    assert any(stats["rank"] for player in players for stats in player["stats"].values())
    assert get(recorded, "get_players_info", id=HIDDEN[-1]) == {"status": "success", "players": []}
    assert len(get(recorded, "get_players_info", id=VISIBLE[:50])["players"]) == 50
    too_many = "&".join(f"id={id}" for id in range(3, 54))
    assert errors(recorded, f"get_players_info?{too_many}") == [("too_long", ["query", "id"])]
    assert errors(recorded, "get_players_info") == [("missing", ["query", "id"])]
    assert errors(recorded, "get_players_info?id=3&id=x&id=2") == [
        ("int_parsing", ["query", "id", 1]),
        ("greater_than_equal", ["query", "id", 2]),
    ]


def test_get_maps_info(recorded: Recorded) -> None:
    ids = [*IDS[7:40][::-1], 2_000_000_000, IDS[7]]
    md5s = [MD5S[IDS[2]].upper(), "f" * 32, "é" * 32, MD5S[IDS[1]], MD5S[IDS[7]]]
    maps = get(recorded, "get_maps_info", id=ids, md5=md5s)["maps"]
    assert [row["id"] for row in maps] == [*IDS[7:40][::-1], IDS[2], IDS[1]]
    assert maps[:3] == [get(recorded, "get_map_info", id=id)["map"] for id in ids[:3]]
    assert [row["id"] for row in get(recorded, "get_maps_info", md5=md5s[:1])["maps"]] == [IDS[2]]
    assert get(recorded, "get_maps_info", id=0)["maps"] == []
    nothing = recorded.client.get("/v1/get_maps_info")
    assert (nothing.status_code, nothing.json()) == (400, {"status": "Must provide either id or md5!"})
    assert errors(recorded, "get_maps_info?" + "&".join(["id=3"] * 51)) == [("too_long", ["query", "id"])]


def test_get_scores_info(recorded: Recorded) -> None:
    visible = [row["id"] for row in SCORES if row["userid"] in SEEN]
    hidden = next(row["id"] for row in SCORES if row["userid"] in HIDDEN)
    asked = [*visible[:30][::-1], hidden, 2**63 - 1, visible[0], visible[-1]]
    scores = get(recorded, "get_scores_info", id=asked)["scores"]
    assert [score["id"] for score in scores] == [*visible[:30][::-1], visible[-1]]
    for score in scores[:5]:
        assert score == get(recorded, "get_score_info", id=score["id"])["score"]
    assert get(recorded, "get_scores_info", id=hidden)["scores"] == []
    assert errors(recorded, "get_scores_info?id=-1") == [("greater_than_equal", ["query", "id", 0])]


def test_anticheat_data_of_many_scores(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, show_client_flags="true") as client:
        (score,) = client.get("/v1/get_scores_info?id=805").json()["scores"]
        assert score == client.get("/v1/get_score_info?id=805").json()["score"]
        assert "online_checksum" in score


@pytest.mark.parametrize("path", ["search_maps?q=an", "get_set_info?id=1", "get_maps_info?id=3"])
def test_every_form_of_a_path(recorded: Recorded, path: str) -> None:
    bodies = [recorded.client.get(prefix + path).json() for prefix in ("/", "/v1/", "/api/", "/api/v1/")]
    assert bodies == bodies[:1] * 4
