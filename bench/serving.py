"""Starting the service and the floors, each as a process on the server's core."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.load import Client
from bench.machine import Cores
from bench.worlds import World
from tests.support.game_server import DOMAIN, GameServer
from tests.support.processes import Process, free_port, serve

ROOT = Path(__file__).resolve().parent.parent
AIOMYSQL, ASYNCMY = "aiomysql", "asyncmy"
DRIVERS = {AIOMYSQL: "mysql://", ASYNCMY: "mysql+asyncmy://"}


class Server(NamedTuple):
    """A running server, and a client of it."""

    client: Client
    process: Process
    port: int


@contextmanager
def service(
    world: World, cores: Cores, game_server: GameServer, connections: int, *, driver: str, cache: bool
) -> Iterator[Server]:
    """Run one worker of the service, as in production but without its log."""
    port = free_port()
    settings = {
        "DATABASE_URL": world.database.replace("mysql://", DRIVERS[driver]),
        "REDIS_URL": world.redis,
        "DATA_DIRECTORY": str(world.data),
        "GAME_SERVER_URL": game_server.url,
        "DOMAIN": DOMAIN,
        "LOG_LEVEL": "warning",
    }
    if not cache:
        settings["CACHE"] = "off"
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        env_file = Path(folder, "settings")
        env_file.touch()
        command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "serve", "--port", str(port)]
        with serve([*machine.taskset(cores.server), *command], port, settings) as process:
            yield Server(Client(port, cores.others, connections), process, port)


@contextmanager
def bare(name: str, cores: Cores, connections: int, environment: Mapping[str, str]) -> Iterator[Client]:
    """Run one of the applications in bench/bare.py on the same server as the service."""
    port = free_port()
    command = [*machine.taskset(cores.server), sys.executable, "-m", "uvicorn", f"bench.bare:{name}"]
    command += ["--port", str(port), "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]
    with serve(command, port, environment, folder=ROOT):
        yield Client(port, cores.others, connections)
