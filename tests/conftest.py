"""What the tests stand on: real servers, started once, and services in front of them."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import hypothesis
import pytest

from tests import conformance_world, servers
from tests.processes import Process, free_port, serve
from tests.servers import S3, MariaDB, Redis

# The same examples in every run: what fails is a change, not the luck of the draw.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fixed")

ROOT = Path(__file__).parent.parent


class Recorded(NamedTuple):
    """A service on the recorded world, and the database driver it uses."""

    driver: str
    client: httpx2.Client


class Running(NamedTuple):
    """A service, and the process it runs in."""

    client: httpx2.Client
    process: Process


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB for all tests that do not take it down."""
    with servers.mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis with the recorded ranks, for all tests that do not take it down."""
    with servers.redis() as server:
        conformance_world.load_ranks(server.url)
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server for all tests that do not take it down."""
    with servers.s3() as server:
        yield server


@pytest.fixture(scope="session")
def recorded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a SQLite file that holds the recorded world."""
    url = f"sqlite:///{tmp_path_factory.mktemp('recorded') / 'world.sqlite'}"
    conformance_world.load(url)
    return url


@pytest.fixture(scope="session")
def recorded_mysql(mariadb: MariaDB) -> str:
    """The URL of a database on MariaDB that holds the recorded world."""
    url = mariadb.database("recorded")
    conformance_world.load(url)
    return url


@contextmanager
def running(*options: str, **settings: str) -> Iterator[Running]:
    """The service as its own process, with these options of `serve`, these settings and no others."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        env_file = Path(folder, "settings")
        env_file.touch()
        command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "serve", "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        environment = {name.upper(): value for name, value in settings.items()}
        with (
            serve([*command, *options], port, environment) as process,
            httpx2.Client(base_url=url, trust_env=False, timeout=30) as client,
        ):
            yield Running(client, process)


@contextmanager
def service(**settings: str) -> Iterator[httpx2.Client]:
    """A client of the service, which runs as its own process with these settings and no others."""
    with running(**settings) as service:
        yield service.client


@pytest.fixture(scope="session", params=["sqlite", "aiomysql", "asyncmy"])
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    """A service on the recorded world, once for each driver; the one on aiomysql has its ranks from Redis."""
    if request.param == "sqlite":
        settings = {"database_url": request.getfixturevalue("recorded_sqlite")}
    elif request.param == "asyncmy":
        url: str = request.getfixturevalue("recorded_mysql")
        settings = {"database_url": url.replace("mysql://", "mysql+asyncmy://")}
    else:
        ranks: Redis = request.getfixturevalue("redis")
        settings = {"database_url": request.getfixturevalue("recorded_mysql"), "redis_url": ranks.url}
    with service(data_directory=str(conformance_world.WORLD), **settings) as client:
        yield Recorded(request.param, client)
