"""MariaDB, Redis and S3 servers for the tests: private temporary ones, or those that the environment names."""

import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from redis import Redis as RedisClient
from redis import RedisError

from tests.support import conformance, install, mariadbd, mysqld
from tests.support.processes import Process, answers, free_port, locked

# A folder for files that are made once for all processes of a test run. None outside of a test run.
shared: Path | None = None


class Server:
    """The URL of a server and, unless it is borrowed, its process, which keeps its port and its data."""

    def __init__(self, url: str, process: Process | None = None) -> None:
        self.url = url
        self._process = process

    @property
    def process(self) -> Process:
        """Raises RuntimeError if the server is borrowed."""
        if self._process is None:
            raise RuntimeError("a borrowed server is not stopped or paused: ask for one with private=True")
        return self._process

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def pause(self) -> None:
        """Let it accept connections and not respond."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()


class Redis(Server):
    """A Redis server, whose database is empty at first."""


class MariaDB(Server):
    """A MariaDB server. The names of the databases that it creates begin with its prefix."""

    def __init__(self, url: str, process: Process | None = None, prefix: str = "") -> None:
        super().__init__(url, process)
        self._prefix = prefix
        self._created: set[str] = set()

    def database(self, name: str) -> str:
        """Create an empty database, in place of an earlier one of this name. Return its URL."""
        name = self._prefix + name
        if not re.fullmatch("[a-z0-9_]{1,64}", name):
            raise ValueError(f"not a name for a test database: {name}")
        mariadbd.execute(self.url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
        self._created.add(name)
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def drop(self) -> None:
        """Drop the databases it created."""
        mariadbd.execute(self.url, *(f"DROP DATABASE IF EXISTS {name}" for name in self._created))


@contextmanager
def mariadb(
    *,
    private: bool = False,
    options: Sequence[str] = (),
    keep: Path | None = None,
    kind: mysqld.Server | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[MariaDB]:
    """Run a private server, whose data are deleted at the end, or borrow the one of TEST_DATABASE_URL.

    `options` are those of mariadbd. A server with options, with a folder to `keep` its data in, or of a `kind`, is
    private. Raises CannotInstall.
    """
    borrowed = environ.get(install.MARIADB.variable)
    if borrowed and not (private or options or keep or kind):
        server = MariaDB(borrowed, prefix=f"apidot_test_{secrets.token_hex(4)}_")
        try:
            yield server
        finally:
            server.drop()
        return
    binary = mysqld.require(kind) if kind else install.require(install.MARIADB)
    template = template_data(binary, shared / (kind or install.MARIADB).package) if shared and not keep else None
    with _kept_or_temporary(keep) as folder, _mariadbd(binary, folder, options, template) as server:
        yield server


@contextmanager
def _mariadbd(
    binary: str, folder: Path, options: Sequence[str] = (), template: Path | None = None
) -> Iterator[MariaDB]:
    url = f"mysql://root:{secrets.token_urlsafe(12)}@127.0.0.1:{free_port()}/"
    command = [*mariadbd.create(binary, folder, url, template), *options]
    with Process(command, ready=lambda: mariadbd.answers(url), log=folder / "log") as process:
        yield MariaDB(url, process)


def template_data(binary: str, data: Path) -> Path:
    """Return the folder `data`, with the data of a server that holds the recorded world."""
    with locked(data.with_suffix(".lock")):
        if not data.exists():
            with tempfile.TemporaryDirectory(prefix="apidot-") as name:
                with _mariadbd(binary, Path(name)) as server:
                    conformance.load(server.database(conformance.TEMPLATE))
                shutil.move(Path(name, "data"), data)
    return data


@contextmanager
def redis(
    *,
    private: bool = False,
    options: Sequence[str] = (),
    keep: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Redis]:
    """Run a private server, whose data are deleted at the end, or borrow the database of TEST_REDIS_URL.

    `options` are those of redis-server. A server with options, or with a folder to `keep` its data in, is private.
    A borrowed database is emptied at the end. Raises RuntimeError if it is not empty at first, and CannotInstall.
    """
    borrowed = environ.get(install.REDIS.variable)
    if borrowed and not (private or options or keep):
        with closing(RedisClient.from_url(borrowed)) as client:
            if client.dbsize():
                raise RuntimeError(
                    f"there are keys in the database of {install.REDIS.variable}: name an empty one"
                )
            try:
                yield Redis(borrowed)
            finally:
                client.flushdb()
        return
    binary = install.require(install.REDIS)
    with _kept_or_temporary(keep) as folder:
        port = free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "no"]
        # Redis saves its data when it is stopped only if it has a save point, even one that it never reaches.
        command += ["--save", "86400 1", *options]
        with Process(command, ready=lambda: _answers(port), log=folder / "log") as process:
            yield Redis(f"redis://127.0.0.1:{port}/0", process)


class S3(Server):
    """An S3 server that accepts every key."""

    def settings(self, bucket: str, prefix: str = "") -> dict[str, str]:
        """Create a bucket. Return the settings of a service that reads its replays from there."""
        self._put(bucket)
        return {
            "replays_url": f"s3://{bucket}/{prefix}",
            "aws_endpoint_url": self.url,
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
        }

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """Store an object."""
        self._put(f"{bucket}/{name}", content)

    def _put(self, path: str, content: bytes = b"") -> None:
        # The server reads the region from the signature, and does not check the rest.
        signature = (
            "AWS4-HMAC-SHA256 Credential=key/20200101/us-east-1/s3/aws4_request, SignedHeaders=, Signature="
        )
        url = f"{self.url}/{path}"
        headers = {"Authorization": signature, "Content-Type": "application/octet-stream"}
        request = Request(url, content, headers, method="PUT")
        build_opener(ProxyHandler({})).open(request).close()


@contextmanager
def s3() -> Iterator[S3]:
    """Run a private S3 server, whose data are deleted at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        # S3 itself lists a thousand objects at a time.
        env = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "50"}
        with Process(command, ready=lambda: answers(port), log=Path(folder, "log"), env=env) as process:
            yield S3(f"http://127.0.0.1:{port}", process)


@contextmanager
def _kept_or_temporary(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        yield Path(folder)


def _answers(port: int) -> bool:
    try:
        with closing(RedisClient(port=port, socket_timeout=5)) as client:
            return bool(client.ping())
    except RedisError:
        return False
