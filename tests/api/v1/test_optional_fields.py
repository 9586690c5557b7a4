"""Fields that scores have if a client asks for them, and the level of players."""

from typing import Any

import httpx2
import pytest

from domain.levels import shown_level
from domain.modes import Mode
from tests.conftest import Playground, Recorded, service
from tests.support import conformance

STORED = {int(file.stem) for file in (conformance.WORLD / "osr").iterdir()}
LISTS = (
    ("/v1/get_player_scores?scope=recent&id={}", "scores"),
    ("/v1/get_player_scores?scope=best&id={}", "scores"),
    ("/v2/players/{}/scores?scope=recent", "data"),
)


def scores(client: httpx2.Client, path: str, key: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()[key]
    assert found
    return found


def test_which_scores_have_a_replay(recorded: Recorded) -> None:
    seen = set()
    for stored in sorted(STORED)[:20]:
        details = recorded.client.get(f"/v1/get_score_info?id={stored}")
        if details.status_code == 404:
            continue
        player, md5 = details.json()["score"]["userid"], details.json()["score"]["map_md5"]
        mode = details.json()["score"]["mode"]
        board = f"/v1/get_map_scores?scope=recent&md5={md5}&mode={mode}", "scores"
        for path, key in (*LISTS, board):
            asked = f"{path.format(player)}&mode={mode}&limit=100"
            assert "has_replay" not in scores(recorded.client, asked, key)[0]
            for score in scores(recorded.client, f"{asked}&with_replay=true", key):
                assert score["has_replay"] is (score["id"] in STORED and score["status"] > 0)
                seen.add(score["has_replay"])
    assert seen == {True, False}


def test_which_of_the_latest_scores_have_a_replay(recorded: Recorded) -> None:
    seen = set()
    for mode in Mode:
        latest = f"/v1/get_recent_scores?mode={mode.value}&limit=100"
        for score in scores(recorded.client, f"{latest}&with_replay=true", "scores"):
            assert score["has_replay"] is (score["id"] in STORED and score["status"] > 0)
            seen.add(score["has_replay"])
        assert "has_replay" not in scores(recorded.client, latest, "scores")[0]
    assert seen == {True, False}


@pytest.mark.parametrize("path", ["/v1/get_score_info?id={}", "/v2/scores/{}"])
def test_a_single_score_says_so_itself(recorded: Recorded, path: str) -> None:
    key = "score" if "v1" in path else "data"
    for id, status in ((805, 200), (1, 200)):
        answer = recorded.client.get(path.format(id))
        assert answer.status_code == status
        assert answer.json()[key]["has_replay"] is (id in STORED)


def test_on_s3_it_is_not_known(recorded_sqlite: str) -> None:
    # No request is sent there for this.
    storage = {"aws_endpoint_url_s3": "http://127.0.0.1:9", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with service(database_url=recorded_sqlite, replays_url="s3://bucket", **storage) as client:
        assert client.get("/v1/get_score_info?id=805").json()["score"]["has_replay"] is None
        for score in scores(client, "/v1/get_player_scores?scope=recent&id=50&with_replay=1", "scores"):
            assert score["has_replay"] is (None if score["status"] else False)


@pytest.mark.parametrize(
    ("path", "key"), [("/v1/get_player_scores?id=50", "scores"), ("/v2/players/50/scores?", "data")]
)
def test_weights_are_those_of_the_place(world: Playground, path: str, key: str) -> None:
    best = f"{path}&scope=best"
    assert "weight" not in scores(world.client, best, key)[0]
    for offset in (0, 2):
        listed = scores(world.client, f"{best}&with_weight=1&offset={offset}&limit=5", key)
        for place, score in enumerate(listed, start=offset):
            assert score["weight"] == pytest.approx(0.95**place)
            assert score["weighted_pp"] == round(score["pp"] * 0.95**place, 3)
    loved = scores(world.client, f"{best}&with_weight=1&include_loved=1", key)
    assert {score["weight"] for score in loved} == {score["weighted_pp"] for score in loved} == {None}
    assert "weight" not in scores(world.client, f"{path}&scope=recent&with_weight=1", key)[0]


def test_the_place_is_not_known_among_scores_with_some_mods(world: Playground) -> None:
    path = "/v1/get_player_scores?scope=best&id=50&mods=HD&with_weight=1"
    assert {score["weight"] for score in scores(world.client, path, "scores")} == {None}


def test_levels(world: Playground) -> None:
    stats = world.client.get("/v1/get_player_info?scope=stats&id=50").json()["player"]["stats"]
    assert stats
    for mode, row in stats.items():
        assert row["level"] == shown_level(row["tscore"]) >= 1
        assert world.client.get(f"/v2/players/50/stats/{mode}").json()["data"]["level"] == row["level"]
    assert any(row["level"] > 2 for row in stats.values())
