"""Ranks are the same from Redis and from the database, whatever happens to Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx2
import pytest
from redis import Redis as RedisClient

from tests.conftest import Recorded, Running, running
from tests.support import conformance, mariadbd, servers
from tests.support.servers import Redis

Ranks = dict[tuple[int, str], tuple[int, int]]


@pytest.fixture(scope="module")
def own_redis() -> Iterator[Redis]:
    """A Redis for this file alone, with the recorded ranks."""
    with servers.redis(private=True) as server:
        conformance.load_ranks(server.url)
        yield server


@pytest.fixture(scope="module")
def beside_redis(own_redis: Redis, recorded_mysql: str) -> Iterator[Running]:
    """A service that takes ranks from that Redis."""
    with running(cache="off", database_url=recorded_mysql, redis_url=own_redis.url, redis_timeout="1") as service:
        yield service


@pytest.fixture(scope="module")
def players(recorded_mysql: str) -> list[int]:
    """The ids of all players, hidden ones included."""
    with closing(mariadbd.connect(recorded_mysql)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM users WHERE id > 2 ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def counted(recorded_mysql: str, players: list[int]) -> Ranks:
    """The ranks as the database counts them."""
    with running(cache="off", database_url=recorded_mysql) as service:
        return ranks(service.client, players)


def ranks(client: httpx2.Client, players: list[int]) -> Ranks:
    """Return the rank in the world and in the country, by player and mode."""

    def ask(player: int) -> dict[str, Any]:
        answer = client.get("/v1/get_player_info", params={"scope": "stats", "id": player})
        assert answer.status_code in (200, 404)
        stats: dict[str, Any] = answer.json().get("player", {}).get("stats", {})
        return stats

    with ThreadPoolExecutor(8) as pool:
        by_player = dict(zip(players, pool.map(ask, players), strict=True))
    return {
        (player, mode): (row["rank"], row["country_rank"])
        for player in players
        for mode, row in by_player[player].items()
    }


def test_from_redis_and_from_the_database(beside_redis: Running, counted: Ranks, players: list[int]) -> None:
    from_redis = ranks(beside_redis.client, players)
    assert from_redis == counted
    assert {mode for _, mode in counted} == {"0", "1", "2", "3", "4", "5", "6", "8"}
    assert sum(world > 0 for world, _ in counted.values()) > 100
    assert any(world > country > 0 for world, country in counted.values())


def test_from_every_database(recorded: Recorded, counted: Ranks, players: list[int]) -> None:
    assert ranks(recorded.client, players) == counted


def test_ranks_come_from_redis(beside_redis: Running, own_redis: Redis, counted: Ranks) -> None:
    # Otherwise the tests above would compare the database with itself.
    player, mode = next(key for key, (world, _) in counted.items() if world > 1)
    board = f"bancho:leaderboard:{mode}"
    with closing(RedisClient.from_url(own_redis.url)) as client:
        pp = client.zscore(board, str(player))
        client.zadd(board, {str(player): 1e9})
        try:
            assert ranks(beside_redis.client, [player])[player, mode][0] == 1
        finally:
            client.zadd(board, {str(player): pp or 0})


def test_stopped_and_started(beside_redis: Running, own_redis: Redis, counted: Ranks, players: list[int]) -> None:
    before = log(beside_redis)
    own_redis.stop()
    try:
        assert ranks(beside_redis.client, players) == counted
    finally:
        own_redis.start()
    assert ranks(beside_redis.client, players) == counted
    assert log(beside_redis) == (before[0] + 1, before[1] + 1)


def test_restarted_between_requests(beside_redis: Running, own_redis: Redis, players: list[int]) -> None:
    ranks(beside_redis.client, players)
    before = log(beside_redis)
    own_redis.stop()
    own_redis.start()
    ranks(beside_redis.client, players)
    assert log(beside_redis) == before


def test_hung(beside_redis: Running, own_redis: Redis, counted: Ranks, players: list[int]) -> None:
    before = log(beside_redis)
    some = players[:8]
    expected = {key: value for key, value in counted.items() if key[0] in some}
    own_redis.pause()
    try:
        assert ranks(beside_redis.client, some) == expected
    finally:
        own_redis.resume()
    # Redis now answers commands that have timed out: those answers must not reach anybody.
    for _ in range(3):
        assert ranks(beside_redis.client, players) == counted
    assert log(beside_redis) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("login", ["user:geheim@", ":geheim@", "default:geheim@"])
def test_wrong_password(
    recorded_mysql: str, own_redis: Redis, counted: Ranks, players: list[int], login: str
) -> None:
    with closing(RedisClient.from_url(own_redis.url)) as client:
        client.config_set("requirepass", "right")
        try:
            url = own_redis.url.replace("redis://", f"redis://{login}")
            with running(cache="off", database_url=recorded_mysql, redis_url=url) as service:
                assert ranks(service.client, players[:16]) == {
                    k: v for k, v in counted.items() if k[0] in players[:16]
                }
                assert log(service) == (1, 0)
                assert "Redis NOT REACHED" in service.process.output()
                assert "geheim" not in service.process.output()
        finally:
            client.config_set("requirepass", "")


def log(service: Running) -> tuple[int, int]:
    """Return how often the log says that Redis went down, and that it came back."""
    text = service.process.log.read_text()
    return text.count("Redis does not answer"), text.count("Redis answers again")
