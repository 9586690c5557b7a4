"""The API key in the query string: who needs one, what it counts for, and where it does not appear."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from api.request.osu_v1 import without_key
from api.response.cache import _recognised_by
from tests.api.osu_v1.test_shapes import SHAPES
from tests.conftest import PLAYER, RESTRICTED, UNVERIFIED, Playground, playground, running, service

REFUSAL = {"error": "Please provide a valid API key."}
TOO_FAST = {"error": "Requesting too fast! Slow your operation, cap'n!"}
OF_OSU = "0123456789abcdef0123456789abcdef01234567"
REQUESTS = [f"/api/{name}?{query}" for name, (query, _) in SHAPES.items()]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A service that requires keys."""
    folder = tmp_path_factory.mktemp("strict")
    url = f"sqlite:///{folder / 'world.sqlite'}"
    with playground(folder, url, osu_api_v1_key="required") as here:
        yield here


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_key_may_be_required(strict: Playground, request_: str) -> None:
    # The first request with a right key fills the cache, which must not answer those without one.
    for key in (PLAYER, "", "x", OF_OSU, PLAYER.upper(), PLAYER + " ", RESTRICTED, UNVERIFIED, "\0", "😀", PLAYER):
        answer = strict.client.get(f"{request_}&k={quote(key)}")
        if key == PLAYER:
            assert answer.status_code == 200
            assert answer.json() != REFUSAL
        else:
            assert (answer.status_code, answer.json()) == (401, REFUSAL), key
    answer = strict.client.get(request_)
    assert (answer.status_code, answer.json()) == (401, REFUSAL)
    # A header is not the official API's way.
    answer = strict.client.get(request_, headers={"Authorization": f"Bearer {PLAYER}"})
    assert answer.status_code == 401


def test_version_1_needs_no_key_even_so(strict: Playground) -> None:
    assert strict.client.get("/v1/get_player_info?scope=info&id=12").status_code == 200
    assert strict.client.get("/api/get_match?id=64").status_code == 404


def test_too_many_wrong_keys(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, osu_api_v1_key="required", key_failures="3") as client:
        statuses = [client.get(f"/api/get_user?u=3&k={number}").status_code for number in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        answer = client.get("/api/get_user?u=3&k=6")
        assert (answer.json(), int(answer.headers["retry-after"]) > 0) == (TOO_FAST, True)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_key_is_not_needed(on_sqlite: Playground, request_: str) -> None:
    client = on_sqlite.client
    expected = client.get(request_)
    assert expected.status_code == 200
    for key in ("", OF_OSU, PLAYER, RESTRICTED, "x" * 5000):
        answer = client.get(f"{request_}&k={quote(key)}")
        assert (answer.status_code, answer.content) == (200, expected.content)


def remaining(client: httpx2.Client, request_: str) -> int:
    return int(client.get(request_).headers["ratelimit-remaining"])


def test_a_right_key_counts_for_the_rate_limit(recorded_sqlite: str) -> None:
    limits = {"rate_limit": "0.01", "rate_limit_burst": "10", "rate_limit_exempt": ""}
    with service(database_url=recorded_sqlite, **limits) as client:
        assert remaining(client, "/api/get_user?u=3") == 9
        # It is looked up in the background.
        assert remaining(client, f"/api/get_user?u=3&k={PLAYER}&m=1") == 8
        until_looked_up(client)
        assert remaining(client, f"/api/get_user?u=3&k={PLAYER}&m=2") == 9
        assert remaining(client, f"/api//get_replay?k={PLAYER}&s=1") == 8
        assert remaining(client, f"/v1/get_replay?id=1&k={PLAYER}") == 7
        assert remaining(client, f"/api/get_user?u=3&k={OF_OSU}") == 6
        assert remaining(client, f"/api/get_user?u=3&k={OF_OSU}") == 5


def until_looked_up(client: httpx2.Client, times: int = 1) -> None:
    """Wait until a key has been looked up so many times."""
    counted = f'apidot_database_statement_seconds_count{{statement="key_owner"}} {times}.0'
    for _ in range(500):
        if counted in client.get("/metrics").text:
            return
        time.sleep(0.02)
    raise AssertionError(f"no {counted}")


def test_a_key_counts_on_cached_responses_for_as_long_as_it_is_used(recorded_sqlite: str) -> None:
    limits = {"rate_limit": "0.01", "rate_limit_burst": "100", "rate_limit_exempt": ""}
    with service(database_url=recorded_sqlite, **limits) as client:
        assert remaining(client, "/api/get_match?mp=1") == 99
        # From here on, the response comes from the cache.
        assert remaining(client, f"/api/get_match?mp=1&k={PLAYER}") == 98
        until_looked_up(client)
        assert remaining(client, f"/api/get_match?mp=1&k={PLAYER}") == 99


def test_the_cache_has_one_entry_for_all_keys(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite, log_format="json") as (client, process):
        for key in ("", f"&k={PLAYER}", f"&k={OF_OSU}", "&%6b=x", "&k", "&k=1&k=2"):
            client.get(f"/api/get_user?u=50{key}")
        client.get(f"/api/get_scores?k={PLAYER}&b=78")
        client.get("/api/get_scores?b=78")
        metrics = client.get("/metrics").text
        process.stop()
        log = process.output(1000)
    assert log.count('"route":"/api/get_user","cache":"miss"') == 1
    assert log.count('"route":"/api/get_user","cache":"hit"') == 5
    assert log.count('"route":"/api/get_scores","cache":"hit"') == 1
    assert 'apidot_cache_answers_total{cache="hit",route="/api/get_user"} 5.0' in metrics
    for secret in (PLAYER, OF_OSU):
        assert secret not in log


def test_a_key_is_in_no_log(recorded_sqlite: str) -> None:
    settings = {"database_url": recorded_sqlite, "log_level": "debug", "slow_statement": "0.000001"}
    with running(**settings) as (client, process):
        for request_ in REQUESTS:
            for method in ("GET", "HEAD", "POST"):
                client.request(method, f"{request_}&k={PLAYER}")
                client.request(method, request_.replace("?", f"?k={PLAYER}&"))
        process.stop()
        log = process.output(1000)
    assert "get_user_best" in log
    assert PLAYER not in log


def test_requests_that_differ_in_their_keys_are_one_to_the_cache() -> None:
    path = "/api//get_user"
    for query in (b"u=50&m=1", b"u=50&k=x&m=1", b"%6b=y&u=50&m=1"):
        assert _recognised_by({"path": path, "query_string": query}) == (path, b"u=50&m=1")
    # Elsewhere it is any parameter.
    assert _recognised_by({"path": "/v1/get_clan", "query_string": b"k=1"}) == ("/v1/get_clan", b"k=1")


def test_a_query_without_its_key() -> None:
    for query, expected in (
        (b"", b""),
        (b"u=kevin", b"u=kevin"),
        (b"k=1", b""),
        (b"u=1&k=2&m=3", b"u=1&m=3"),
        (b"k=1&u=2&k=3", b"u=2"),
        (b"%6B=1&u=2", b"u=2"),
        (b"u=%6b&k", b"u=%6b"),
        (b"kk=1&K=2", b"kk=1&K=2"),
    ):
        assert without_key(query) == expected
