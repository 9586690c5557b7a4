"""Liveness and readiness while dependencies become unavailable and available again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from redis import Redis as RedisClient

from config.version import VERSION
from tests.conftest import ServiceClient, running, service
from tests.support import conformance, mariadbd, pp_engine, servers
from tests.support.game_server import DOMAIN, GameServer, game_server
from tests.support.servers import MariaDB, Redis

WAIT = 0.5
CACHED = 2.2  # seconds: how long the state of a dependency is cached, and a little more
MAX_SECONDS = 2.9
RECOVERY = 3.0  # seconds until the database is asked again, and a little more


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDB]:
    """A MariaDB for tests that stop it."""
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """A Redis with the recorded ranks, for tests that stop it."""
    with servers.redis(private=True) as server:
        conformance.load_ranks(server.url)
        yield server


@pytest.fixture
def live() -> Iterator[GameServer]:
    with game_server() as running:
        yield running


@pytest.fixture
def client(database: MariaDB, redis: Redis, live: GameServer) -> Iterator[ServiceClient]:
    settings = {
        "database_url": f"{database.url}recorded",
        "redis_url": redis.url,
        "game_server_url": live.url,
        "domain": DOMAIN,
        "data_directory": str(conformance.WORLD),
        "db_pool_wait": str(WAIT),
        "db_statement_timeout": str(WAIT),
    }
    with service(**settings) as running:
        yield running


def ready(client: ServiceClient) -> tuple[int, str, dict[str, Any]]:
    """Return the HTTP status, the overall status, and the state of each dependency."""
    start = time.monotonic()
    answer = client.get("/health/ready")
    assert time.monotonic() - start < MAX_SECONDS
    body = answer.json()
    return (
        answer.status_code,
        body["status"],
        {name: dependency["state"] for name, dependency in body["neighbours"].items()},
    )


def states(**changes: str) -> dict[str, str]:
    up = dict.fromkeys(("database", "redis", "game_server", "replays"), "up")
    return up | {"pp_engine": "up" if pp_engine.installed() else "off"} | changes


def settled(client: ServiceClient) -> tuple[int, str, dict[str, Any]]:
    """Return the same once the pp engine was started and the cached states have expired."""
    client.advance(CACHED)
    return ready(client)


def settled_at(client: ServiceClient, status: int) -> tuple[int, str, dict[str, Any]]:
    """Return the same once the status is this one, or after some seconds."""
    deadline = time.monotonic() + RECOVERY
    while (state := settled(client))[0] != status and time.monotonic() < deadline:
        time.sleep(0.1)
    return state


def test_all_is_well(client: ServiceClient) -> None:
    ready(client)
    assert settled(client) == (200, "ready", states())
    assert client.get("/health/ready").json()["version"] == VERSION
    assert client.head("/health/ready").status_code == 200
    assert client.post("/health/ready").status_code == 405


def test_dependencies_become_unavailable_and_recover(
    client: ServiceClient, database: MariaDB, redis: Redis, live: GameServer
) -> None:
    ready(client)
    redis.stop()
    try:
        assert settled(client) == (200, "degraded", states(redis="down"))
        answer = client.get("/health/ready").json()["neighbours"]["redis"]
        assert answer == {"state": "down", "meanwhile": "ranks are counted in the database"}
    finally:
        redis.start()
    live.stop()
    assert settled(client) == (200, "degraded", states(game_server="down"))
    live.start()
    assert settled(client) == (200, "ready", states())
    database.stop()
    try:
        assert settled(client) == (503, "unavailable", states(database="down"))
        answered = client.get("/health/ready")
        assert int(answered.headers["Retry-After"]) > 0
        alive = client.get("/health/live")
        assert (alive.status_code, alive.json()) == (200, {"status": "alive", "version": VERSION})
    finally:
        database.start()
    assert settled_at(client, 200) == (200, "ready", states())


def test_dependencies_that_hang(client: ServiceClient, database: MariaDB, redis: Redis, live: GameServer) -> None:
    ready(client)
    live.mode = "hung"
    redis.pause()
    try:
        assert settled(client) == (200, "degraded", states(redis="down", game_server="down"))
    finally:
        redis.resume()
        live.mode = "up"
    assert settled(client) == (200, "ready", states())
    database.pause()
    try:
        client.advance(CACHED)
        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(lambda _: ready(client), range(20)))
        assert {status for status, _, _ in results} == {503}
    finally:
        database.resume()
    assert settled_at(client, 200)[0] == 200


def test_a_redis_without_leaderboards_degrades_the_service(client: ServiceClient, redis: Redis) -> None:
    ready(client)
    assert settled(client) == (200, "ready", states())
    with closing(RedisClient.from_url(redis.url)) as ranks:
        ranks.delete("bancho:leaderboard:0")
        try:
            assert settled(client) == (200, "degraded", states(redis="down"))
            answer = client.get("/health/ready").json()["neighbours"]["redis"]
            assert answer == {"state": "down", "meanwhile": "ranks in some modes are counted in the database"}
        finally:
            ranks.flushdb()
            conformance.load_ranks(redis.url)
    assert settled(client) == (200, "ready", states())


def test_many_readiness_checks_query_the_database_once(client: ServiceClient, database: MariaDB) -> None:
    ready(client)
    with closing(mariadbd.connect(database.url)) as connection, connection.cursor() as cursor:

        def selects() -> int:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
            row = cursor.fetchone()
            assert row
            return int(row[1])

        before, start = selects(), time.monotonic()
        with ThreadPoolExecutor(20) as pool:
            assert {status for status, _, _ in pool.map(lambda _: ready(client), range(200))} == {200}
        assert selects() - before <= 1 + (time.monotonic() - start) / 2


def test_a_database_without_the_tables_is_not_ready(database: MariaDB) -> None:
    with running(database_url=database.database("nothing")) as (client, process):
        assert ready(client)[:2] == (503, "unavailable")
        assert "it has none of the game server's tables (is DB_NAME right?)" in process.output()
        assert "(Table 'nothing.clans' doesn't exist (1146))" in process.output()


def test_addresses_and_secrets_are_not_disclosed(database: MariaDB) -> None:
    url = "mysql://root:geheim@127.0.0.1:1/recorded"
    settings = {"database_url": url, "redis_url": "redis://u:geheim@127.0.0.1:1/0", "data_directory": "/nowhere"}
    with service(**settings, game_server_url="http://127.0.0.1:1", db_pool_wait=str(WAIT)) as client:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        for secret in ("geheim", "127.0.0.1", "root", "recorded", "nowhere"):
            assert secret not in answer.text


def test_dependencies_that_are_not_configured_do_not_degrade_the_service(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite, data_directory=str(conformance.WORLD)) as client:
        ready(client)
        assert settled(client) == (200, "ready", states(redis="off", game_server="off"))
