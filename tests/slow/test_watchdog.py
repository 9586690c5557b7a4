"""A worker that makes no progress ends itself, and another one is started."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from api.watchdog import EXIT_CODE
from tests.conftest import ROOT
from tests.support import lossy_proxy
from tests.support.processes import Process, free_port, serve

# `serve` with a path that stops the event loop, and if it is told so, with a driver that connects for ever.
PROGRAM = """
import asyncio, os, sys, time
sys.path[:0] = [os.environ["ROOT"], os.environ["HERE"]]
import uvicorn
import main
from storage.database import mysql_protocol

async def connect(connection):
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

def stop_the_loop(seconds):
    time.sleep(seconds)

def application():
    if "NEVER_CONNECTED" in os.environ:
        mysql_protocol.connect = connect
    service = main.application()

    async def stopping(scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/stop/"):
            stop_the_loop(float(scope["path"].removeprefix("/stop/")))
        await service(scope, receive, send)

    return stopping

if __name__ == "__main__":
    run = uvicorn.run
    uvicorn.run = lambda _, **options: run("program:application", **options)
    main.cli()
"""


@contextmanager
def serving(folder: Path, *options: str, **settings: str) -> Iterator[tuple[str, Process]]:
    """Run the program with a watchdog of two seconds. Yield its URL and its process."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    port = free_port()
    command = [sys.executable, str(program), "serve", "--port", str(port), *options]
    env = {"ROOT": str(ROOT), "HERE": str(folder), "WATCHDOG": "2"}
    env |= {name.upper(): value for name, value in settings.items()}
    with serve(command, port, env, folder=folder) as process:
        yield f"http://127.0.0.1:{port}", process


def get(url: str, seconds: float = 30) -> int:
    return httpx2.get(url, timeout=seconds, trust_env=False, verify=False).status_code


def workers(process: Process) -> list[int]:
    """The ids of the workers that were ready at some time, in this order."""
    return [int(pid) for pid in re.findall(r"worker (\d+) is ready", process.output(1000))]


def ended(process: Process, seconds: float) -> int:
    """Wait until the process has ended, and return its exit code."""
    assert process._child
    return process._child.wait(seconds)


def stopped_at(url: str, seconds: float) -> None:
    """Send a request that stops the event loop."""
    with pytest.raises(httpx2.TransportError):
        get(f"{url}/stop/{seconds}")


def test_another_worker_is_started(recorded_sqlite: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2", database_url=recorded_sqlite) as (url, process):
        deadline = time.monotonic() + 20
        while len(workers(process)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stopped_at(url, 60)
        while len(workers(process)) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for _ in range(10):
            assert get(f"{url}/v1/get_clan?id=1") == 200
        log = process.output(1000)
        (pid,) = re.findall(
            r'level=critical msg="worker (\d+) ends itself: the event loop has not run for 2 s"', log
        )
        assert int(pid) in workers(process)[:2]
        # The stacks of all threads.
        assert "in stop_the_loop" in log
        assert process.stop() == 0


def test_without_workers_the_process_ends(recorded_sqlite: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url=recorded_sqlite) as (url, process):
        # Slow is not stopped.
        for _ in range(3):
            assert get(f"{url}/stop/1") == 404
        stopped_at(url, 60)
        assert ended(process, 10) == EXIT_CODE
        assert "the event loop has not run for 2 s" in process.output(1000)


def test_a_suspended_process_goes_on(recorded_sqlite: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url=recorded_sqlite) as (url, process):
        assert get(f"{url}/v1/get_clan?id=1") == 200
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(5)
        os.kill(process.pid, signal.SIGCONT)
        for _ in range(8):
            assert get(f"{url}/v1/get_clan?id=2") == 200
            time.sleep(0.5)
        assert "ends itself" not in process.output(1000)


def test_connecting_that_cannot_be_cancelled_ends_the_process(tmp_path: Path) -> None:
    url_of_database = "mysql://user:secret@127.0.0.1:1/name"
    settings = {"database_url": url_of_database, "db_pool_wait": "0.5", "never_connected": "yes"}
    with serving(tmp_path, **settings) as (url, process):
        assert get(f"{url}/v1/get_clan?id=1") == 503
        assert ended(process, 10) == EXIT_CODE
        line = "an attempt to connect to the database has not ended 2 s after its deadline"
        assert line in process.output(1000)
        assert "secret" not in process.output(1000)


def test_a_database_that_is_away_ends_nothing(recorded_mysql: str, tmp_path: Path) -> None:
    with lossy_proxy.in_front_of(recorded_mysql) as (proxy, url_of_database):
        settings = {"database_url": url_of_database, "db_pool_wait": "0.5", "db_statement_timeout": "0.5"}
        with serving(tmp_path, **settings, cache="off") as (url, process), ThreadPoolExecutor(4) as others:
            assert get(f"{url}/v1/get_clan?id=1") == 200
            proxy.stall()
            until = time.monotonic() + 6
            while time.monotonic() < until:
                paths = [f"{url}/v1/get_clan?id={number}" for number in range(1, 5)]
                assert set(others.map(get, paths)) == {503}
            proxy.resume()
            time.sleep(2)
            assert get(f"{url}/v1/get_clan?id=1") == 200
            assert "ends itself" not in process.output(1000)


def test_it_can_be_turned_off(recorded_sqlite: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url=recorded_sqlite, watchdog="0") as (url, process):
        assert get(f"{url}/stop/5") == 404
        assert "ends itself" not in process.output(1000)
