"""The servers the tests stand on answer, can be taken down, and keep their data."""

from collections.abc import Iterator
from contextlib import closing

import pymysql
import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis as RedisClient
from redis import TimeoutError as RedisTimeoutError

from tests.support.mariadbd import connect, execute
from tests.support.servers import MariaDB, Redis, mariadb, redis


@pytest.fixture(scope="module")
def database_server() -> Iterator[MariaDB]:
    with mariadb(private=True) as server:
        yield server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Redis]:
    with redis(private=True) as server:
        yield server


def value(url: str, statement: str, timeout: float = 30) -> object:
    with closing(connect(url, timeout=timeout)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row and row[0]


def databases(server: MariaDB) -> set[str]:
    with closing(connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        return {name for (name,) in cursor.fetchall()}


def test_mariadb_answers(database_server: MariaDB) -> None:
    url = database_server.database("answers")

    assert str(value(url, "SELECT VERSION()")).startswith(("10.", "11.", "12.", "8.", "9."))
    assert value(url, "SELECT @@character_set_database") == "utf8mb4"


def test_a_database_is_empty_each_time(database_server: MariaDB) -> None:
    execute(database_server.database("again"), "CREATE TABLE players (id INT)")

    url = database_server.database("again")

    assert value(url, "SHOW TABLES") is None
    with pytest.raises(ValueError, match="not a name"):
        database_server.database("again; DROP DATABASE mysql")


def test_another_mariadb_leaves_temporary_tables_alone(database_server: MariaDB) -> None:
    with closing(connect(database_server.database("temporary"))) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE players (id INT) ENGINE=MyISAM")
        with mariadb(private=True) as other:
            assert value(other.url, "SELECT 1") == 1
        cursor.execute("INSERT INTO players VALUES (7)")
        cursor.execute("DROP TABLE players")


def test_mariadb_keeps_its_data_when_taken_down(database_server: MariaDB) -> None:
    url = database_server.database("outage")
    execute(url, "CREATE TABLE players (name TEXT)", "INSERT INTO players VALUES ('Björn')")

    database_server.stop()
    with pytest.raises(pymysql.OperationalError, match="Connection refused"):
        connect(url)
    database_server.start()

    assert value(url, "SELECT name FROM players") == "Björn"


def test_mariadb_hangs_while_paused(database_server: MariaDB) -> None:
    database_server.pause()
    with pytest.raises(pymysql.OperationalError, match="timed out"):
        connect(database_server.url, timeout=0.2)
    database_server.resume()

    assert value(database_server.url, "SELECT 1") == 1


def test_a_paused_server_can_be_stopped(database_server: MariaDB) -> None:
    database_server.pause()
    database_server.stop()
    database_server.start()

    assert value(database_server.url, "SELECT 1") == 1


def test_mariadb_takes_options() -> None:
    with mariadb(options=["--max-connections=12"], environ={"TEST_DATABASE_URL": "mysql://nowhere/"}) as server:
        assert value(server.url, "SELECT @@max_connections") == 12


def test_a_borrowed_mariadb_is_left_as_it_was(database_server: MariaDB) -> None:
    before = databases(database_server)

    with mariadb(environ={"TEST_DATABASE_URL": database_server.url}) as borrowed:
        url = borrowed.database("world")
        assert (databases(database_server) - before).pop().startswith("apidot_test_")
        assert value(url, "SELECT DATABASE()") != "world"
        with pytest.raises(RuntimeError, match="private=True"):
            borrowed.stop()

    assert databases(database_server) == before


def test_redis_keeps_its_data_when_taken_down(redis_server: Redis) -> None:
    with closing(RedisClient.from_url(redis_server.url, decode_responses=True)) as client:
        client.zadd("bancho:leaderboard:0", {"1001": 727.5})
        redis_server.stop()
        with pytest.raises(RedisConnectionError):
            client.ping()
        redis_server.start()
        assert client.zscore("bancho:leaderboard:0", "1001") == 727.5
        client.flushdb()


def test_redis_hangs_while_paused(redis_server: Redis) -> None:
    with closing(RedisClient.from_url(redis_server.url, socket_timeout=0.2, retry=None)) as client:
        redis_server.pause()
        with pytest.raises(RedisTimeoutError):
            client.ping()
        redis_server.resume()
    with closing(RedisClient.from_url(redis_server.url)) as client:
        assert client.ping()


def test_a_borrowed_redis_is_empty_before_and_after(redis_server: Redis) -> None:
    environ = {"TEST_REDIS_URL": redis_server.url}
    with closing(RedisClient.from_url(redis_server.url)) as client:
        with redis(environ=environ):
            client.set("key", "value")
        assert client.dbsize() == 0

        client.set("key", "somebody else's")
        with pytest.raises(RuntimeError, match="name an empty one"), redis(environ=environ):
            pass
        assert client.get("key") == b"somebody else's"
        client.flushdb()
