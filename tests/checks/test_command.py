"""The command itself: its output, its exit codes, and that it says no secret."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from checks.findings import Report
from tests.conftest import ROOT

CHECK = [sys.executable, str(ROOT / "main.py"), "check"]
SECRETS = {
    "DB_USER": "reader",
    "DB_HOST": "127.0.0.1",
    "DB_PORT": "1",
    "DB_NAME": "bancho",
    "DB_PASS": "a/pass word",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": "1",
    "REDIS_USER": "reader",
    "REDIS_PASS": "another@pass",
}


def check(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command run with these settings and no others."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | settings
    return subprocess.run([*CHECK, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_a_fresh_machine_is_fine(tmp_path: Path) -> None:
    done = check(tmp_path)

    assert done.returncode == 0
    assert "demo world" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_warnings_end_with_1_and_a_line_each(tmp_path: Path, recorded_sqlite: str) -> None:
    done = check(tmp_path, DATABASE_URL=recorded_sqlite)

    *lines, verdict = done.stdout.splitlines()
    assert done.returncode == 1
    assert {line.split()[0] for line in lines} == {"ok", "warning"}
    assert all(" -> " in line for line in lines if line.startswith("warning"))
    assert verdict == "it can be served, and something is to be done"
    assert done.stderr == ""


def test_what_cannot_be_served_ends_with_2_and_says_no_secret(tmp_path: Path) -> None:
    for arguments in ([], ["--json"]):
        done = check(tmp_path, *arguments, **SECRETS)

        assert done.returncode == 2
        assert "DB_PASS=********" in done.stdout
        for secret in ("a/pass", "a%2Fpass", "another@pass", "another%40pass"):
            assert secret not in done.stdout + done.stderr


def test_the_json_is_the_report_and_stays_the_same(tmp_path: Path, recorded_sqlite: str) -> None:
    first, second = (check(tmp_path, "--json", DATABASE_URL=recorded_sqlite) for _ in range(2))

    found = msgspec.json.decode(first.stdout, type=Report)
    assert first.stdout == second.stdout
    assert list(json.loads(first.stdout)) == ["level", "exit_code", "findings"]
    assert (found.level, found.exit_code) == ("warning", first.returncode)
    assert found.findings[0].code == "settings.in-force"


def test_a_setting_that_cannot_be_used_ends_with_2(tmp_path: Path) -> None:
    done = check(tmp_path, API_PORT="many")

    assert done.returncode == 2
    assert "API_PORT" in done.stderr


@pytest.mark.parametrize("url", ["api.example.com", "ftp://example.com", "https://", "http://x:port/"])
def test_what_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    done = check(tmp_path, "--url", url)

    assert done.returncode == 2
    assert "--url" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_shows_what_is_being_looked_at(tmp_path: Path, recorded_sqlite: str) -> None:
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": recorded_sqlite}
    done = subprocess.run(CHECK, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)

    assert done.returncode == 1
    assert "\033[Kschema" in shown
    assert shown.endswith("\033[K")
