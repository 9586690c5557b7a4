"""The service that is fuzzed, on the recorded world in MariaDB and Redis and beside a game server; and its log."""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx2

from fuzz.checks import Problem
from fuzz.values import KEYS
from tests.support import conformance, mariadbd, servers
from tests.support.game_server import DOMAIN, game_server, match
from tests.support.processes import Process, free_port, serve

# What the owner of an API key can change.
CHANGEABLE = {"userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon"}
LINE = re.compile(r"time=\S+ level=(\w+) ")
MIB = 2**20
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Target:
    """A running service, and its data."""

    host: str
    port: int
    process: Process
    database: str
    data: Path

    def get(self, path: str) -> httpx2.Response:
        """Return the response to an ordinary request."""
        return httpx2.get(f"http://{self.host}:{self.port}{path}", trust_env=False, verify=False, timeout=30)

    def document(self) -> dict[str, Any]:
        """Return /openapi.json."""
        document: dict[str, Any] = self.get("/openapi.json").json()
        return document

    def memory(self) -> float:
        """Return the memory of the process in MiB."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / MIB

    def open_files(self) -> int:
        """Return how many files and connections the process has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def state(self) -> dict[str, str]:
        """Return a checksum of each table and file that no request may change."""
        state = {}
        with closing(mariadbd.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            for (table,) in cursor.fetchall():
                cursor.execute(f"SHOW COLUMNS IN {table}")
                columns = ", ".join(f"`{row[0]}`" for row in cursor.fetchall() if row[0] not in CHANGEABLE)
                cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}")
                state[f"table {table}"] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
        owners = {str(owner) for owner in KEYS.values()}
        for file in sorted(self.data.rglob("*")):
            if file.is_file() and not (file.parent.name == "avatars" and file.stem in owners | {".lock"}):
                state[str(file.relative_to(self.data))] = hashlib.sha256(file.read_bytes()).hexdigest()
        return state

    def faults_in_log(self) -> Iterator[Problem]:
        """Yield a problem for each line that should not be in the log."""
        begun = False
        lines = self.process.log.read_text("utf-8", "replace").split("\n")
        for number, line in enumerate(lines):
            match = LINE.match(line)
            begun = begun or bool(match)
            if match and match[1] == "error":
                rest = list(takewhile(lambda text: text.startswith("    "), lines[number + 1 : number + 300]))
                shown = [line, *(rest if len(rest) < 20 else ["    …", *rest[-19:]])]
                cause = rest[-1].strip() if rest else line[match.end() :]
                yield Problem("an error in the log", cause[:200], "\n    ".join(shown))
            elif begun and line and not match and not line.startswith("    "):
                yield Problem("a line that is not one of the log's", line[:30], line)
            if any(key in line for key in KEYS):
                yield Problem("an API key in the log", "the log", line)

    def warnings(self) -> Iterator[str]:
        """Yield the messages of the warnings in the log."""
        for line in self.process.log.read_text("utf-8", "replace").splitlines():
            match = LINE.match(line)
            if match and match[1] == "warning":
                yield line[match.end() :]


@contextmanager
def running(driver: str, settings: Mapping[str, str], *options: str) -> Iterator[Target]:
    """Run the service with these settings in addition, and these options of `serve`."""
    with (
        tempfile.TemporaryDirectory(prefix="apidot-") as name,
        servers.mariadb() as mariadb,
        servers.redis() as redis,
        game_server() as game,
    ):
        folder = Path(name)
        database = mariadb.database("fuzz")
        conformance.load(database)
        conformance.load_ranks(redis.url)
        for kind in ("osr", "osu"):
            shutil.copytree(conformance.WORLD / kind, folder / "data" / kind)
        mariadbd.execute(database, "UPDATE users SET priv = 2 WHERE id = 29")
        game.matches = {number: match(f"match {number}", (12, "jaxtal66314")) for number in (1, 2, 63)}
        game.go_on()
        port = free_port()
        environment = {
            "DATABASE_URL": database.replace(
                "mysql:", {"aiomysql": "mysql:", "asyncmy": "mysql+asyncmy:"}[driver]
            ),
            "REDIS_URL": redis.url,
            "GAME_SERVER_URL": game.url,
            "DOMAIN": DOMAIN,
            "DATA_DIRECTORY": str(folder / "data"),
            # So that the memory stops growing early.
            "CACHE_BYTES": str(8 * MIB),
            "KEY_FAILURES": "100000",
            **settings,
        }
        (folder / "settings").touch()
        command = [
            sys.executable,
            str(ROOT / "main.py"),
            "--env",
            str(folder / "settings"),
            "serve",
            "--port",
            str(port),
        ]
        with serve([*command, *options], port, environment, f"http://127.0.0.1:{port}/health/ready") as process:
            yield Target("127.0.0.1", port, process, database, folder / "data")
