"""What the start, /health/ready and `check` say about tables that cannot be read, and about the pp engine."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.startup import startup_report
from config.settings import Settings
from storage.database import catalogue
from storage.pp.engine import interpreter
from tests.conftest import running, service
from tests.support import conformance, mariadbd, pp_engine
from tests.support.checks import check, settings_of
from tests.support.servers import MariaDB

USER = "partly@'127.0.0.1'"
PROFILE = "/v1/get_player_info?scope=all&id=3"


@pytest.fixture(scope="module")
def world(mariadb: MariaDB) -> str:
    """A database with the recorded world."""
    url = mariadb.database("partly_readable")
    conformance.load(url)
    return url


@contextmanager
def reader(url: str, *tables: str) -> Iterator[str]:
    """Yield the URL of the database for a user who may read these tables only."""
    name = url.rpartition("/")[2]
    mariadbd.execute(url, f"DROP USER IF EXISTS {USER}", f"CREATE USER {USER} IDENTIFIED BY 'geheim'")
    mariadbd.execute(url, *(f"GRANT SELECT ON {name}.{table} TO {USER}" for table in tables))
    try:
        yield f"mysql://partly:geheim@{url.rpartition('@')[2]}"
    finally:
        mariadbd.execute(url, f"DROP USER {USER}")


def started(folder: Path, **settings: str) -> str:
    """Return the line of the start report about the database."""
    lines = asyncio.run(startup_report(settings_of(folder, **settings)))
    return next(line for line in lines if line.startswith("database "))


def ready(**settings: str) -> tuple[int, str, dict[str, Any]]:
    """Return the HTTP status, the overall status, and the state of the database."""
    with service(**settings) as client:
        answer = client.get("/health/ready")
        body = answer.json()
        return answer.status_code, body["status"], body["neighbours"]["database"]


def test_a_database_without_tables(mariadb: MariaDB, tmp_path: Path) -> None:
    empty, other = mariadb.database("empty"), mariadb.database("another_program")
    mariadbd.execute(other, *(f"CREATE TABLE wp_{name} (id int)" for name in ("posts", "users")))
    for url in (empty, other, empty.replace("mysql://", "mysql+asyncmy://")):
        assert "has none of the game server's tables (is DB_NAME right?)" in started(tmp_path, database_url=url)
        assert ready(database_url=url)[:2] == (503, "unavailable")
        assert check(tmp_path, database_url=url).codes("schema") == {"schema.no-tables": "error"}


def test_an_sqlite_file_without_tables(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.sqlite").execute("CREATE TABLE users (name text)").connection.close()
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    assert "tables clans, maps, " in started(tmp_path, database_url=url)
    assert ready(database_url=url)[:2] == (503, "unavailable")


@pytest.mark.parametrize("tables", [("users",), ("users", "stats", "scores", "clans")])
def test_a_user_who_may_not_read_what_most_requests_need(
    world: str, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    with reader(world, *tables) as url:
        report = started(tmp_path, database_url=url)
        denied = ", ".join(sorted(catalogue.columns_needed().keys() - set(tables)))
        assert f"its user may not read {denied};" in report
        assert "missing" not in report
        assert ready(database_url=url)[:2] == (503, "unavailable")
        assert check(tmp_path, database_url=url).codes("schema") == {"schema.no-grant": "error"}


def test_a_user_who_may_not_read_what_some_requests_need(world: str, tmp_path: Path) -> None:
    with reader(world, *(catalogue.columns_needed().keys() - {"ratings", "tourney_pools"})) as url:
        assert "its user may not read ratings, tourney_pools;" in started(tmp_path, database_url=url)
        state = {"state": "up", "meanwhile": "what needs all of ratings, tourney_pools is answered with 503"}
        assert ready(database_url=url) == (200, "degraded", state)
        with service(database_url=url) as client:
            assert client.get(PROFILE).status_code == 200
            assert client.get("/v1/get_mappool?id=1").status_code == 503


@pytest.mark.parametrize(
    ("table", "status", "overall"), [("scores", 503, "unavailable"), ("relationships", 200, "degraded")]
)
def test_a_missing_table(world: str, tmp_path: Path, table: str, status: int, overall: str) -> None:
    mariadbd.execute(world, f"RENAME TABLE {table} TO away")
    try:
        assert f"tables {table} are missing;" in started(tmp_path, database_url=world)
        assert ready(database_url=world)[:2] == (status, overall)
        assert check(tmp_path, database_url=world).codes("schema") == {"schema.table-missing": "error"}
    finally:
        mariadbd.execute(world, f"RENAME TABLE away TO {table}")
    assert ready(database_url=world)[0] == 200


def test_a_missing_column(world: str, tmp_path: Path) -> None:
    mariadbd.execute(world, "ALTER TABLE stats RENAME COLUMN replay_views TO away")
    try:
        report = started(tmp_path, database_url=world)
        assert "not all columns of stats can be read (Unknown column 't.replay_views'" in report
        state = {"state": "up", "meanwhile": "what needs all of stats is answered with 503"}
        assert ready(database_url=world) == (200, "degraded", state)
    finally:
        mariadbd.execute(world, "ALTER TABLE stats RENAME COLUMN away TO replay_views")


def test_readiness_does_not_fill_the_log(world: str) -> None:
    with reader(world, "users") as url, running(database_url=url) as (client, process):
        for _ in range(4):
            assert client.get("/health/ready").status_code == 503
            client.advance(2.2)
        log = process.output(500).partition("is ready")[2]
        assert log.count("level=warning") == log.count("the database to ping.sql does not answer") == 1


@pytest.mark.parametrize(
    ("python", "code", "level", "said"),
    [
        pp_engine.param("", "pp-engine.starts", "ok", "starts", needed=True),
        pp_engine.param(interpreter(Settings()), "pp-engine.starts", "ok", "starts", needed=True),
        ("/nothing/python", "pp-engine.unusable", "warning", "No such file or directory"),
        ("/bin/true", "pp-engine.unusable", "warning", "its process ended"),
    ],
)
def test_the_pp_engine(
    recorded_sqlite: str, tmp_path: Path, python: str, code: str, level: str, said: str
) -> None:
    settings = {"database_url": recorded_sqlite, "pp_python": python}
    findings = check(tmp_path, **settings)
    assert findings.codes("pp-engine") == {code: level}
    assert said in findings.text(code)
    if level == "warning":
        assert f"run {python} -c 'import akatsuki_pp_py' to see why; PP_PYTHON is" in findings.text(code)
        report = "\n".join(asyncio.run(startup_report(settings_of(tmp_path, **settings))))
        assert f"DOES NOT START ({python}: {said})" in report or f"DOES NOT START ({said})" in report


def test_names_that_are_not_known_here(tmp_path: Path) -> None:
    settings = {"db_host": "mysql.invalid", "db_name": "bancho", "redis_host": "redis.invalid"}
    findings = check(tmp_path, **settings, app_host="bancho.invalid", app_port="10000")
    for code, setting in (
        ("database.away", "DB_HOST is mysql.invalid"),
        ("redis.away", "REDIS_HOST is redis.invalid"),
        ("game-server.unknown-host", "APP_HOST is bancho.invalid"),
    ):
        assert f"{setting}, a name that is not known here." in findings.text(code)
        assert "docker compose -f deploy/compose.yml run --rm apidot check" in findings.text(code)
