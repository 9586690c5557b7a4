"""The requests of the load: reads of both versions of the API that always have the same response."""

import time
from typing import NamedTuple

from faults.load import Copies, copies_of
from faults.servers import USERPAGE, Servers, start_service
from tests.support import conformance

# A row of a table -> the paths that show it.
PLAYERS = ("/v1/get_player_info?scope=all&id={}", "/v2/players/{}/stats")
BEATMAPS = ("/v1/get_map_info?id={}",)
SCORES = ("/v1/get_score_info?id={}", "/v2/scores/{}")
LIVE = (
    *("/v1/online", "/v1/get_match?id=3", "/v1/get_match?id=4", "/v1/get_matches", "/v2/server/stats"),
    *(f"/v1/get_player_status?id={id}" for id in (5, 12, 57, 134)),
    *(f"/v2/players/{id}/status" for id in (5, 12)),
)
# Seconds for which the service caches what the game server has told it, and a response made of it.
LIVE_CACHED = 3.0


class Known(NamedTuple):
    """The right responses, and those that are right too while the game server is down."""

    up: Copies
    down: Copies


def known_copies(servers: Servers, driver: str) -> Known:
    """Return the responses of a service to all paths, without those that changes of the profile change."""
    asked = paths(servers)
    with start_service(servers.settings(driver)) as service:
        up = copies_of(service.url, asked)
        servers.game_server.stop()
        time.sleep(LIVE_CACHED)
        down = copies_of(service.url, asked)
        servers.game_server.start()
    shown = {path for path, right in up.items() if any(USERPAGE.encode() in body for _, body in right)}
    return Known(*({path: right for path, right in copies.items() if path not in shown} for copies in (up, down)))


def paths(servers: Servers) -> list[str]:
    """Return the paths: the recorded requests, live data, and those that show one of many rows.

    They are so many that most of them are not in the cache when they are requested again.
    """
    recorded = [
        case["path"]
        for case in conformance.cases()
        if case["method"] == "GET"
        and case["expect"].get("status") == 200
        and not case.keys() & {"headers", "host"}
    ]
    rows = (
        ("SELECT id FROM users WHERE priv & 3 = 3 ORDER BY id LIMIT 100", PLAYERS),
        ("SELECT id FROM maps ORDER BY id LIMIT 100", BEATMAPS),
        (
            "SELECT s.id FROM scores s JOIN users u ON u.id = s.userid WHERE u.priv & 3 = 3 AND s.status = 2"
            " ORDER BY s.id LIMIT 100",
            SCORES,
        ),
    )
    shown = [path.format(id) for query, forms in rows for (id,) in servers.rows(query) for path in forms]
    return [*dict.fromkeys([*recorded, *LIVE, *shown])]
