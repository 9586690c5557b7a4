"""The command line: its help, how a start fails, what it says it found, and how it stops."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests import mariadbd
from tests.conftest import ROOT, running
from tests.processes import free_port, serve
from tests.servers import MariaDB, Redis

MAIN = str(ROOT / "main.py")


def run(*arguments: str, cwd: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command of main.py that ends by itself, with these settings and no others."""
    environment = {"PATH": os.environ["PATH"], **{name.upper(): value for name, value in settings.items()}}
    command = [sys.executable, MAIN, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_help(command: Sequence[str]) -> None:
    outcome = run(*command, "--help")
    assert outcome.returncode == 0
    options = re.findall(r"^ +(?:-\w, )?--\w+(?: \S+)?(.*(?:\n {15,}.*)*)", outcome.stdout, re.MULTILINE)
    assert len(options) >= 2
    assert all(help.strip() for help in options), outcome.stdout
    assert run(*command, "-h").stdout == outcome.stdout


def test_every_command_is_listed_with_its_help() -> None:
    commands = run("--help").stdout.partition("Commands:\n")[2]
    assert re.search(r"^ +serve +\w+", commands, re.MULTILINE)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"api_port": "http"}, "API_PORT='http': a whole number from 1 to 65535 is accepted"),
        ({"db_host": "localhost"}, "DB_NAME: the name of the database is needed beside DB_HOST"),
        ({"database_url": "mysql://root:geheim/1@host/name"}, "DATABASE_URL: not a URL; "),
        ({"database_url": "sqlite:////no/such/world.sqlite"}, "there is no SQLite file /no/such/world.sqlite"),
        ({"database_url": "sqlite:////etc"}, "there is no SQLite file /etc"),
    ],
)
def test_a_bad_setting_is_one_line(settings: dict[str, str], line: str, tmp_path: Path) -> None:
    outcome = run("serve", cwd=tmp_path, **settings)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith(f"apidot: {line}")
    assert len(outcome.stderr.splitlines()) == 1
    assert "geheim" not in outcome.stderr + outcome.stdout


def test_a_bad_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    outcome = run("--env", str(file), "serve")
    assert outcome.returncode == 2
    assert str(file) in outcome.stderr
    assert "Traceback" not in outcome.stderr
    file.write_bytes(b"DB_NAME=\xff\n")
    outcome = run("--env", str(file), "serve")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith(f"apidot: {file}: cannot be read")


@pytest.mark.parametrize(
    "option", [["--port", "0"], ["--port", "x"], ["--workers", "0"], ["--nonsense"], ["--host"]]
)
def test_a_bad_option(option: Sequence[str]) -> None:
    outcome = run("serve", *option)
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_port_in_use(recorded_sqlite: str, workers: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = run("serve", "--port", port, "--workers", workers, cwd=tmp_path, database_url=recorded_sqlite)
    assert outcome.returncode not in (0, None)
    assert "address already in use" in outcome.stderr.lower()
    assert "Traceback" not in outcome.stderr


def test_a_start_says_what_it_found(mariadb: MariaDB, recorded_mysql: str, redis: Redis, tmp_path: Path) -> None:
    with running(database_url=recorded_mysql, redis_url=redis.url, data_directory=str(tmp_path)) as service:
        found = service.process.output()
    assert re.search(r"database +\d+\.\d+.*MariaDB", found)
    assert re.search(r"ranks +Redis\n", found)
    assert f"data folder   {tmp_path}\n" in found
    assert re.search(r"game server +none", found)
    for path in re.findall(r"try +http://127.0.0.1:\d+(\S+)", found):
        assert path.startswith("/v1/get_")


def test_a_start_says_what_it_did_not_find(tmp_path: Path) -> None:
    database, redis = f"mysql://u:geheim@127.0.0.1:{free_port()}/n", f"redis://127.0.0.1:{free_port()}"
    settings = {"database_url": database, "redis_url": redis, "data_directory": str(tmp_path / "none")}
    with running(**settings, db_pool_wait="0.5") as service:
        found = service.process.output()
    assert re.search(r"database +NOT REACHED, answering 503 until it is there", found)
    assert re.search(r"ranks +Redis NOT REACHED, counting in the database", found)
    assert "none NOT FOUND" in found
    assert "geheim" not in found


def test_from_another_folder_with_the_settings_beside(recorded_sqlite: str, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / ".env").write_text(f"DATABASE_URL={recorded_sqlite}\nAPI_PORT={port}\nAPP_PORT=10000\n")
    with serve(["sh", "-c", f"cd '{tmp_path}' && exec '{sys.executable}' '{MAIN}' serve"], port, {}) as process:
        answer = httpx2.get(f"http://127.0.0.1:{port}/v1/get_clan?id=1", trust_env=False)
        assert answer.status_code == 200
        assert f"data folder   {tmp_path}/.data NOT FOUND" in process.output()
    assert list(tmp_path.iterdir()) == [tmp_path / ".env"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered_before_the_end(mariadb: MariaDB, number: signal.Signals) -> None:
    url = mariadb.database("drained")
    mariadbd.execute(url, "CREATE TABLE users (id INT)")
    with (
        running(database_url=url) as service,
        closing(mariadbd.connect(url)) as lock,
        ThreadPoolExecutor() as other,
    ):
        lock.cursor().execute("LOCK TABLES users WRITE")
        answer = other.submit(service.client.get, "/v1/get_player_count")
        time.sleep(0.3)
        os.kill(service.process.pid, number)
        time.sleep(0.3)
        assert not answer.done()
        lock.cursor().execute("UNLOCK TABLES")
        assert answer.result(5).json()["counts"]["total"] == 0
        start = time.monotonic()
        assert service.process.stop() == 0
        assert time.monotonic() - start < 3
        assert "Traceback" not in service.process.output()


def test_two_workers(recorded_sqlite: str) -> None:
    with running("--workers", "2", database_url=recorded_sqlite) as service:
        url = f"{service.client.base_url}/v1/get_clan?id=1"
        assert {httpx2.get(url, trust_env=False).status_code for _ in range(20)} == {200}
        workers: set[str] = set()
        deadline = time.monotonic() + 10
        while len(workers) < 2 and time.monotonic() < deadline:
            workers = set(re.findall(r"Started server process \[(\d+)\]", service.process.output()))
            time.sleep(0.05)
        assert len(workers) == 2
        start = time.monotonic()
        assert service.process.stop() == 0
        assert time.monotonic() - start < 5
        assert "Traceback" not in service.process.output()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url, trust_env=False)
