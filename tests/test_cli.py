"""The command line: its help, how a start fails, what it says it found, and how it stops."""

import os
import re
import shutil
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

from api.server import url_of
from tests.conftest import ROOT, running
from tests.support import mariadbd
from tests.support.processes import free_port, serve
from tests.support.servers import MariaDB, Redis

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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_cannot_be_had_is_one_line(recorded_sqlite: str, workers: str, tmp_path: Path) -> None:
    def serve(*options: str) -> subprocess.CompletedProcess[str]:
        return run("serve", "--workers", workers, *options, cwd=tmp_path, database_url=recorded_sqlite)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        in_use = serve("--port", port)
        nowhere = serve("--host", "192.0.2.1")
    line = f"apidot: cannot listen on http://127.0.0.1:{port}: Address already in use; another --port or API_PORT"
    assert (in_use.returncode, in_use.stdout) == (nowhere.returncode, nowhere.stdout) == (2, "")
    assert in_use.stderr.startswith(line)
    assert nowhere.stderr.startswith("apidot: cannot listen on http://192.0.2.1:8000: Cannot assign")
    assert len(in_use.stderr.splitlines()) == len(nowhere.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::", "[::1]"), ("fe80::1", "[fe80::1]")]
)
def test_an_address_is_shown_as_it_can_be_reached(host: str, shown: str) -> None:
    assert url_of(host, 8000) == f"http://{shown}:8000"


def test_a_start_shows_the_address_and_the_docs(recorded_sqlite: str) -> None:
    with running("--host", "0.0.0.0", database_url=recorded_sqlite) as service:
        output = service.process.output()
    url = str(service.client.base_url)
    assert f"  address       {url}\n  docs          {url}/docs\n" in output
    assert "rate limits   300 requests at once, 60 a second after that\n" in output


def test_more_connections_than_the_server_allows(mariadb: MariaDB, recorded_mysql: str) -> None:
    with running("--workers", "2", database_url=recorded_mysql, db_pool_max="500") as service:
        output = service.process.output()
    fault = r"2 × 500 \(API_WORKERS × DB_POOL_MAX\) may be opened, \d+ are allowed"
    assert re.search(rf"connections +TOO FEW: {fault}; make DB_POOL_MAX smaller", output)
    assert re.search(r"rate limits .*, in each worker", output)
    checked = run("check", "--json", database_url=recorded_mysql, api_workers="2", db_pool_max="500").stdout
    assert '"database.connections"' in checked
    assert re.search(fault, checked)
    fitting = run("check", "--json", database_url=recorded_mysql, api_workers="15").stdout
    assert re.search(r"at most 150 of the \d+ connections it allows are opened", fitting)


def test_reload_takes_one_worker(recorded_sqlite: str) -> None:
    outcome = run("serve", "--reload", "--workers", "2", database_url=recorded_sqlite)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == "apidot: --reload takes one worker, not 2 (--workers, API_WORKERS)\n"


def test_reload_starts_again_when_a_statement_or_code_changes(recorded_sqlite: str, tmp_path: Path) -> None:
    for name in ("api", "checks", "config", "demo", "domain", "replays", "sql", "storage"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("main.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    port = free_port()
    command = [sys.executable, "main.py", "serve", "--reload", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/v1/get_clan?id=1"
    with serve(command, port, {"DATABASE_URL": recorded_sqlite}, url, folder=tmp_path) as process:

        def starts(number: int) -> None:
            deadline = time.monotonic() + 20
            while process.output(500).count("Application startup complete") < number:
                assert time.monotonic() < deadline, process.output()
                time.sleep(0.1)

        starts(1)
        for number, changed in enumerate(("sql/clan.sql", "api/v1/clans.py", "main.py"), 2):
            file = tmp_path / changed
            file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
            starts(number)
        assert httpx2.get(url, trust_env=False).status_code == 200
        assert process.stop() == 0
        assert "Traceback" not in process.output()


def test_a_shell_completes_the_command_line(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash").stdout)
    asking = f"""
        source '{script}'
        ask() {{
            COMP_WORDS=(main.py "$@"); COMP_CWORD=$#; COMPREPLY=()
            "$(complete -p main.py | sed 's/.*-F \\(\\S*\\).*/\\1/')" main.py; echo "${{COMPREPLY[@]}}"
        }}
        cd / && ask se && ask serve --rel && ask completion b && main.py --help
    """
    outcome = subprocess.run(["bash", "-c", asking], capture_output=True, text=True, timeout=60)
    assert outcome.stdout.splitlines()[:3] == ["serve", "--reload", "bash"], outcome
    assert "Usage: main.py" in outcome.stdout
    for shell in ("zsh", "fish"):
        assert run("completion", shell).stdout.count(f"{sys.executable} {MAIN}") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_two_workers_answer_what_is_in_flight_before_the_end(mariadb: MariaDB, number: signal.Signals) -> None:
    url = mariadb.database("drained")
    mariadbd.execute(url, "CREATE TABLE users (id INT)")
    with (
        running("--workers", "2", database_url=url) as service,
        closing(mariadbd.connect(url)) as lock,
        ThreadPoolExecutor() as other,
    ):
        deadline = time.monotonic() + 10
        while service.process.output().count("startup complete") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        lock.cursor().execute("LOCK TABLES users WRITE")
        answer = other.submit(service.client.get, "/v1/get_player_count")
        time.sleep(0.5)
        # As a terminal sends it, to every process of the group.
        (os.killpg if number == signal.SIGINT else os.kill)(service.process.pid, number)
        time.sleep(0.5)
        assert not answer.done()
        lock.cursor().execute("UNLOCK TABLES")
        assert answer.result(5).json()["counts"]["total"] == 0
        assert service.process.stop() == 0
        assert "Traceback" not in service.process.output()
