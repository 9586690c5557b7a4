"""Programs are started until they answer, say why when they do not, and never outlive the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.processes import NotReady, Process, answers, free_port, serve

LISTEN = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(" ".join(os.environ).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
# A test run in the background inherits that Ctrl-C is ignored.
HOLD_REDIS = """
import signal
import time
from tests.support.servers import redis
signal.signal(signal.SIGINT, signal.default_int_handler)
with redis(private=True) as server:
    print(server.url, flush=True)
    time.sleep(60)
"""


def test_no_port_is_handed_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    for worker in ("gw5", "gw6", "gw7"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        found += [free_port() for _ in range(200)]
    assert len(set(found)) == len(found)
    assert found[:200] == [port for port in found if 27500 <= port < 29000]


def test_serve_runs_a_command_until_its_url_answers() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/healthz"

    with serve([sys.executable, "-c", LISTEN, str(port)], port, {"DB_NAME": "x"}, url) as process:
        seen = set(httpx2.get(url, trust_env=False).text.split())
        assert "GET /healthz" in process.output()

    assert {"DB_NAME", "PATH"} <= seen
    assert "PYTEST_CURRENT_TEST" not in seen
    assert not answers(port)


def test_a_url_that_answers_404_is_not_ready() -> None:
    port = free_port()

    with serve([sys.executable, "-c", LISTEN, str(port)], port, {}):
        assert answers(port)
        assert not answers(port, f"http://127.0.0.1:{port}/nothing")


def test_what_a_program_wrote_is_told_when_it_ends_early() -> None:
    command = [sys.executable, "-c", "print('DB_HOST is missing'); raise SystemExit(3)"]

    with pytest.raises(NotReady, match=r"ended with 3:\nDB_HOST is missing"), serve(command, free_port(), {}):
        pass


def test_what_a_program_wrote_is_told_when_the_test_fails() -> None:
    port = free_port()

    def fail() -> None:
        with serve([sys.executable, "-c", LISTEN, str(port)], port, {}):
            httpx2.get(f"http://127.0.0.1:{port}/nothing", trust_env=False)
            raise AssertionError

    with pytest.raises(AssertionError) as failure:
        fail()
    assert '"GET /nothing HTTP/1.1" 404' in failure.value.__notes__[0]


def test_a_program_that_never_answers_is_ended(tmp_path: Path) -> None:
    process = Process(["sleep", "60"], ready=lambda: False, log=tmp_path / "log")

    with pytest.raises(NotReady, match=r"does not answer after 0\.1 s"):
        process.start(seconds=0.1)

    assert process.stop() is None


def test_a_program_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process([sys.executable, "-c", DEAF], ready=lambda: "deaf" in log.read_text(), log=log)
    process.start()

    assert process.stop(seconds=0.1) == -signal.SIGKILL


def run_and_signal(number: signal.Signals, folder: Path) -> int:
    """The port of the Redis server of a test run that was sent the signal and has ended."""
    environ = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", HOLD_REDIS]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout
        port = urlsplit(run.stdout.readline().decode().strip()).port
        assert port
        assert answers(port)
        run.send_signal(number)
        run.wait(20)
    return port


def test_ctrl_c_leaves_neither_servers_nor_files(tmp_path: Path) -> None:
    port = run_and_signal(signal.SIGINT, tmp_path)

    assert not answers(port)
    assert not list(tmp_path.iterdir())


def test_servers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    port = run_and_signal(signal.SIGKILL, tmp_path)

    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(port)
