"""Every endpoint runs at most three statements, however many rows it lists."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest

from api.routes import V1
from domain.modes import Mode
from tests.conftest import ADMIN, running, signed
from tests.support import conformance, mariadbd, servers
from tests.support.openapi_examples import request_of
from tests.support.servers import MariaDB, Redis

MAX_STATEMENTS = 3
# A list of a player's scores comes with their number, which is cached for a minute. A player's scores on a beatmap
# need the player, the beatmap, the scores, and the place of one of them.
FOUR_STATEMENTS = ("get_player_scores", "get_player_map_scores")
# Without Redis, ranks of several players are counted for each mode.
RANKS = len(Mode)
# With {limit} where the endpoint has that parameter. Endpoints that are not here are sent their example.
REQUESTS = (
    "calculate_pp?id=78",
    "calculate_pp_batch?id=78&id=280&id=552",
    "get_friends",
    "search_players",
    "search_players?q=a",
    "search_players?q=%F0%9F%98%80",
    "get_player_count",
    "get_player_info?scope=all&id=3",
    "get_player_info?scope=stats&id=3",
    "get_player_info?scope=info&name={name}",
    "get_player_info?scope=all&name=%E8%A9%A6%E3%81%97",
    "get_player_status?id=3",
    "get_player_scores?scope=best&id={scorer}&include_loved=1{limit}",
    "get_player_scores?scope=recent&name={name}{limit}",
    "get_player_scores?scope=recent&id={scorer}&mods=~HDDT{limit}",
    "get_player_scores?scope=first&id={scorer}{limit}",
    "get_player_map_scores?id={scorer}&map_id={map}",
    "get_top_plays?x=1{limit}",
    "get_recent_scores?x=1{limit}",
    "get_player_most_played?id={scorer}{limit}",
    "get_map_info?id={map}",
    "get_map_info?md5={md5}",
    "search_maps?q=an{limit}",
    "get_maps_info?id=78&id=280&md5={md5}",
    "get_set_info?id=6",
    "get_players_info?id=3&id=12&id=50&id=101",
    "get_scores_info?id=1&id=805&id=2",
    "get_map_scores?scope=best&id={map}{limit}",
    "get_map_scores?scope=recent&md5={md5}{limit}",
    "get_score_info?id=1",
    "get_replay?id=805",
    "get_leaderboard?mode=0{limit}",
    "get_leaderboard?sort=acc&country=de{limit}",
    "get_clan?id=1",
    "get_mappool?id=1",
    "online",
    "get_match?id=1",
    "get_matches",
)
# Lists whose beatmaps come from a statement of their own, unless they are cached.
SEARCHES = ("search_players?q", "search_maps")
# Lists whose order is cached for a minute.
ORDERED = ("get_clan_leaderboard",)
WITH_BEATMAPS = ("get_player_scores", "get_top_plays", "get_recent_scores", "get_mappool")
HEAVIEST = {
    "scorer": "SELECT userid FROM scores JOIN users u ON u.id = userid WHERE mode = 0 AND u.priv & 3 = 3"
    " GROUP BY userid ORDER BY COUNT(*) DESC LIMIT 1",
    "map": "SELECT m.id FROM scores s JOIN maps m ON m.md5 = s.map_md5 WHERE s.mode = 0 AND s.status = 2"
    " GROUP BY m.id ORDER BY COUNT(*) DESC LIMIT 1",
    "md5": "SELECT md5 FROM maps LIMIT 1",
    "name": "SELECT safe_name FROM users WHERE id = 3",
}
Count = Callable[[], int]


def all_requests() -> list[str]:
    """Return REQUESTS, and a request to each other endpoint that reads: the one of its example."""
    requests = list(REQUESTS)
    listed = {request.partition("?")[0] for request in REQUESTS}
    for name, endpoint in V1.items():
        # The stream of events has no end.
        if "GET" in endpoint.methods and name not in {*listed, "events"}:
            params = dict(request_of(f"/v1/{name}")["params"])
            params.pop("limit", None)
            limit = "{limit}" if "limit" in endpoint.params.__struct_fields__ else ""
            query = urlencode(params, doseq=True).replace("{", "{{").replace("}", "}}")
            requests.append(f"{name}?{query}{limit}")
    return requests


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDB]:
    """A MariaDB without other clients, with the recorded world in the database `recorded`."""
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        yield server


@pytest.fixture(scope="module")
def words(database: MariaDB) -> dict[str, str]:
    """The players and beatmaps with the longest lists."""
    with closing(mariadbd.connect(database.url + "recorded")) as connection, connection.cursor() as cursor:
        values = {}
        for word, statement in HEAVIEST.items():
            cursor.execute(statement)
            values[word] = str((cursor.fetchone() or ("",))[0])
        return values


@pytest.fixture
def count(database: MariaDB) -> Iterator[Count]:
    """Counts the statements that the server received since the last call."""
    with closing(mariadbd.connect(database.url)) as connection, connection.cursor() as cursor:
        last = 0

        def questions() -> int:
            nonlocal last
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
            before, last = last, int((cursor.fetchone() or (0, 0))[1])
            return last - before - 1  # this one

        yield questions


@pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
@pytest.mark.parametrize("with_redis", [False, True])
def test_at_most_three(
    database: MariaDB, words: dict[str, str], count: Count, redis: Redis, driver: str, with_redis: bool
) -> None:
    url = database.url.replace("mysql://", f"{driver}://") + "recorded"
    world = {"database_url": url, "data_directory": str(conformance.WORLD)}
    with running(cache="off", **world, **({"redis_url": redis.url} if with_redis else {})) as service:
        service.client.headers |= signed(ADMIN)
        service.client.get("/get_friends")  # opens the only connection and caches the key
        statements = {}
        for request in all_requests():
            if request.startswith(ORDERED):
                service.client.get("/" + request.format(limit="", **words))
            if request.startswith(SEARCHES):
                # The first one has names and texts read in the background, the second one who is hidden.
                for _ in range(2):
                    service.client.get("/" + request.format(limit="", **words))
                    time.sleep(1)
            trips = {}
            for limit in ("1", "100"):
                count()
                answer = service.client.get("/" + request.format(limit=f"&limit={limit}", **words))
                trips[limit] = count()
                if request in REQUESTS:
                    assert answer.status_code < 500 or "pp" in request
                else:
                    assert answer.status_code == 200, (
                        f"{answer.url}: {answer.status_code}, since the recorded world lacks the ids of the "
                        "example: add a request with others to REQUESTS in tests/api/test_round_trips.py"
                    )
            most = MAX_STATEMENTS + request.startswith(FOUR_STATEMENTS)
            if request.startswith("get_players_info") and not with_redis:
                most = MAX_STATEMENTS + RANKS
            if request == "get_player_count":
                # The number of players is cached for some seconds.
                assert trips["100"] == 0
            elif request.startswith(SEARCHES):
                # The last page of names or texts may be read again.
                assert max(trips.values()) <= MAX_STATEMENTS, request
            elif request.startswith("get_leaderboard"):
                # The order of the leaderboard is cached too.
                assert trips["100"] == 1, request
            elif request.startswith(WITH_BEATMAPS):
                # Beatmaps are cached too: those of either list may have been in lists before.
                assert abs(trips["100"] - trips["1"]) <= 1, request
                assert trips["100"] <= most, request
            else:
                assert trips["100"] == trips["1"], f"{request}: one statement for each row?"
            assert trips["1"] <= most, f"{request} runs {trips['1']} statements"
            statements[request] = trips["1"]
    assert statements["get_player_info?scope=all&id=3"] == (2 if with_redis else 3)
    assert statements["get_player_count"] == 1
    # The order, the value of the last player in it, and the rows; with a country the order and the rows.
    assert (
        statements["get_leaderboard?mode=0{limit}"],
        statements["get_leaderboard?sort=acc&country=de{limit}"],
    ) == (3, 2)
    first = "get_player_scores?scope=best&id={scorer}&include_loved=1{limit}"
    assert (statements[first], statements["get_mappool?id=1"]) == (4, 3)


@pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
def test_a_change_is_not_read_back(database: MariaDB, count: Count, driver: str) -> None:
    # If that failed, or another server of a cluster answered, the response would be wrong.
    url = database.url.replace("mysql://", f"{driver}://") + "recorded"
    with running(database_url=url) as service:
        service.client.headers |= signed(ADMIN)
        service.client.get("/get_friends")  # opens the only connection and caches the key
        count()
        answer = service.client.post("/set_player_info", json={"play_style": 9})
        assert count() == 1
        assert answer.json() == {"status": "success", "updated": {"play_style": 9}}
