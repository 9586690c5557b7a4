"""The database refuses connections, hangs, or lacks a table: clear 503s meanwhile, right responses afterwards."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import httpx2
import pytest

from tests.conftest import Running, running
from tests.support import conformance, mariadbd, servers
from tests.support.servers import MariaDB

DRIVERS = ("mysql", "mysql+asyncmy")
WAIT, STATEMENT = 0.6, 0.6
SLACK = 0.9  # for a busy machine
RECOVERY = 2 + SLACK  # until the first answer, once the database answers again
QUICK = {"db_pool_wait": str(WAIT), "db_statement_timeout": str(STATEMENT), "cache": "off"}
Answer = tuple[int, httpx2.Response, float]  # id of the player, response, seconds it took
NOT_ANSWERED = "The database did not answer."
NOT_IN_TIME = "The database did not answer in time."


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDB]:
    """A MariaDB for this file alone, with the recorded world in the database `recorded`."""
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        yield server


@contextmanager
def on(server: MariaDB, driver: str, **settings: str) -> Iterator[Running]:
    """A service on the recorded world of `server`."""
    url = server.url.replace("mysql://", f"{driver}://") + "recorded"
    with running(database_url=url, **(QUICK | settings)) as service:
        yield service


@contextmanager
def locked(server: MariaDB, *tables: str) -> Iterator[None]:
    """Keep everybody else from reading these tables."""
    with closing(mariadbd.connect(server.url + "recorded")) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES " + ", ".join(f"{table} WRITE" for table in tables))
        yield


def info(client: httpx2.Client, player: int) -> httpx2.Response:
    return client.get("/v1/get_player_info", params={"scope": "info", "id": player})


def at_once(client: httpx2.Client, players: Iterable[int]) -> list[Answer]:
    """Request the info of each player at the same time."""

    def ask(player: int) -> Answer:
        start = time.monotonic()
        return player, info(client, player), time.monotonic() - start

    players = list(players)
    with ThreadPoolExecutor(len(players)) as pool:
        return list(pool.map(ask, players))


def assert_unavailable(answer: httpx2.Response, *messages: str) -> None:
    """Assert that it is a 503 in JSON that says when to retry."""
    assert answer.status_code == 503
    assert answer.json()["status"] in (messages or (NOT_ANSWERED, NOT_IN_TIME))
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Retry-After"]) > 0


def recovered(client: httpx2.Client) -> None:
    """Wait until requests are answered again. Fail if that takes longer than operators are told."""
    deadline = time.monotonic() + RECOVERY
    while info(client, 3).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_right(answers: list[Answer], names: dict[int, str]) -> None:
    """Assert that each response is about the player requested."""
    for player, answer, _ in answers:
        assert answer.status_code == 200, answer.text
        returned = answer.json()["player"]["info"]
        assert (returned["id"], returned["name"]) == (player, names[player])


@pytest.fixture(scope="module")
def names(database: MariaDB) -> dict[int, str]:
    """Names of visible players of the recorded world, by id."""
    with closing(mariadbd.connect(database.url + "recorded")) as connection, connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4")
        cursor.execute("SELECT id, name FROM users WHERE priv & 3 = 3 ORDER BY id LIMIT 12")
        return dict(cursor.fetchall())


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_stopped_and_started(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver) as service:
        assert_right(at_once(service.client, names), names)
        database.stop()
        try:
            for _, answer, seconds in at_once(service.client, names) + at_once(service.client, names):
                assert_unavailable(answer, NOT_ANSWERED)
                assert seconds < WAIT + STATEMENT + 1 + SLACK
        finally:
            database.start()
        recovered(service.client)
        assert_right(at_once(service.client, names), names)
        assert service.process.output(10_000).count("the database does not answer") == 1
        assert service.process.output(10_000).count("the database answers again") == 1
        assert "Traceback" not in service.process.output(10_000)


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_restarted_between_requests(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver) as service:
        assert_right(at_once(service.client, names), names)
        database.stop()
        database.start()
        assert_right(at_once(service.client, names), names)
        assert "does not answer" not in service.process.output(10_000)


@pytest.mark.parametrize("driver", DRIVERS)
def test_service_started_before_its_database(driver: str, database: MariaDB, names: dict[int, str]) -> None:
    database.stop()
    try:
        service = on(database, driver)
        running = service.__enter__()
        assert_unavailable(info(running.client, 3), NOT_ANSWERED)
        assert "database      NOT REACHED" in running.process.output(10_000)
    finally:
        database.start()
    try:
        recovered(running.client)
        assert_right(at_once(running.client, names), names)
    finally:
        service.__exit__(None, None, None)


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_hung(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver, db_pool_max="4") as service:
        assert_right(at_once(service.client, names), names)
        database.pause()
        try:
            for _, answer, seconds in at_once(service.client, names) + at_once(service.client, [3]):
                assert_unavailable(answer)
                assert seconds < WAIT + STATEMENT + 1 + SLACK
        finally:
            database.resume()
        # The database now sends the results of statements that have timed out: they must not reach anybody.
        recovered(service.client)
        for _ in range(3):
            assert_right(at_once(service.client, names), names)
        assert service.process.output(10_000).count("the database does not answer") == 1
        assert "Traceback" not in service.process.output(10_000)


@pytest.mark.parametrize("driver", DRIVERS)
def test_kept_answers_come_at_once_after_the_first(database: MariaDB, driver: str) -> None:
    paths = [f"/v1/get_player_info?scope=info&id={player}" for player in (3, 4, 5)]
    with on(database, driver, cache="on") as service:
        fresh = [service.client.get(path).json() for path in paths]
        service.client.advance(10)
        database.pause()
        try:
            # The first waits for its statement, and nobody else does.
            for number, path in enumerate([paths[0], *paths, *paths]):
                start = time.monotonic()
                answer = service.client.get(path)
                assert time.monotonic() - start < (STATEMENT + 1 + SLACK if number == 0 else SLACK)
                assert (answer.status_code, answer.json()) == (200, fresh[paths.index(path)])
                assert int(answer.headers["Age"]) >= 10
        finally:
            database.resume()
        deadline = time.monotonic() + RECOVERY
        while "Age" in service.client.get(paths[0]).headers:
            assert time.monotonic() < deadline
            service.client.advance(2)
            time.sleep(0.05)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_hung_database_does_not_delay_the_stop(database: MariaDB, driver: str) -> None:
    with on(database, driver, db_pool_wait="60", db_statement_timeout="60") as service:
        assert info(service.client, 3).status_code == 200
        database.pause()
        try:
            with ThreadPoolExecutor(3) as other:
                # One waits for its statement, the others for connections.
                waiting = [other.submit(info, service.client, player) for player in (3, 4, 5)]
                time.sleep(0.5)
                start = time.monotonic()
                assert service.process.stop(20) == 0
                # uvicorn waits for requests in flight, 10 s at the most.
                assert time.monotonic() - start < 10 + 1 + SLACK
                for request in waiting:
                    assert request.exception() or request.result().status_code >= 500
        finally:
            database.resume()
        assert "stopped; requests in flight" in service.process.output(10_000)


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_free_connection(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver, db_pool_max="1", db_statement_timeout="5") as service:
        with ThreadPoolExecutor(1) as other:
            with locked(database, "scores"):
                slow = other.submit(service.client.get, "/v1/get_score_info?id=1")
                time.sleep(0.3)
                for _, answer, seconds in at_once(service.client, names):
                    assert_unavailable(answer, NOT_IN_TIME)
                    assert WAIT * 0.8 < seconds < WAIT + SLACK
                assert not slow.done()
            assert slow.result().status_code in (200, 404)
            assert_right(at_once(service.client, names), names)
        assert service.process.output(10_000).count("no connection within 0.6 s") == 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_server_itself_ends_a_slow_statement(database: MariaDB, driver: str) -> None:
    with on(database, driver) as service:
        with locked(database, "scores"):
            start = time.monotonic()
            assert_unavailable(service.client.get("/v1/get_score_info?id=1"))
            assert STATEMENT * 0.8 < time.monotonic() - start < STATEMENT + SLACK
            with closing(mariadbd.connect(database.url)) as connection, connection.cursor() as cursor:
                cursor.execute(
                    "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%scores s%u.name%'"
                )
                assert cursor.fetchone() == (1,)  # this statement itself
        assert service.client.get("/v1/get_score_info?id=1").status_code in (200, 404)
        assert "max_statement_time" in service.process.output(10_000)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_table_is_missing(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    mariadbd.execute(database.url + "recorded", "RENAME TABLE clans TO elsewhere")
    try:
        with on(database, driver) as service:
            for _ in range(3):
                assert_unavailable(service.client.get("/v1/get_clan?id=1"), NOT_ANSWERED)
                assert service.client.get("/v1/get_player_count").status_code == 200
            log = service.process.output(10_000)
            # The start has found it too.
            for statement in ("ping", "clan"):
                assert log.count(f"the database to {statement}.sql does not answer") == 1
            assert log.count("does not answer") == 2
            assert "Table 'recorded.clans' doesn't exist" in log
            assert "Traceback" not in log
            mariadbd.execute(database.url + "recorded", "RENAME TABLE elsewhere TO clans")
            assert service.client.get("/v1/get_clan?id=1").status_code == 200
            assert "the database to clan.sql answers again" in service.process.output(10_000)
    finally:
        if "clans" not in tables(database):
            mariadbd.execute(database.url + "recorded", "RENAME TABLE elsewhere TO clans")


def tables(server: MariaDB) -> set[Any]:
    with closing(mariadbd.connect(server.url + "recorded")) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_client_that_disconnects_keeps_no_connection(
    database: MariaDB, driver: str, names: dict[int, str]
) -> None:
    with on(database, driver, db_pool_max="1", db_statement_timeout="5") as service:
        with locked(database, "users"):
            for player in (3, 4, 5):
                with pytest.raises(httpx2.ReadTimeout):
                    service.client.get(f"/v1/get_player_info?scope=info&id={player}", timeout=0.2)
        time.sleep(WAIT)
        for _ in range(3):
            assert_right(at_once(service.client, names), names)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_wrong_password_is_not_logged(database: MariaDB, driver: str) -> None:
    host = database.url.rpartition("@")[2]
    url = f"{driver}://root:geheim%40%25@{host}recorded"
    with running(database_url=url, redis_url="redis://u:geheim2@127.0.0.1:1/0", **QUICK) as service:
        assert_unavailable(info(service.client, 3), NOT_ANSWERED)
        log = service.process.output(10_000)
        assert "Access denied" in log
        assert "geheim" not in log
        assert "NOT REACHED" in log


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_failed_count_is_not_cached(database: MariaDB, driver: str) -> None:
    with on(database, driver) as service:
        with locked(database, "clans"):
            answer = service.client.get("/v2/clans")
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        assert answer.json()["error"] in (NOT_ANSWERED, NOT_IN_TIME)
        assert answer.headers["Retry-After"] == "2"
        service.client.advance(1.1)
        assert service.client.get("/v2/clans").json()["meta"]["total"] == 6
