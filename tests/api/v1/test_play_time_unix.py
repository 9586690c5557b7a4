"""Every score has the time it was set in Unix seconds too, whichever list it is in."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import service

REQUESTS = (
    ("/v1/get_player_scores?scope=best&id=50", "scores"),
    ("/v1/get_player_scores?scope=recent&id=50", "scores"),
    ("/v1/get_map_scores?scope=best&id=78", "scores"),
    ("/v1/get_map_scores?scope=recent&id=78", "scores"),
    ("/v1/get_score_info?id=1", "score"),
    ("/v2/players/50/scores", "data"),
    ("/v2/maps/78/scores", "data"),
    ("/v2/scores", "data"),
    ("/v2/scores/1", "data"),
)


@pytest.mark.parametrize("database", ["recorded_sqlite", "recorded_mysql"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Berlin"])
def test_every_score_has_it(request: pytest.FixtureRequest, database: str, zone: str) -> None:
    with service(database_url=request.getfixturevalue(database), time_zone=zone) as client:
        for path, key in REQUESTS:
            found = client.get(path).json()[key]
            scores = [found] if isinstance(found, dict) else found
            assert scores, path
            for score in scores:
                time = datetime.fromisoformat(score["play_time"]).replace(tzinfo=ZoneInfo(zone))
                assert score["play_time_unix"] == time.timestamp(), path
