"""Run main.py in a process that is forked from one that has imported the service already.

The tests start the service two hundred times. Importing it takes half a second of CPU, and the rest of a start a
tenth of a second.
"""

import logging
import multiprocessing
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from ctypes import c_double
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from tests.support.processes import Child, Process


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.preloaded", __name__])
    return context


_forks = _context()


class ForkedProcess(Process):
    """A process whose command is the interpreter, main.py and its arguments."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ahead = _forks.Value("d", 0.0, lock=False)

    def advance(self, seconds: float) -> None:
        self._ahead.value += seconds

    def _launch(self) -> Child:
        return _Fork(self.command[2:], self._env or {}, self._folder, self.log, self._ahead)


class _Fork:
    def __init__(self, *arguments: Any) -> None:
        self._process = _forks.Process(target=_run, args=arguments)
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("main.py", timeout or 0)
        return status

    def terminate(self) -> None:
        self._process.terminate()


def _run(arguments: list[str], env: Mapping[str, str], folder: Path | None, log: Path, ahead: c_double) -> None:
    # As other programs of the tests: Ctrl-C does not reach it, and it ends when the tests do.
    os.setsid()
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(env)
    if folder is not None:
        os.chdir(folder)
    import main
    from tests.support import preloaded

    preloaded.ahead = ahead
    try:
        main.cli(arguments, prog_name="main.py")
    finally:
        logging.shutdown()


def _end_with_the_tests() -> None:
    tests = multiprocessing.parent_process()
    assert tests
    tests.join()
    os.kill(os.getpid(), signal.SIGTERM)
