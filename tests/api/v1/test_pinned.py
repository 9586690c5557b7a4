"""Pinned scores: served if the database has the column of forks that have them."""

from typing import Any

from storage.cache.fork_columns import FRESH_SECONDS
from tests.conftest import Playground

V1, V2 = "/v1/get_player_scores?scope=pinned&id=50", "/v2/players/50/scores?scope=pinned"
ADD = "ALTER TABLE scores ADD COLUMN pinned tinyint(1) NOT NULL DEFAULT 0"


def test_pinned_scores(uncached: Playground) -> None:
    client = uncached.client
    for path in (V1, V2):
        answer = client.get(path)
        assert answer.status_code == 422
        assert answer.json()["status"] == "scope must be one of recent, best, first."
    # Nothing that must be there is missing.
    assert client.get("/health/ready").json()["neighbours"]["database"] == {"state": "up"}
    recent = client.get("/v1/get_player_scores?scope=recent&id=50&limit=100").json()["scores"]
    pinned = [score["id"] for score in recent[::3]]

    uncached.sql(ADD, f"UPDATE scores SET pinned = 1 WHERE id IN ({', '.join(map(str, pinned))})")
    client.advance(FRESH_SECONDS + 1)
    # The column is found by a request that gets the last answer, at the latest.
    client.get(V1)
    client.advance(FRESH_SECONDS + 1)

    def ask(**params: Any) -> tuple[int, list[dict[str, Any]]]:
        asked: dict[str, Any] = {"scope": "pinned", "id": 50, "limit": 100, **params}
        answer = client.get("/v1/get_player_scores", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()["total"], answer.json()["scores"]

    total, scores = ask()
    assert total == len(scores) == len(pinned) > 2
    assert {score["id"] for score in scores} == set(pinned)
    assert {score["pinned"] for score in scores} == {1}
    assert scores == sorted(scores, key=lambda score: (score["pp"], score["id"]), reverse=True)
    assert all(score["beatmap"]["md5"] == score["map_md5"] for score in scores)
    assert ask(limit=1, offset=1) == (total, scores[1:2])
    with_hidden = [score for score in scores if score["mods"] & 8]
    assert ask(mods="HD") == (len(with_hidden), with_hidden)

    second = client.get(f"{V2}&limit=100").json()
    assert [score["id"] for score in second["data"]] == [score["id"] for score in scores]
    assert {score["pinned"] for score in second["data"]} == {1}
    assert second["meta"] == {"total": total, "scope": "pinned", "mode": 0}
    # Other lists do not mention it, and hidden players have none.
    others = client.get("/v1/get_player_scores?scope=recent&id=50").json()["scores"]
    assert not any("pinned" in score for score in others)
    assert client.get("/v1/get_player_scores?scope=pinned&id=29").status_code == 404
