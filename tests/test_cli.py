"""The command line: help, errors, what a start reports, and how the service stops."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

import main
from api.server import url_of
from config.version import VERSION
from demo.build import DATABASE
from tests.conftest import ROOT, Run, running
from tests.support import mariadbd
from tests.support.processes import free_port, serve
from tests.support.servers import MariaDB, Redis

MAIN = str(ROOT / "main.py")


@pytest.fixture
def start(run: Run) -> Callable[..., str]:
    """Runs `serve` on a free port, and returns what it prints before it listens."""

    def start(*options: str, **settings: str) -> str:
        result = run("serve", "--port", str(free_port()), *options, **settings)
        assert result.exit_code == 0, result.output
        return result.stdout

    return start


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_help(run: Run, command: Sequence[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    options = re.findall(r"^ +(?:-\w, )?--\w+(?: \S+)?(.*(?:\n {15,}.*)*)", result.stdout, re.MULTILINE)
    assert len(options) >= 2
    assert all(help.strip() for help in options), result.stdout
    assert "..." not in result.stdout.partition("Options:")[2]
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert run(*command, "-h").stdout == result.stdout


def test_every_command_is_listed_with_its_help(run: Run) -> None:
    listed = run("--help").stdout.partition("Commands:\n")[2]
    assert re.findall(r"^  (\S+) +\w+", listed, re.MULTILINE) == sorted(main.cli.commands)


@pytest.mark.parametrize("command", [c for c in main.cli.commands.values() if isinstance(c, main.ImportedCommand)])
def test_a_command_that_is_imported_later_is_listed_with_its_own_help(command: main.ImportedCommand) -> None:
    imported = command.make_context(command.name, [], resilient_parsing=True).command
    assert (imported.name, imported.short_help) == (command.name, command.short_help)


# What takes long to import, and what needs such a package.
NOT_FOR_HELP = {
    "asyncio",
    "ssl",
    "msgspec",
    "starlette",
    "uvicorn",
    "databases",
    "sqlalchemy",
    "pymysql",
    "aiohttp",
}
NOT_FOR_HELP |= {"redis", "prometheus_client", "PIL", "api", "checks", "demo", "domain", "replays", "storage"}


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["--version"], ["completion", "bash"]])
def test_help_imports_nothing_that_takes_long(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", MAIN, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"^import time: .*\| +([\w.]+)$", result.stderr, re.MULTILINE))
    assert {"click", "config.version"} <= imported
    assert {name.partition(".")[0] for name in imported} & NOT_FOR_HELP == set()


def test_the_version_is_that_of_pyproject_toml_everywhere(run: Run, recorded_sqlite: str) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert run("--version").stdout == f"apidot {version[1]}\n"
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", changelog, re.MULTILINE)[0] == version[1]
    with running(database_url=recorded_sqlite, metrics_for="127.0.0.1") as (client, process):
        assert f"apidot {version[1]}\n" in process.output(100)
        assert client.get("/openapi.json").json()["info"]["version"] == version[1]
        assert client.get("/health/live").json()["version"] == version[1]
        assert client.get("/health/ready").json()["version"] == version[1]
        assert f'apidot_build_info{{version="{version[1]}"}} 1.0\n' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"api_port": "http"}, "API_PORT='http': expected a whole number from 1 to 65535"),
        ({"db_host": "localhost"}, "DB_NAME: the name of the database is needed beside DB_HOST"),
        ({"database_url": "mysql://root:geheim/1@host/name"}, "DATABASE_URL: not a URL; "),
        ({"database_url": "mysql://u:geheim@host/name?ssl=maybe"}, "DATABASE_URL: ssl takes true, false, "),
        ({"database_url": "mysql://u:geheim@host/name?min_size=abc"}, "DATABASE_URL: the option min_size is not"),
        ({"database_url": "sqlite:////no/such/world.sqlite"}, "there is no SQLite file /no/such/world.sqlite"),
        ({"database_url": "sqlite:////etc"}, "there is no SQLite file /etc"),
    ],
)
def test_a_bad_setting_is_one_line(run: Run, settings: dict[str, str], line: str) -> None:
    result = run("serve", "--port", str(free_port()), **settings)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"apidot: {line}")
    assert len(result.stderr.splitlines()) == 1
    assert "geheim" not in result.output


@pytest.mark.parametrize("options", ["ssl=maybe", "min_size=abc", "ssl_ca=/x", "sslmode=geheim", "a=geheim@x"])
def test_check_ends_with_a_bad_option_of_the_url(run: Run, options: str) -> None:
    result = run("check", database_url=f"mysql://u:geheim@host/name?{options}")
    assert result.exit_code == 2
    assert re.fullmatch(r"apidot: (DATABASE_URL|DB_SSL_CA): .+\n", result.stderr)
    assert "geheim" not in result.output


def test_a_bad_settings_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    result = run("--env", str(file), "serve")
    assert result.exit_code == 2
    assert str(file) in result.stderr
    file.write_bytes(b"DB_NAME=\xff\n")
    result = run("--env", str(file), "serve")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"apidot: {file}: cannot be read")


@pytest.mark.parametrize(
    "option", [["--port", "0"], ["--port", "x"], ["--workers", "0"], ["--nonsense"], ["--host"]]
)
def test_a_bad_option(run: Run, option: Sequence[str]) -> None:
    result = run("serve", *option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert option[0] in result.stderr
    assert result.stderr.startswith("apidot: ")
    assert re.search(r"; see (main.py serve )?--help\n$", result.stderr)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command", [["nonsense"], ["completion"], ["check", "--url", "x"], ["demo", "--players", "1"]]
)
def test_an_error_of_usage_is_one_line(run: Run, command: Sequence[str]) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith("apidot: ")


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    assert "Commands:\n" in run().output


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("command", ["serve", "check", "check-replays"])
def test_the_settings_file_may_be_named_before_and_after_the_command(
    run: Run, tmp_path: Path, command: str, before: bool
) -> None:
    file = tmp_path / "settings"
    file.write_text("API_PORT=many\n")
    option = ["--env", "settings"]
    result = run(*option, command) if before else run(command, *option)
    assert result.exit_code == 2
    assert result.stderr.startswith("apidot: API_PORT='many'")
    # The one after the command is the last, and counts.
    result = run("--env", "none", command, *option)
    assert result.stderr.startswith("apidot: API_PORT='many'")
    result = run("--env", "settings", command, "--env", "none")
    assert result.stderr == f"apidot: {tmp_path}/none: cannot be read (No such file or directory)\n"


def test_names_and_lines_that_are_not_used_are_reported(
    run: Run, start: Callable[..., str], recorded_sqlite: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("RATE_LIMT=5\nSTRICT_MODES true\n")
    report = start(database_url=recorded_sqlite)
    assert f"  note          {tmp_path}/.env: line 2 is not NAME=value, and is ignored\n" in report.replace(
        "      .env", f"      {tmp_path}/.env"
    )
    assert "  note          RATE_LIMT: did you mean RATE_LIMIT?\n" in report
    checked = run("check", database_url=recorded_sqlite)
    assert checked.exit_code == 1
    assert re.search(r"warning +settings +RATE_LIMT: did you mean RATE_LIMIT\? -> correct it", checked.stdout)
    (tmp_path / ".env").unlink()
    assert "  note  " not in start(database_url=recorded_sqlite)


def test_the_demo_world_on_demand(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_HOST=127.0.0.1\nDB_NAME=bancho\nDATA_DIRECTORY=.data\nAPP_PORT=1\n")
    world = tmp_path / ".demo" / "demo" / DATABASE
    world.parent.mkdir(parents=True)
    world.touch()
    result = run("serve", "--demo", "--port", str(free_port()))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"apidot {VERSION} with the demo world\n")
    assert re.search(r"game server +none", result.stdout)
    assert f"data folder   {world.parent}\n" in result.stdout
    assert not (tmp_path / ".data").exists()


@pytest.mark.parametrize(
    ("settings", "options", "is_refused"),
    [
        ({}, [], True),
        ({"app_host": "0.0.0.0"}, [], True),
        ({"app_host": "localhost"}, [], True),
        ({"api_host": "0.0.0.0"}, [], True),
        ({}, ["--host", "::"], True),
        ({"app_host": "::1"}, ["--host", "[::]"], True),
        ({"app_host": "127.0.0.2"}, ["--host", "0.0.0.0"], True),
        # Another address of this machine, another machine, and a name that is not known here.
        ({"app_host": "127.0.0.2"}, [], False),
        ({"app_host": "192.0.2.1"}, ["--host", "0.0.0.0"], False),
        ({"app_host": "no-such-host.invalid"}, ["--host", "0.0.0.0"], False),
    ],
)
def test_the_game_server_is_another_service(
    run: Run, recorded_sqlite: str, settings: dict[str, str], options: list[str], is_refused: bool
) -> None:
    port = str(free_port())
    settings |= {"database_url": recorded_sqlite, "app_port": port, "api_port": port}
    result = run("serve", *options, **settings)
    assert result.exit_code == (2 if is_refused else 0)
    if is_refused:
        assert re.fullmatch(r"apidot: the game server's address, http://\S+, is where .+\n", result.stderr)
        assert f"API_PORT ({port}) must differ from the game server's APP_PORT" in result.stderr


@pytest.mark.parametrize("host", ["", "[::", "a..b", "0.0.0.0:0", "/run/x", "ftp://h"])
def test_a_bad_host_to_listen_on(run: Run, recorded_sqlite: str, host: str) -> None:
    result = run("serve", "--host", host or "*", database_url=recorded_sqlite)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "Invalid value for --host" in result.stderr


def test_a_port_with_the_host(run: Run, recorded_sqlite: str) -> None:
    port = free_port()
    result = run("serve", "--host", f"[::1]:{port}", database_url=recorded_sqlite)
    assert f"  address       http://[::1]:{port}\n" in result.stdout
    result = run("serve", "--host", f"[::1]:{port}", "--port", "1", database_url=recorded_sqlite)
    assert "names another port than --port" in result.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("host", ["::", "[::]"])
def test_all_addresses_are_those_of_both_families(recorded_sqlite: str, workers: str, host: str) -> None:
    with running("--workers", workers, "--host", host, database_url=recorded_sqlite) as service:
        port = service.client.base_url.port
        for address in ("127.0.0.1", "[::1]"):
            alive = httpx2.get(f"http://{address}:{port}/health/live", trust_env=False, verify=False)
            assert alive.status_code == 200


def test_a_start_reports_what_it_found(
    start: Callable[..., str], recorded_mysql: str, redis: Redis, tmp_path: Path
) -> None:
    report = start(database_url=recorded_mysql, redis_url=redis.url, data_directory=str(tmp_path))
    with closing(mariadbd.connect(recorded_mysql)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        ((version,),) = cursor.fetchall()
    assert re.search(rf"database +{re.escape(version)}", report)
    assert re.search(r"ranks +Redis\n", report)
    assert f"data folder   {tmp_path}\n" in report
    assert re.search(r"game server +none", report)
    for path in re.findall(r"try +http://127.0.0.1:\d+(\S+)", report):
        assert path.startswith("/v1/get_")


def test_a_start_reports_what_it_did_not_find(start: Callable[..., str], tmp_path: Path) -> None:
    database, redis = f"mysql://u:geheim@127.0.0.1:{free_port()}/n", f"redis://127.0.0.1:{free_port()}"
    settings = {"database_url": database, "redis_url": redis, "data_directory": str(tmp_path / "none")}
    report = start(**settings, db_pool_wait="0.5")
    assert re.search(r"database +NOT REACHED, answering 503 until it is there", report)
    assert re.search(r"ranks +Redis NOT REACHED, counting in the database", report)
    assert "none NOT FOUND" in report
    assert "geheim" not in report


def test_a_start_reports_the_address_and_the_rate_limits(start: Callable[..., str], recorded_sqlite: str) -> None:
    report = start("--host", "0.0.0.0", database_url=recorded_sqlite)
    assert re.search(
        r"^  address       (http://127\.0\.0\.1:\d+)\n  docs          \1/docs\n", report, re.MULTILINE
    )
    assert "rate limits   300 requests at once, 60 a second after that\n" in report


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::", "[::1]"), ("fe80::1", "[fe80::1]")]
)
def test_the_address_is_one_that_can_be_opened(host: str, shown: str) -> None:
    assert url_of(host, 8000) == f"http://{shown}:8000"


def test_more_connections_than_the_server_allows(run: Run, start: Callable[..., str], recorded_mysql: str) -> None:
    report = start("--workers", "2", database_url=recorded_mysql, db_pool_max="500")
    problem = r"2 × 500 \(API_WORKERS × DB_POOL_MAX\) may be opened, \d+ are allowed"
    assert re.search(rf"connections +TOO FEW: {problem}; make DB_POOL_MAX smaller", report)
    assert re.search(r"rate limits .*, in each worker", report)
    checked = run("check", "--json", database_url=recorded_mysql, api_workers="2", db_pool_max="500").stdout
    assert '"database.connections"' in checked
    assert re.search(problem, checked)
    fitting = run("check", "--json", database_url=recorded_mysql, api_workers="15").stdout
    assert re.search(r"at most 150 of the \d+ connections it allows are opened", fitting)


def test_proxies_that_are_everybody(run: Run, start: Callable[..., str], recorded_sqlite: str) -> None:
    settings = {"database_url": recorded_sqlite, "trusted_proxies": "127.0.0.0/8,0.0.0.0/0,::/0"}
    everybody = "every client in 0.0.0.0/0, ::/0 can claim any address"
    assert f"  proxies       UNSAFE: {everybody}; make TRUSTED_PROXIES smaller\n" in start(**settings)
    checked = run("check", **settings).stdout
    assert re.search(rf"warning +settings +TRUSTED_PROXIES: {everybody}", checked)
    assert "TRUSTED_PROXIES" not in run("check", database_url=recorded_sqlite).stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_not_free_is_one_line(run: Run, recorded_sqlite: str, workers: str) -> None:
    command = ("serve", "--workers", workers)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        in_use = run(*command, "--port", port, database_url=recorded_sqlite)
        nowhere = run(*command, "--host", "192.0.2.1", database_url=recorded_sqlite)
    line = f"apidot: cannot listen on http://127.0.0.1:{port}: Address already in use; another --port or API_PORT"
    assert (in_use.exit_code, in_use.stdout) == (nowhere.exit_code, nowhere.stdout) == (2, "")
    assert in_use.stderr.startswith(line)
    assert nowhere.stderr.startswith("apidot: cannot listen on http://192.0.2.1:8000: Cannot assign")
    assert len(in_use.stderr.splitlines()) == len(nowhere.stderr.splitlines()) == 1


def test_reload_takes_one_worker(run: Run, recorded_sqlite: str) -> None:
    result = run("serve", "--reload", "--workers", "2", database_url=recorded_sqlite)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "apidot: --reload takes one worker, not 2 (--workers, API_WORKERS)\n"


@pytest.mark.parametrize(
    ("words", "completed"), [("se", "serve"), ("serve --rel", "--reload"), ("completion b", "bash")]
)
def test_completions(run: Run, words: str, completed: str) -> None:
    position = str(len(words.split()))
    result = run(_main_py_complete="bash_complete", comp_words=f"main.py {words}", comp_cword=position)
    assert result.stdout == f"plain,{completed}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_runs_main_py(run: Run, shell: str) -> None:
    assert run("completion", shell).stdout.count(f"{sys.executable} {MAIN}") == 2


def test_bash_completes_the_command_line(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash").stdout)
    typed = f"""
        source '{script}'
        COMP_WORDS=(main.py serve --rel); COMP_CWORD=2; COMPREPLY=()
        cd / && "$(complete -p main.py | sed 's/.*-F \\(\\S*\\).*/\\1/')" main.py; echo "${{COMPREPLY[@]}}"
        main.py --help
    """
    outcome = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, timeout=60)
    assert outcome.stdout.startswith("--reload\nUsage: main.py"), outcome


def test_a_real_start_in_another_folder_with_its_settings_file(recorded_sqlite: str, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / ".env").write_text(f"DATABASE_URL={recorded_sqlite}\nAPI_PORT={port}\nAPP_PORT=10000\n")
    with serve(["sh", "-c", f"cd '{tmp_path}' && exec '{sys.executable}' '{MAIN}' serve"], port, {}) as process:
        response = httpx2.get(f"http://127.0.0.1:{port}/v1/get_clan?id=1", trust_env=False)
        assert response.status_code == 200
        assert f"data folder   {tmp_path}/.data NOT FOUND" in process.output()
    assert list(tmp_path.iterdir()) == [tmp_path / ".env"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_waits_for_requests_in_flight(mariadb: MariaDB, number: signal.Signals) -> None:
    assert_a_stop_waits_for_requests_in_flight(mariadb, 1, number)


def assert_a_stop_waits_for_requests_in_flight(mariadb: MariaDB, workers: int, number: signal.Signals) -> None:
    url = mariadb.database("drained")
    mariadbd.execute(url, "CREATE TABLE users (id INT)")
    with (
        running("--workers", str(workers), database_url=url) as service,
        closing(mariadbd.connect(url)) as lock,
        ThreadPoolExecutor() as other,
    ):
        deadline = time.monotonic() + 10
        while service.process.output().count("startup complete") < workers:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        alive = f"{service.client.base_url}/health/live"
        assert {httpx2.get(alive, trust_env=False, verify=False).status_code for _ in range(20)} == {200}
        lock.cursor().execute("LOCK TABLES users WRITE")
        response = other.submit(service.client.get, "/v1/get_player_count")
        time.sleep(0.4)
        # A terminal sends SIGINT to every process of the group.
        (os.killpg if number == signal.SIGINT else os.kill)(service.process.pid, number)
        time.sleep(0.4)
        assert not response.done()
        lock.cursor().execute("UNLOCK TABLES")
        assert response.result(5).json()["counts"]["total"] == 0
        start = time.monotonic()
        assert service.process.stop() == 0
        assert time.monotonic() - start < 5
        assert "Traceback" not in service.process.output()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(alive, trust_env=False, verify=False)
