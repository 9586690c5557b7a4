"""Clients of a running server: wrk with many connections, or a single client that waits for each response."""

import http.client
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from bench import machine
from bench.results import WrkResult
from tests.support import install

SCRIPT = Path(__file__).parent / "rotate.lua"
# Seconds after which wrk ends by itself, in case this process is killed before it interrupts wrk.
MAX_SECONDS = 60


class Failed(Exception):
    """A server did not respond as expected, or wrk failed."""


class Client:
    """Sends requests to a port of this machine, from other cores than the server's."""

    def __init__(self, port: int, cores: set[int], connections: int, *, host: str = "") -> None:
        """`host` is the value of the Host header, by default the address."""
        self._port = port
        self._cores = cores
        self._connections = connections
        self._headers = {"Host": host} if host else {}

    def load(self, paths: Sequence[str], seconds: float) -> WrkResult:
        """Request the paths in turn, as fast as the server responds. Raise CannotInstall and Failed.

        If no response arrives in that time, measure again for twice as long.
        """
        result = self._wrk(paths, seconds)
        while not result.requests and not result.errors and seconds < MAX_SECONDS:
            seconds *= 2
            result = self._wrk(paths, seconds)
        return result

    def _wrk(self, paths: Sequence[str], seconds: float) -> WrkResult:
        wrk = install.require(install.WRK)
        with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
            file.write("\n".join(paths) + "\n")
            file.flush()
            command = [*machine.taskset(self._cores), wrk, "--threads", "1"]
            command += ["--connections", str(self._connections), "--duration", f"{seconds + MAX_SECONDS:.0f}s"]
            command += ["--timeout", "30s", "--script", str(SCRIPT), f"http://127.0.0.1:{self._port}"]
            with subprocess.Popen(
                command,
                env={**os.environ, "PATHS": file.name, "HOST": self._headers.get("Host", "")},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as child:
                try:
                    # wrk takes whole seconds only. When it is interrupted, it reports what it has counted so far.
                    _wait_until_interruptible(child)
                    time.sleep(seconds)
                    child.send_signal(signal.SIGINT)
                    output, _ = child.communicate(timeout=60)
                except BaseException:
                    child.kill()
                    raise
        _, separator, result = output.rpartition("RESULT ")
        if not separator:
            raise Failed(f"wrk ended with {child.returncode}:\n{output}")
        return msgspec.json.decode(result.strip(), type=WrkResult)

    def warm_up(self, paths: Sequence[str], seconds: float) -> None:
        """Send requests that are not measured, to open connections and fill caches."""
        if seconds:
            self.load(paths, seconds)

    def get(self, path: str) -> bytes:
        """Return the body of a response. Raise Failed for any status but 200."""
        status, body = self._get(path)
        if status != 200:
            raise Failed(f"{path} returned {status}: {body[:300]!r}")
        return body

    def answers(self, path: str) -> bool:
        """Return whether the status of a response is 200."""
        return self._get(path)[0] == 200

    def _get(self, path: str) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            return response.status, response.read()

    def response_times(self, paths: Iterator[str], requests: int, seconds: float) -> list[float]:
        """Return the response times, in ms, of so many requests; fewer, but at least two, if the time is over."""
        times: list[float] = []
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            deadline = time.monotonic() + seconds
            # The first request opens the connection, and those of the server to its database. It is not counted.
            while len(times) <= requests and (len(times) < 3 or time.monotonic() < deadline):
                path = next(paths)
                began = time.perf_counter()
                connection.request("GET", path, headers=self._headers)
                response = connection.getresponse()
                response.read()
                times.append((time.perf_counter() - began) * 1000)
                if response.status != 200:
                    raise Failed(f"{path} returned {response.status}")
        return times[1:]


def _wait_until_interruptible(child: subprocess.Popen[str]) -> None:
    """Wait until wrk handles SIGINT, which is when it begins to count. Earlier, the signal would end it."""
    while child.poll() is None:
        status = Path(f"/proc/{child.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        if int(caught, 16) & 1 << (signal.SIGINT - 1):
            return
        time.sleep(0.002)
