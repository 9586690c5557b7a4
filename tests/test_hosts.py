"""Several hosts with one database and one Redis: changes, rate limits and wrong API keys count at all of them.

Each host is a service of its own.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import PLAYER, ServiceClient, service, signed
from tests.support import conformance, servers
from tests.support.servers import Redis

ABOUT = "/v1/get_player_info?scope=info&id=12"
QUICK = {"redis_timeout": "0.4"}


@pytest.fixture
def redis() -> Iterator[Redis]:
    with servers.redis(private=True) as redis:
        yield redis


@contextmanager
def hosts(folder: Path, redis: Redis, **settings: str) -> Iterator[list[ServiceClient]]:
    """Run two services on one database, and yield a client of each."""
    url = f"sqlite:///{folder / 'world.sqlite'}"
    conformance.load(url)
    with ExitStack() as running:
        yield [
            running.enter_context(service(database_url=url, redis_url=redis.url, **(QUICK | settings)))
            for _ in range(2)
        ]


def change(host: ServiceClient, text: str) -> None:
    answer = host.put("/v1/set_player_info", json={"userpage_content": text}, headers=signed(PLAYER))
    assert answer.status_code == 200, answer.text


def shown(host: ServiceClient) -> object:
    return host.get(ABOUT).json()["player"]["info"]["userpage_content"]


def test_a_change_at_one_host_is_seen_at_the_other(tmp_path: Path, redis: Redis) -> None:
    with hosts(tmp_path, redis) as (a, b):
        wait_until_cached(b)
        old = 0
        for number in range(40):
            shown(b)
            change(a, f"page {number}")
            time.sleep(0.05)
            old += shown(b) != f"page {number}"
        assert old == 0
        # It is cached nevertheless.
        wait_until_cached(b)


@pytest.mark.parametrize("away", ["stopped", "hung"])
def test_no_old_profile_is_shown_while_redis_is_away(tmp_path: Path, redis: Redis, away: str) -> None:
    with hosts(tmp_path, redis) as (a, b):
        wait_until_cached(b)
        shown(b)
        (redis.stop if away == "stopped" else redis.pause)()
        try:
            for number in range(5):
                change(a, f"page {number}")
                assert shown(b) == f"page {number}"
        finally:
            (redis.start if away == "stopped" else redis.resume)()
        wait_until_cached(b)
        change(a, "the end")
        time.sleep(0.05)
        assert shown(b) == "the end"


def wait_until_cached(host: ServiceClient) -> None:
    """Wait until the host is subscribed to changes, and so keeps profiles."""
    deadline = time.monotonic() + 20
    while "Age" not in host.get(ABOUT).headers:
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_rate_limits_are_counted_at_all_hosts(tmp_path: Path, redis: Redis) -> None:
    settings = {"rate_limit": "0.01", "rate_limit_burst": "50", "rate_limit_exempt": ""}
    with hosts(tmp_path, redis, **settings) as both:
        statuses = [both[number % 2].get("/v1/get_player_count").status_code for number in range(120)]
    assert statuses.count(200) == 50
    assert statuses.count(429) == 70


def test_wrong_keys_are_counted_at_all_hosts(tmp_path: Path, redis: Redis) -> None:
    with hosts(tmp_path, redis) as both:

        def tried(host: ServiceClient, key: str) -> int:
            return host.get("/v1/get_friends", headers=signed(key)).status_code

        statuses = [tried(both[number % 2], f"wrong {number}") for number in range(30)]
        assert statuses == [401] * 20 + [429] * 10
        assert both[0].get("/v1/get_friends", headers=signed("wrong")).headers["Retry-After"] in ("59", "60")
        redis.stop()
        # Each host counts by itself, from now on.
        assert [tried(both[1], f"other {number}") for number in range(25)] == [401] * 20 + [429] * 5
        redis.start()


def test_one_wrong_key_is_counted_at_all_hosts(tmp_path: Path, redis: Redis) -> None:
    with hosts(tmp_path, redis) as both:
        statuses = [
            both[number % 2].get("/v1/get_friends", headers=signed("outdated")).status_code for number in range(30)
        ]
        assert statuses == [401] * 20 + [429] * 10
        # A key that is not known yet may still be tried from there.
        assert both[0].get("/v1/get_friends", headers=signed(PLAYER)).status_code == 200
