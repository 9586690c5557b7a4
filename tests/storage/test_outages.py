"""The database or Redis refuses, hangs, lacks a table, comes back: clear answers meanwhile, right ones after."""

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
QUICK = {"db_pool_wait": str(WAIT), "db_statement_timeout": str(STATEMENT), "cache": "off"}
Answer = tuple[int, httpx2.Response, float]  # the player asked about, what came, after how many seconds
NOT_ANSWERED = "The database did not answer."
NOT_IN_TIME = "The database did not answer in time."


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDB]:
    """A MariaDB of its own, with the recorded world in the database `recorded`."""
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
    """Nobody else can read these tables."""
    with closing(mariadbd.connect(server.url + "recorded")) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES " + ", ".join(f"{table} WRITE" for table in tables))
        yield


def info(client: httpx2.Client, player: int) -> httpx2.Response:
    """The name of a player, beside the player's id."""
    return client.get("/v1/get_player_info", params={"scope": "info", "id": player})


def at_once(client: httpx2.Client, players: Iterable[int]) -> list[Answer]:
    """The answers to questions asked at the same time, one about each player."""

    def ask(player: int) -> Answer:
        start = time.monotonic()
        return player, info(client, player), time.monotonic() - start

    players = list(players)
    with ThreadPoolExecutor(len(players)) as pool:
        return list(pool.map(ask, players))


def assert_unavailable(answer: httpx2.Response, *messages: str) -> None:
    """A 503 in JSON that says when to come back."""
    assert answer.status_code == 503
    assert answer.json()["status"] in (messages or (NOT_ANSWERED, NOT_IN_TIME))
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Retry-After"]) > 0


def assert_right(answers: list[Answer], names: dict[int, str]) -> None:
    """Each answer is about the player that was asked for."""
    for player, answer, _ in answers:
        assert answer.status_code == 200, answer.text
        found = answer.json()["player"]["info"]
        assert (found["id"], found["name"]) == (player, names[player])


@pytest.fixture(scope="module")
def names(database: MariaDB) -> dict[int, str]:
    """The players of the recorded world that everybody can see."""
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
        assert_right(at_once(service.client, names), names)
        assert service.process.output().count("the database does not answer") == 1
        assert service.process.output().count("the database answers again") == 1
        assert "Traceback" not in service.process.output()


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_restarted_while_nobody_asked(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver) as service:
        assert_right(at_once(service.client, names), names)
        database.stop()
        database.start()
        assert_right(at_once(service.client, names), names)
        assert "does not answer" not in service.process.output()


@pytest.mark.parametrize("driver", DRIVERS)
def test_service_started_before_its_database(driver: str, database: MariaDB, names: dict[int, str]) -> None:
    database.stop()
    try:
        service = on(database, driver)
        running = service.__enter__()
        assert_unavailable(info(running.client, 3), NOT_ANSWERED)
        assert "database      NOT REACHED" in running.process.output()
    finally:
        database.start()
    try:
        assert_right(at_once(running.client, names), names)
    finally:
        service.__exit__(None, None, None)


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_hung(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver, db_pool_max="4") as service:
        assert_right(at_once(service.client, names), names)
        database.pause()
        time.sleep(0.2)  # until all of its threads have stopped
        try:
            for _, answer, seconds in at_once(service.client, names) + at_once(service.client, [3]):
                assert_unavailable(answer)
                assert seconds < WAIT + STATEMENT + 1 + SLACK
        finally:
            database.resume()
        # What the database answers now, it answers to questions nobody waits for any longer.
        for _ in range(3):
            assert_right(at_once(service.client, names), names)
        assert service.process.output().count("the database does not answer") == 1
        assert "Traceback" not in service.process.output()


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
        assert service.process.output().count("no connection within 0.6 s") == 1


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
                assert cursor.fetchone() == (1,)  # this question itself
        assert service.client.get("/v1/get_score_info?id=1").status_code in (200, 404)
        assert "max_statement_time" in service.process.output()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_table_is_missing(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    mariadbd.execute(database.url + "recorded", "RENAME TABLE clans TO elsewhere")
    try:
        with on(database, driver) as service:
            for _ in range(3):
                assert_unavailable(service.client.get("/v1/get_clan?id=1"), NOT_ANSWERED)
                assert service.client.get("/v1/get_player_count").status_code == 200
            log = service.process.output()
            assert log.count("does not answer") == log.count("the database to clan.sql does not answer") == 1
            assert "Table 'recorded.clans' doesn't exist" in log
            assert "Traceback" not in log
            mariadbd.execute(database.url + "recorded", "RENAME TABLE elsewhere TO clans")
            assert service.client.get("/v1/get_clan?id=1").status_code == 200
            assert "the database to clan.sql answers again" in service.process.output()
    finally:
        if "clans" not in tables(database):
            mariadbd.execute(database.url + "recorded", "RENAME TABLE elsewhere TO clans")


def tables(server: MariaDB) -> set[Any]:
    """The tables of the recorded world."""
    with closing(mariadbd.connect(server.url + "recorded")) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_client_that_leaves_keeps_no_connection(database: MariaDB, driver: str, names: dict[int, str]) -> None:
    with on(database, driver, db_pool_max="1", db_statement_timeout="5") as service:
        with locked(database, "users"):
            for player in (3, 4, 5):
                with pytest.raises(httpx2.ReadTimeout):
                    service.client.get(f"/v1/get_player_info?scope=info&id={player}", timeout=0.2)
        time.sleep(WAIT)
        for _ in range(3):
            assert_right(at_once(service.client, names), names)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_wrong_password_is_not_told(database: MariaDB, driver: str) -> None:
    host = database.url.rpartition("@")[2]
    url = f"{driver}://root:geheim%40%25@{host}recorded"
    with running(database_url=url, redis_url="redis://u:geheim2@127.0.0.1:1/0", **QUICK) as service:
        assert_unavailable(info(service.client, 3), NOT_ANSWERED)
        log = service.process.output()
        assert "Access denied" in log
        assert "geheim" not in log
        assert "NOT REACHED" in log


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_list_is_counted_again_as_soon_as_that_is_possible(database: MariaDB, driver: str) -> None:
    with on(database, driver) as service:
        with locked(database, "clans"):
            answer = service.client.get("/v2/clans")
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        assert answer.json()["error"] in (NOT_ANSWERED, NOT_IN_TIME)
        assert answer.headers["Retry-After"] == "2"
        time.sleep(1.1)
        assert service.client.get("/v2/clans").json()["meta"]["total"] == 6
