"""The servers that faults are made on, all started here, and the service that uses them."""

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support import conformance, mariadbd, servers
from tests.support.game_server import DOMAIN, GameServer, game_server, match
from tests.support.processes import NotReady, Process, free_port, serve
from tests.support.servers import MariaDB, Redis

ROOT = Path(__file__).resolve().parent.parent
MAIN = (str(ROOT / "main.py"),)
DRIVERS = {"aiomysql": "mysql", "asyncmy": "mysql+asyncmy"}
# The service's own user, who has the privileges that docs/operating.md names: what limits other users does not
# limit root. Through a relay it connects from the server's own machine, by a socket.
USER, PASSWORD = "apidot", "secret"
PROFILE = "userpage_content, preferred_mode, play_style, custom_badge_name, custom_badge_icon"
PRIVILEGES = (
    "CREATE USER {user} IDENTIFIED BY '{password}'",
    "GRANT SELECT ON recorded.* TO {user}",
    f"GRANT UPDATE ({PROFILE}) ON recorded.users TO {{user}}",
)
# A client of this machine is limited like others, so that each request needs Redis, but never exceeds its limit.
LIMITS = {"rate_limit_exempt": "", "rate_limit": "10000", "rate_limit_burst": "100000"}
START = 30.0  # seconds
# The profile text of the player whose profile is changed.
USERPAGE = "a userpage"


@dataclass(frozen=True)
class Servers:
    """What the service depends on. `database` is the URL of its database for root."""

    mariadb: MariaDB
    redis: Redis
    game_server: GameServer
    database: str
    data: Path
    player: int  # whose API key is `key`
    key: str

    @property
    def socket(self) -> str:
        """The unix socket of the database."""
        return str(self.rows("SELECT @@socket")[0][0])

    @property
    def database_port(self) -> int:
        """The port of the database."""
        return urlsplit(self.database).port or 0

    def execute(self, *statements: str) -> None:
        """Run statements as root."""
        mariadbd.execute(self.database, *statements)

    def rows(self, statement: str) -> list[Any]:
        """Return the rows of a query of root."""
        with closing(mariadbd.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def load_ranks(self) -> None:
        """Load the recorded ranks into Redis, which has none."""
        conformance.load_ranks(self.redis.url)

    def settings(self, driver: str, host: str = "127.0.0.1", port: int | None = None) -> dict[str, str]:
        """Return the settings of a service that uses them, and reaches the database at that address."""
        return LIMITS | {
            "database_url": f"{DRIVERS[driver]}://{USER}:{PASSWORD}@{host}:{port or self.database_port}/recorded",
            "redis_url": self.redis.url,
            "game_server_url": self.game_server.url,
            "domain": DOMAIN,
            "data_directory": str(self.data),
            "access_log": "off",
        }


class Service(NamedTuple):
    """A running service."""

    process: Process
    url: str

    @property
    def port(self) -> int:
        """The port it listens on."""
        return urlsplit(self.url).port or 0

    def ready_workers(self) -> list[int]:
        """Return the ids of the workers that have been ready, in the order in which they were."""
        return [int(id) for id in re.findall(r"worker (\d+) is ready", self.process.output(1_000_000))]


@contextmanager
def start_servers() -> Iterator[Servers]:
    """Start the servers, with the recorded world."""
    with (
        servers.mariadb(private=True) as mariadb,
        servers.redis(private=True) as redis,
        game_server() as game,
        tempfile.TemporaryDirectory(prefix="apidot-") as folder,
    ):
        database = mariadb.database("recorded")
        conformance.load(database)
        for host in ("127.0.0.1", "localhost"):
            user = f"'{USER}'@'{host}'"
            mariadbd.execute(database, *(text.format(user=user, password=PASSWORD) for text in PRIVILEGES))
        game.matches = {3: match("Faults", (12, "jaxtal66314"), in_progress=True)}
        data = Path(folder, "data")
        for name in ("osr", "osu"):
            shutil.copytree(conformance.WORLD / name, data / name)
        with closing(mariadbd.connect(database)) as connection, connection.cursor() as cursor:
            # Not one of the game server's players.
            cursor.execute("SELECT id, api_key FROM users WHERE api_key IS NOT NULL AND priv & 3 = 3 AND id <> 12")
            player, key = cursor.fetchall()[0]
            cursor.execute("UPDATE users SET userpage_content = %s WHERE id = %s", (USERPAGE, player))
        here = Servers(mariadb, redis, game, database, data, player, key)
        here.load_ranks()
        yield here


@contextmanager
def start_service(
    settings: Mapping[str, str], workers: int = 1, program: Sequence[str] = MAIN
) -> Iterator[Service]:
    """Run the service with these settings and no others. `program` are the interpreter's arguments."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        env_file = Path(folder, "settings")
        env_file.touch()
        command = [sys.executable, *program, "--env", str(env_file), "serve"]
        command += ["--port", str(port), "--workers", str(workers)]
        environment = {name.upper(): value for name, value in settings.items()}
        with serve(command, port, environment, folder=ROOT) as process:
            service = Service(process, f"http://127.0.0.1:{port}")
            if polled(lambda: len(service.ready_workers()) >= workers, START) is None:
                raise NotReady(f"{workers} workers were not ready within {START:g} s")
            yield service


def polled(condition: Callable[[], bool], seconds: float) -> float | None:
    """Wait until the condition is true. Return how long that took, or None if it took longer than `seconds`."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(0.02)
    return None
