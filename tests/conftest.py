"""Fixtures of all tests: database servers, services that use them, and the worlds of data that they serve."""

import gc
import logging
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar
from unittest.mock import patch

import httpx2
import hypothesis
import pytest
from click.testing import CliRunner, Result

import main
from api import server
from demo.build import build
from storage.database.database import Database
from tests.support import conformance, mariadbd, pp_engine, servers
from tests.support.forked import ForkedProcess
from tests.support.processes import Process, free_port, locked, serve
from tests.support.servers import S3, MariaDB, Redis

# The collector does not look at the collected tests, which stay to the end: that took a third of the time.
gc.disable()

# The same examples in every run.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fixed")

# These files take longest. They run first, so that the processes of pytest-xdist end at about the same time.
LONGEST = (
    *("slow/faults/test_redis_and_game_server.py", "slow/faults/test_process.py"),
    *("slow/faults/test_database_aiomysql.py", "slow/faults/test_database_asyncmy.py"),
    *("slow/test_galera.py", "slow/test_switchover.py"),
    *("slow/test_bench.py", "slow/test_site.py", "slow/test_osr_readers.py", "slow/test_contributing.py"),
    "slow/test_osu_v1_clients.py",
    "slow/test_stalled_database.py",
    *("slow/test_schemathesis.py", "slow/test_workers.py", "api/test_recorded.py", "api/test_hostile.py"),
    *("api/v2/test_hostile.py", "storage/test_outages.py", "storage/game_server/test_live.py"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {ROOT / "tests" / file: rank for rank, file in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Skipped in this one line, the tests are one line in pytest's summary, which has their number.
    if item.get_closest_marker("pp_engine") and not pp_engine.installed():
        pytest.skip("the pp engine is not installed: see `make install`")


D = TypeVar("D", bound=Database)

ROOT = Path(__file__).parent.parent


class Recorded(NamedTuple):
    """A service on the recorded world, and the database driver it uses."""

    driver: str
    client: httpx2.Client


class ServiceClient(httpx2.Client):
    """A client of a service."""

    def __init__(self, url: str, process: Process) -> None:
        # Nothing here is TLS, and reading the machine's certificates takes longer than a start.
        super().__init__(base_url=url, trust_env=False, timeout=30, verify=False)
        self.advance = process.advance


class Running(NamedTuple):
    """A service, and the process it runs in."""

    client: ServiceClient
    process: Process


@pytest.fixture(scope="session", autouse=True)
def _shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have theirs in a common folder.
    servers.shared = (own.parent if hasattr(request.config, "workerinput") else own) / "shared"
    servers.shared.mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB for all tests that do not stop it."""
    with servers.mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis with the recorded ranks, for all tests that do not stop it."""
    with servers.redis() as server:
        conformance.load_ranks(server.url)
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server for all tests that do not stop it."""
    with servers.s3() as server:
        yield server


@pytest.fixture(scope="session")
def recorded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a SQLite file that holds the recorded world."""
    url = f"sqlite:///{tmp_path_factory.mktemp('recorded') / 'world.sqlite'}"
    conformance.load(url)
    return url


@pytest.fixture(scope="session")
def recorded_mysql(mariadb: MariaDB) -> str:
    """The URL of a database on MariaDB that holds the recorded world."""
    url = mariadb.database("recorded")
    conformance.load(url)
    return url


@pytest.fixture(params=["sqlite", "mysql", "mysql+asyncmy"])
def recorded_url(request: pytest.FixtureRequest) -> str:
    """The URL of the recorded world, for each driver."""
    url: str = request.getfixturevalue("recorded_sqlite" if request.param == "sqlite" else "recorded_mysql")
    return url.replace("mysql://", f"{request.param}://")


@asynccontextmanager
async def connected(database: D) -> AsyncIterator[D]:
    """Connect the database, and disconnect it at the end."""
    await database.connect()
    try:
        yield database
    finally:
        await database.disconnect()


@contextmanager
def running(*options: str, **settings: str) -> Iterator[Running]:
    """Run the service in a process of its own, with these options of `serve`, these settings and no others."""
    with (
        tempfile.TemporaryDirectory(prefix="apidot-") as folder,
        running_in(Path(folder), *options, **settings) as service,
    ):
        yield service


@contextmanager
def running_in(folder: Path, *options: str, **settings: str) -> Iterator[Running]:
    """Do the same as `running` in this folder. With the option --demo, .data/demo in it is the demo world."""
    port = free_port()
    env_file = folder / "settings"
    env_file.touch()
    command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "serve", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    environment = {name.upper(): value for name, value in settings.items()}
    # Several workers import the service in any case.
    workers = dict(pairwise(options)).get("--workers", settings.get("api_workers", "1"))
    kind = ForkedProcess if workers == "1" else Process
    with (
        serve([*command, *options], port, environment, folder=folder, kind=kind) as process,
        ServiceClient(url, process) as client,
    ):
        yield Running(client, process)


@contextmanager
def service(**settings: str) -> Iterator[ServiceClient]:
    """Run the service in a process of its own, with these settings and no others. Yield a client."""
    with running(**settings) as service:
        yield service.client


@pytest.fixture(scope="session")
def _recorded(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Recorded]]:
    """Start a service once for each driver, and stop all of them at the end."""
    with ExitStack() as running:

        @cache
        def start(driver: str) -> Recorded:
            if driver == "sqlite":
                settings = {"database_url": request.getfixturevalue("recorded_sqlite")}
            elif driver == "asyncmy":
                url: str = request.getfixturevalue("recorded_mysql")
                # So that the recorded requests are sent with the cache and without.
                settings = {"database_url": url.replace("mysql://", "mysql+asyncmy://"), "cache": "off"}
            else:
                ranks: Redis = request.getfixturevalue("redis")
                settings = {"database_url": request.getfixturevalue("recorded_mysql"), "redis_url": ranks.url}
            client = running.enter_context(service(data_directory=str(conformance.WORLD), **settings))
            return Recorded(driver, client)

        yield start


@pytest.fixture(scope="session", params=["sqlite", "aiomysql", "asyncmy"])
def recorded(request: pytest.FixtureRequest, _recorded: Callable[[str], Recorded]) -> Recorded:
    """A service on the recorded world, with each driver; the one on aiomysql has its ranks from Redis."""
    return _recorded(request.param)


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `running_in`, with a demo world of its own in .data/demo."""
    assert servers.shared is not None
    built, folder = servers.shared / "demo", tmp_path_factory.mktemp("demo")
    with locked(servers.shared / "demo.lock"):
        if not built.exists():
            build(built)
    shutil.copytree(built, folder / ".data" / "demo")
    return folder


@pytest.fixture(scope="module")
def demo(demo_folder: Path) -> Iterator[httpx2.Client]:
    """A service on a demo world of its own."""
    with running_in(demo_folder, "--demo") as (client, _):
        yield client


class Playground(NamedTuple):
    """A service on a copy of the recorded world, which a test may change."""

    client: ServiceClient
    process: Process
    data: Path
    sql: Callable[..., None]


# The API keys of the recorded players who have one, each with other privileges.
ADMIN = "d1dcec53-212a-4d9b-a17a-9262453bf491"
PLAYER = "f8fdd208-5434-4156-a637-a4685d385e06"
UNVERIFIED = "eeb89ff1-bf8e-41aa-a1f2-d44dcc35e834"
RESTRICTED = "eb7fe26b-91c3-498c-ab8a-27ba202ab6fa"
IDS = {ADMIN: 3, PLAYER: 12, UNVERIFIED: 16, RESTRICTED: 29}


def signed(key: str) -> dict[str, str]:
    """Return the headers of a request with that API key."""
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def playground(folder: Path, url: str, **settings: str) -> Iterator[Playground]:
    """Run a service on a copy of the recorded world in an empty database, with its files below `folder`."""
    conformance.load(url)
    data = folder / "data"
    shutil.copytree(conformance.WORLD / "osu", data / "osu")

    def sql(*statements: str) -> None:
        if url.startswith("mysql"):
            mariadbd.execute(url, *statements)
            return
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    sql("UPDATE users SET priv = 2 WHERE id = 29")
    settings = {"key_failures": "100000", "data_directory": str(data), "database_url": url} | settings
    with running(**settings) as (client, process):
        yield Playground(client, process, data, sql)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A playground in SQLite."""
    folder = tmp_path_factory.mktemp("playground")
    with playground(folder, f"sqlite:///{folder / 'world.sqlite'}") as here:
        yield here


@pytest.fixture(scope="module")
def on_mysql(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDB) -> Iterator[Playground]:
    """A playground on MariaDB."""
    with playground(tmp_path_factory.mktemp("playground"), mariadb.database("playground")) as here:
        yield here


@pytest.fixture(scope="module", params=["on_sqlite", "on_mysql"])
def world(request: pytest.FixtureRequest) -> Playground:
    """Each of the two playgrounds."""
    here: Playground = request.getfixturevalue(request.param)
    return here


@pytest.fixture(params=["sqlite", "mysql"])
def uncached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Playground]:
    """A playground of a single test, without the response cache."""
    url = f"sqlite:///{tmp_path / 'world.sqlite'}"
    if request.param == "mysql":
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        url = mariadb.database("uncached")
    with playground(tmp_path, url, cache="off") as here:
        yield here


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in this process, in an empty folder, with these settings and no others.

    `serve` reports its start as always, but does not listen.
    """
    loggers = [logging.getLogger(name) for name in ("", "apidot", "uvicorn")]
    before = [(logger, logger.level, logger.disabled, logger.handlers[:]) for logger in loggers]
    flags = ("logThreads", "logProcesses", "logMultiprocessing")
    for flag in flags:
        monkeypatch.setattr(logging, flag, getattr(logging, flag))
    on_sigterm = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server, "listen", lambda *_: None)

    def run(*arguments: str, **settings: str) -> Result:
        environment = {"PATH": os.environ["PATH"]} | {name.upper(): value for name, value in settings.items()}
        with patch.dict(os.environ, environment, clear=True):
            return CliRunner().invoke(main.cli, arguments, prog_name="main.py", catch_exceptions=False)

    yield run
    signal.signal(signal.SIGTERM, on_sigterm)
    for logger, level, disabled, handlers in before:
        for handler in [handler for handler in logger.handlers if handler not in handlers]:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(level)
        logger.disabled = disabled
