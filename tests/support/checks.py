"""The commands `check` and `check-replays`, run in the process of the tests."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import click
from click.testing import CliRunner

from checks.findings import Finding
from checks.order import run as run_checks
from config.environment import settings_from
from config.settings import Settings
from demo.settings import in_demo_world


class Findings:
    """The findings of a check, and their levels and numbers by code."""

    def __init__(self, findings: list[Finding]) -> None:
        self.all = findings
        self.levels = {finding.code: finding.level for finding in findings}
        self.counts = Counter(finding.code for finding in findings)

    def text(self, code: str) -> str:
        """Return the text and the advice of the only finding with this code."""
        (finding,) = (finding for finding in self.all if finding.code == code)
        return f"{finding.text} -> {finding.advice}"

    def codes(self, subject: str) -> dict[str, str]:
        """Return the levels of one subject's findings, by code."""
        return {finding.code: finding.level for finding in self.all if finding.subject == subject}


class Outcome(NamedTuple):
    """The exit code of a command, and what it wrote."""

    status: int
    stdout: str
    stderr: str


def settings_of(folder: Path, **settings: str) -> Settings:
    """Return these settings and no others, as of a settings file in `folder`."""
    return settings_from({name.upper(): value for name, value in settings.items()}, folder)


def check(folder: Path, url: str | None = None, **settings: str) -> Findings:
    """Return what `check` finds with these settings. Raise AssertionError if a password is among it."""
    configured = settings_of(folder, **settings)
    demo = configured.database is None
    findings = asyncio.run(run_checks(in_demo_world(configured), demo=demo, url=url, progress=lambda _: None))
    for name in ("database_url", "redis_url"):
        password = urlsplit(settings.get(name, "")).password
        assert not password or all(password not in f"{finding}" for finding in findings)
    return Findings(findings)


def run_command(command: click.Command, folder: Path, *arguments: str, **settings: str) -> Outcome:
    """Run a command with these settings and no others."""
    log = logging.getLogger("apidot")
    try:
        result = CliRunner().invoke(
            command, arguments, obj=lambda: settings_of(folder, **settings), catch_exceptions=False
        )
    finally:
        # `check` turns the log off, for the process that runs it and nothing else.
        log.disabled = False
    return Outcome(result.exit_code, result.stdout, result.stderr)
