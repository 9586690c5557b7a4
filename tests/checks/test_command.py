"""The command `check`: its output, its exit codes, and that it shows no secrets."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import main
from checks.command import check
from checks.findings import Report
from tests.conftest import ROOT
from tests.support.checks import run_command

SECRETS = {
    "db_user": "reader",
    "db_host": "127.0.0.1",
    "db_port": "1",
    "db_name": "bancho",
    "db_pass": "a/pass word",
    "redis_host": "127.0.0.1",
    "redis_port": "1",
    "redis_user": "reader",
    "redis_pass": "another@pass",
}


def test_a_fresh_machine_is_fine(tmp_path: Path) -> None:
    outcome = run_command(check, tmp_path)

    assert outcome.status == 0
    assert "demo world" in outcome.stdout
    assert list(tmp_path.iterdir()) == []


def test_warnings_exit_with_1_and_have_a_line_each(tmp_path: Path, recorded_sqlite: str) -> None:
    outcome = run_command(check, tmp_path, database_url=recorded_sqlite)

    *lines, verdict = outcome.stdout.splitlines()
    assert outcome.status == 1
    assert {line.split()[0] for line in lines} == {"ok", "warning"}
    assert all(" -> " in line for line in lines if line.startswith("warning"))
    assert verdict == "it can be served, but there are warnings"
    assert outcome.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_errors_exit_with_2_and_show_no_secrets(tmp_path: Path, arguments: list[str]) -> None:
    outcome = run_command(check, tmp_path, *arguments, **SECRETS)

    assert outcome.status == 2
    assert "DB_PASS=********" in outcome.stdout
    for secret in ("a/pass", "a%2Fpass", "another@pass", "another%40pass"):
        assert secret not in outcome.stdout + outcome.stderr


def test_the_json_is_the_report_and_stays_the_same(tmp_path: Path, recorded_sqlite: str) -> None:
    first, second = (run_command(check, tmp_path, "--json", database_url=recorded_sqlite) for _ in range(2))

    report = msgspec.json.decode(first.stdout, type=Report)
    assert first.stdout == second.stdout
    assert list(json.loads(first.stdout)) == ["level", "exit_code", "findings"]
    assert (report.level, report.exit_code) == ("warning", first.status)
    assert report.findings[0].code == "settings.in-force"


@pytest.mark.parametrize("command", ["check", "check-replays"])
def test_a_bad_setting_exits_with_2(tmp_path: Path, command: str) -> None:
    (tmp_path / "settings").touch()
    environment = {"APIDOT_ENV_FILE": str(tmp_path / "settings"), "API_PORT": "many"}
    outcome = CliRunner().invoke(main.cli, [command], env=environment)

    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("apidot: API_PORT")


@pytest.mark.parametrize("url", ["api.example.com", "ftp://example.com", "https://", "http://x:port/"])
def test_a_bad_url_is_refused(tmp_path: Path, url: str) -> None:
    outcome = run_command(check, tmp_path, "--url", url)

    assert outcome.status == 2
    assert "--url" in outcome.stderr


def test_a_terminal_shows_the_subject_of_each_check(tmp_path: Path, recorded_sqlite: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "main.py"), "check"]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": recorded_sqlite}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)

    assert ended.returncode == 1
    assert "\033[Kschema" in shown
    assert shown.endswith("\033[K")


def test_a_mistake_in_a_check_is_a_finding(
    tmp_path: Path, recorded_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise KeyError("geheim")

    monkeypatch.setattr("checks.command.run_checks", fails)
    for arguments in ([], ["--json"]):
        outcome = run_command(check, tmp_path, *arguments, database_url=recorded_sqlite)
        assert (outcome.status, outcome.stderr) == (2, "")
        assert "a check failed: KeyError in line " in outcome.stdout
        assert "geheim" not in outcome.stdout
        if arguments:
            assert json.loads(outcome.stdout)["findings"][0]["code"] == "check.failed"
