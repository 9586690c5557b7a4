"""An upgrade as docs/operating.md describes it, and the way back, under load. The test does what systemd would."""

import json
import os
import re
import shlex
import shutil
import signal
import site
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest

from config.version import VERSION
from tests.conftest import ROOT
from tests.support.nginx import NAME, nginx

UNIT = (ROOT / "deploy" / "apidot.service").read_text(encoding="utf-8")
OLD = "0.0.1"
CLIENTS = 4
# What only the new version requires.
REQUIREMENT = "apidot_test_requirement"


def install(folder: Path, version: str) -> None:
    """Make the folder of a version, with a virtual environment of its own."""
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        source = ROOT / line.removeprefix("!")
        if line.startswith("!") and source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", folder)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project.replace(f'version = "{VERSION}"', f'version = "{version}"'))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    (packages / "shared.pth").write_text("\n".join(site.getsitepackages()))
    if version != OLD:
        (packages / f"{REQUIREMENT}.py").touch()
        main = (folder / "main.py").read_text(encoding="utf-8")
        (folder / "main.py").write_text(main.replace("import click\n", f"import click\nimport {REQUIREMENT}\n", 1))


class Systemd:
    """Holds the socket of apidot.socket, starts and stops the service, and waits until it is ready."""

    def __init__(self, folder: Path, link: Path, settings: Path) -> None:
        command = re.search(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
        assert command
        self.command = (
            command[1].replace("/opt/apidot", str(link)).replace("${CREDENTIALS_DIRECTORY}", str(folder))
        )
        self.link, self.log = link, folder / "log"
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = self.listening.getsockname()[1]
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.bind(str(folder / "notify"))
        self.notifications.settimeout(90)
        settings.rename(folder / "bancho.env")

    def start(self) -> None:
        descriptor = self.listening.fileno()
        environment = {
            "PATH": os.environ["PATH"],
            "LISTEN_FDS": "1",
            "NOTIFY_SOCKET": self.notifications.getsockname(),
        }
        # The first descriptor that systemd passes is 3, and the id is that of the process that is started.
        script = f"cd {shlex.quote(str(self.link))}; exec 3<&{descriptor}; LISTEN_PID=$$ exec {self.command}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script], env=environment, pass_fds=[descriptor], stdout=log, stderr=log
            )
        # Each of the two workers says it, and the service is ready with the first.
        while self.notifications.recv(100) != b"READY=1":
            pass

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert code == 0, f"{code}\n{self.log.read_text()}"

        # Of the other worker, and STOPPING=1.
        self.notifications.setblocking(False)
        with suppress(BlockingIOError):
            while self.notifications.recv(100):
                pass
        self.notifications.settimeout(90)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.listening.close()
        self.notifications.close()

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def load(url: str) -> Iterator[Counter[object]]:
    """Send requests all the time while the block runs, each on its own connection. Yield what they get."""
    stop, got = Event(), Counter[object]()

    def send() -> None:
        while not stop.is_set():
            try:
                got[httpx2.get(url, headers={"Host": NAME}, trust_env=False, timeout=30).status_code] += 1
            except httpx2.TransportError as error:
                got[repr(error)] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send) for _ in range(CLIENTS)]
        try:
            yield got
        finally:
            stop.set()
    for each in sending:
        each.result()


@pytest.fixture
def systemd(tmp_path: Path, recorded_sqlite: str) -> Iterator[Systemd]:
    """The old version, running. The new one is not installed yet."""
    link, settings = tmp_path / "apidot", tmp_path / "settings"
    install(tmp_path / f"apidot-{OLD}", OLD)
    link.symlink_to(f"apidot-{OLD}")
    settings.write_text(f"DATABASE_URL={recorded_sqlite}\nRATE_LIMIT=0\n")
    systemd = Systemd(tmp_path, link, settings)
    try:
        systemd.start()
        yield systemd
    finally:
        systemd.close()


def test_an_upgrade_and_the_way_back_refuse_no_request(systemd: Systemd, tmp_path: Path) -> None:
    def running_version() -> str:
        answer = httpx2.get(f"http://127.0.0.1:{systemd.port}/health/live", trust_env=False)
        return str(answer.json()["version"])

    def switch(version: str) -> None:
        subprocess.run(["ln", "-sfn", f"apidot-{version}", systemd.link], check=True)
        assert running_version() != version
        systemd.restart()
        assert running_version() == version

    with nginx(systemd.port) as front, load(f"{front.http}/v1/get_leaderboard") as got:
        new = tmp_path / f"apidot-{VERSION}"
        install(new, VERSION)
        check: list[str | Path] = [
            new / ".venv/bin/python",
            "main.py",
            "--env",
            tmp_path / "bancho.env",
            "check",
            "--json",
        ]
        checked = subprocess.run(check, cwd=new, capture_output=True, text=True)
        assert json.loads(checked.stdout)["exit_code"] < 2, checked.stdout
        for version in (VERSION, OLD, VERSION):
            switch(version)
        time.sleep(1)
    assert set(got) == {200}
    assert got[200] > 100
    # The requirement of the new version is not among those of the old one.
    old = subprocess.run(
        [tmp_path / f"apidot-{OLD}" / ".venv/bin/python", "-c", f"import {REQUIREMENT}"], stderr=subprocess.DEVNULL
    )
    assert old.returncode == 1


def test_connections_that_are_open_during_a_restart(systemd: Systemd) -> None:
    # What has arrived on a connection is answered; one without a request is closed.
    with socket.create_connection(("127.0.0.1", systemd.port)) as idle:
        time.sleep(0.5)
        systemd.stop()
        assert idle.recv(1) == b""
        with socket.create_connection(("127.0.0.1", systemd.port)) as waiting:
            waiting.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            systemd.start()
            assert waiting.recv(12) == b"HTTP/1.1 200"
