"""Programs that the tests run on a free port, with their output in a file."""

import atexit
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self

import httpx2


class NotReady(Exception):
    """A program ended or did not respond in time. The message ends with its output."""


class Child(Protocol):
    """The part of subprocess.Popen that Process uses."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...


class Process:
    """A program that can be stopped, started again, paused and resumed."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        ready: Callable[[], bool],
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.command = list(command)
        self._folder = folder
        self.log = log
        self._ready = ready
        self._env = env
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The id of the process and of its process group."""
        if self._child is None:
            raise RuntimeError(f"{self.command[0]} is not running")
        return self._child.pid

    def start(self, seconds: float = 30) -> None:
        """Start it and wait until it responds. Raises NotReady if it ends before, or has not responded by then."""
        if self._child is not None:
            raise RuntimeError(f"{self.command[0]} is running already")
        self._child = self._launch()
        atexit.register(self.stop)
        try:
            self._wait(self._child, seconds)
        except BaseException:
            self.stop()
            raise

    def _launch(self) -> Child:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*_die_with_us(), *self.command],
                env=self._env,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the whole process group; the tests end their programs themselves.
                start_new_session=True,
            )

    def _wait(self, child: Child, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._ready():
            status = child.poll()
            if status is not None:
                raise NotReady(f"{self.command[0]} ended with {status}:\n{self.output()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.command[0]} does not answer after {seconds} s:\n{self.output()}")
            time.sleep(0.02)

    def stop(self, seconds: float = 15) -> int | None:
        """Stop it, or kill it if it takes longer. Return its exit status, or None if it was not running."""
        if self._child is None:
            return None
        self._child.terminate()
        self.resume()
        try:
            status = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            status = self._child.wait()
        self._child = None
        atexit.unregister(self.stop)
        return status

    def kill(self) -> None:
        """End it without giving it a chance to do anything."""
        self._signal(signal.SIGKILL)
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pause(self) -> None:
        """Let its port accept connections, and nothing respond to them."""
        self._signal(signal.SIGSTOP)
        # The threads stop some time after the signal was sent.
        while {"R", "S", "D"} & set(self._states()):
            time.sleep(0.005)

    def _states(self) -> Iterator[str]:
        """Yield the state of each thread, as in proc(5). Where there is no /proc, yield nothing."""
        for stat in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                yield stat.read_text().rpartition(") ")[2][0]

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def advance(self, seconds: float) -> None:
        """Put its clock forward. Raises NotImplementedError unless it is a ForkedProcess."""
        raise NotImplementedError

    def output(self, lines: int = 60) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def _die_with_us() -> list[str]:
    # Linux delivers the signal when the *thread* that started the program ends, so only from the main one.
    setpriv = shutil.which("setpriv")
    main = threading.current_thread() is threading.main_thread()
    return [setpriv, "--pdeathsig", "TERM"] if setpriv and main else []


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let one process at a time run the block."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_handed_out: set[int] = set()


def free_port() -> int:
    """Return a free port of the loopback address, a different one each time.

    The processes of pytest-xdist, up to eight, have ranges of their own.
    """
    # Below the ports of outgoing connections: a client that tries again and again to reach a stopped server on one
    # of those ends up connected to itself, and the server cannot start again.
    first = 20000 + 1500 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
    while True:
        port = random.choice([port for port in range(first, first + 1500) if port not in _handed_out])
        _handed_out.add(port)
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port


def answers(port: int, url: str | None = None) -> bool:
    """Return whether the port accepts connections and, if a URL is given, the response to it is a 2xx."""
    if url is not None:
        with suppress(httpx2.TransportError):
            return httpx2.get(url, timeout=5, trust_env=False, verify=False).is_success
        return False
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serve(
    command: Sequence[str],
    port: int,
    env: Mapping[str, str],
    ready_url: str | None = None,
    *,
    folder: Path | None = None,
    kind: type[Process] = Process,
) -> Iterator[Process]:
    """Run the command, and enter the block when its port (and the URL) responds.

    Of this process's environment it has only PATH and HOME, since a developer's may have settings of the service.
    Its output is added to an exception that leaves the block.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        log, ready, everything = Path(name, "output"), lambda: answers(port, ready_url), {**inherited, **env}
        process = kind(command, ready=ready, log=log, env=everything, folder=folder)
        with process:
            try:
                yield process
            except BaseException as error:
                error.add_note(f"{process.command[0]} wrote:\n{process.output()}")
                raise
