"""Scores are sent while the file system of the replays hangs."""

import threading
from collections.abc import Iterator

import pytest

from replays.folder import Folder
from tests.api.v2 import test_table
from tests.api.v2.test_table import InProcess

service = test_table.service


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The ids of the scores whose replays a file system that hangs is asked for."""
    asked: list[int] = []
    answers = threading.Event()

    def hang(_: Folder, score_id: int) -> bool:
        asked.append(score_id)
        answers.wait(20)
        return False

    monkeypatch.setattr(Folder, "_has", hang)
    yield asked
    answers.set()


def test_scores_while_the_file_system_hangs(service: InProcess, hanging: list[int]) -> None:
    for _ in range(3):
        score = service.client.get("/v1/get_score_info?id=805").json()["score"]
        assert (score["id"], score["has_replay"]) == (805, None)
    assert hanging == [805]
    # The official API has no third value: a passed score may have a replay.
    for path in ("get_user_best?u=50&type=id", "get_scores?b=78"):
        scores = service.client.get(f"/v1/{path}").json()
        assert {score["replay_available"] for score in scores} == {"1"}
    assert hanging == [805]
