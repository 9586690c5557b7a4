"""The systemd unit: checked by systemd-analyze, and its commands are run."""

import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import httpx2

from tests.conftest import ROOT
from tests.support import install
from tests.support.nginx import rendered
from tests.support.processes import free_port, serve

SHIPPED = ROOT / "deploy" / "apidot.service"
UNIT = SHIPPED.read_text(encoding="utf-8")


def systemd_analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run systemd-analyze, with its errors in stdout."""
    command = [install.require(install.SYSTEMD), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def command_of(key: str) -> list[str]:
    """Return the command of a key of the unit."""
    line = re.search(rf"^{key}=(.*)$", UNIT, re.MULTILINE)
    assert line
    return shlex.split(line[1])


def workers(pid: int) -> set[int]:
    """Return the process ids of the workers of a service."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return {child for child in children if _is_worker(child)}


def _is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    # It has just ended.
    except FileNotFoundError:
        return False


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    # systemd-analyze requires that the program exists, so /opt/apidot is replaced.
    unit = tmp_path / "apidot.service"
    unit.write_text(rendered(UNIT, {"/opt/apidot/.venv/bin/python": sys.executable, "/opt/apidot": str(ROOT)}))
    shutil.copy(ROOT / "deploy" / "apidot.socket", tmp_path)

    verified = systemd_analyze("verify", str(unit), str(tmp_path / "apidot.socket"))

    # It also warns about the units of other programs on this machine.
    ours = [line for line in verified.stdout.splitlines() if "apidot" in line]
    assert (verified.returncode, ours) == (0, [])


def test_the_unit_limits_what_the_service_uses_up() -> None:
    for key in ("LimitNOFILE", "MemoryMax", "OOMPolicy"):
        assert len(re.findall(rf"^{key}=\S+$", UNIT, re.MULTILINE)) == 1


def test_the_unit_is_hardened() -> None:
    security = systemd_analyze("security", "--offline=true", "--threshold=15", str(SHIPPED))

    assert security.returncode == 0, security.stdout


def test_the_unit_s_commands_start_and_reload_the_service(tmp_path: Path, recorded_sqlite: str) -> None:
    settings = tmp_path / "bancho.env"
    settings.write_text(f"DATABASE_URL={recorded_sqlite}\n")
    port = free_port()
    command = command_of("ExecStart")
    assert command[0] == "/opt/apidot/.venv/bin/python"
    command = [sys.executable, *command[1:], "--port", str(port)]
    command = [word.replace("${CREDENTIALS_DIRECTORY}", str(tmp_path)) for word in command]
    url = f"http://127.0.0.1:{port}/v1/get_leaderboard"
    stop, failures, statuses = Event(), list[Exception](), list[int]()

    def send_requests() -> None:
        while not stop.is_set():
            # Each with its own connection, which a restart could refuse.
            try:
                statuses.append(httpx2.get(url, trust_env=False).status_code)
            except httpx2.TransportError as error:
                failures.append(error)

    with serve(command, port, {}, url, folder=ROOT) as process:
        before = workers(process.pid)
        client = Thread(target=send_requests)
        client.start()
        subprocess.run(
            [word.replace("$MAINPID", str(process.pid)) for word in command_of("ExecReload")], check=True
        )
        deadline = time.monotonic() + 30
        while workers(process.pid) & before and time.monotonic() < deadline:
            time.sleep(0.1)
        stop.set()
        client.join()
        after = workers(process.pid)

    assert len(before) == len(after) == 2
    assert not before & after
    assert not failures
    assert set(statuses) == {200}
