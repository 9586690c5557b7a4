"""Asks a server that runs: wrk with many connections, or a single client that waits for each answer."""

import http.client
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench import machine
from bench.results import Shot
from tests.support import install

SCRIPT = Path(__file__).parent / "rotate.lua"
# Seconds: wrk is interrupted long before, unless whoever should do so has been killed.
ENOUGH = 60


class Failed(Exception):
    """A server did not answer a question as it should have."""


class Client:
    """Asks the server at a port of this machine, from cores of its own."""

    def __init__(self, port: int, cores: set[int], connections: int) -> None:
        self._port = port
        self._cores = cores
        self._connections = connections

    def load(self, paths: Sequence[str], seconds: float) -> Shot:
        """The paths in turn, as fast as the server answers. Raises CannotInstall.

        For twice as long, and twice again, when nothing was answered in that time.
        """
        shot = self._shoot(paths, seconds)
        while not shot.requests and not shot.errors and seconds < ENOUGH:
            seconds *= 2
            shot = self._shoot(paths, seconds)
        return shot

    def _shoot(self, paths: Sequence[str], seconds: float) -> Shot:
        wrk = install.require(install.WRK)
        with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
            file.write("\n".join(paths) + "\n")
            file.flush()
            command = [*machine.on(self._cores), wrk, "--threads", "1", "--connections", str(self._connections)]
            command += ["--duration", f"{seconds + ENOUGH:.0f}s", "--timeout", "30s", "--script", str(SCRIPT)]
            with subprocess.Popen(
                [*command, f"http://127.0.0.1:{self._port}"],
                env={**os.environ, "PATHS": file.name},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as child:
                try:
                    # wrk itself knows whole seconds only; interrupted, it tells what it has counted.
                    _wait_until_interruptible(child)
                    time.sleep(seconds)
                    child.send_signal(signal.SIGINT)
                    output, _ = child.communicate(timeout=60)
                except BaseException:
                    child.kill()
                    raise
        _, found, result = output.rpartition("RESULT ")
        if not found:
            raise Failed(f"wrk ended with {child.returncode}:\n{output}")
        return msgspec.json.decode(result.strip(), type=Shot)

    def warm(self, paths: Sequence[str], seconds: float) -> None:
        """Opens what connections and fills what caches there are; not at all for no seconds."""
        if seconds:
            self.load(paths, seconds)

    def body(self, path: str) -> bytes:
        """The answer to one path. Raises Failed for any but 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise Failed(f"{path} is answered with {answer.status}: {body[:300]!r}")
        return body

    def waits(self, paths: Iterator[str], requests: int, seconds: float) -> list[float]:
        """What each answer takes, in ms: so many, or as many as come in that time, and two at the least."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        taken: list[float] = []
        try:
            deadline = time.monotonic() + seconds
            # The first one opens the connection, and those of the server to its database.
            while len(taken) <= requests and (len(taken) < 3 or time.monotonic() < deadline):
                path = next(paths)
                began = time.perf_counter()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                taken.append((time.perf_counter() - began) * 1000)
                if answer.status != 200:
                    raise Failed(f"{path} is answered with {answer.status}")
        finally:
            connection.close()
        return taken[1:]


def _wait_until_interruptible(child: subprocess.Popen[str]) -> None:
    """Before wrk takes SIGINT, which is when it begins to count, the signal would end it or be lost."""
    while child.poll() is None:
        status = Path(f"/proc/{child.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        if int(caught, 16) & 1 << (signal.SIGINT - 1):
            return
        time.sleep(0.002)
