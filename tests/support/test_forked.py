"""The service in a forked process starts, ends and prints like the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, running
from tests.support.forked import ForkedProcess
from tests.support.processes import NotReady, answers, free_port, serve

# A test run that is killed while a service runs.
HOLD = """
import sys, time
from tests.conftest import running
with running(database_url=sys.argv[1]) as service:
    print(service.client.base_url.port, flush=True)
    time.sleep(60)
"""


def test_it_has_its_own_environment_and_folder(recorded_sqlite: str, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(port)]
    environment = {"DATABASE_URL": recorded_sqlite}
    with serve(command, port, environment, folder=tmp_path, kind=ForkedProcess) as process:
        assert f"data folder   {tmp_path}/.data NOT FOUND" in process.output()
        assert os.getpgid(process.pid) == process.pid
        assert process.stop() == 0
        assert "has stopped; requests in flight: none" in process.output()


def test_a_start_that_fails_has_the_status_and_the_message_of_the_command() -> None:
    port = free_port()
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(port)]
    with (
        pytest.raises(NotReady, match=r"ended with 2:\napidot: API_PORT="),
        serve(command, port, {"API_PORT": "x"}, kind=ForkedProcess),
    ):
        pass


def test_it_can_be_killed_and_started_again(recorded_sqlite: str) -> None:
    with running(database_url=recorded_sqlite) as (client, process):
        os.kill(process.pid, signal.SIGKILL)
        assert process.stop() == -signal.SIGKILL
        process.start()
        assert client.get("/health/live").status_code == 200


def test_it_ends_with_a_run_that_is_killed(recorded_sqlite: str) -> None:
    command = [sys.executable, "-c", HOLD, recorded_sqlite]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout
        port = int(run.stdout.readline())
        assert answers(port)
        run.kill()
    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(port)
