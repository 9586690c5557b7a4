"""What `check` finds, without a process of its own."""

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from checks.findings import Finding
from checks.order import run as run_checks
from config.environment import settings_from
from demo.settings import in_demo_world


class Examined:
    """The findings, and by their codes the levels and the texts."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.levels = {finding.code: finding.level for finding in findings}
        self.counts = Counter(finding.code for finding in findings)

    def text(self, code: str) -> str:
        """The text and the advice of the only finding with this code."""
        (found,) = (finding for finding in self.findings if finding.code == code)
        return f"{found.text} -> {found.advice}"

    def codes(self, subject: str) -> dict[str, str]:
        """The levels of one subject's findings."""
        return {finding.code: finding.level for finding in self.findings if finding.subject == subject}


def examined(folder: Path, url: str | None = None, **settings: str) -> Examined:
    """What there is to find with these settings. Raises AssertionError when a password is among it."""
    environment = {name.upper(): value for name, value in settings.items()}
    configured = settings_from(environment, folder)
    demo = configured.database is None
    findings = asyncio.run(run_checks(in_demo_world(configured), demo=demo, url=url, progress=lambda _: None))
    for name in ("database_url", "redis_url"):
        password = urlsplit(settings.get(name, "")).password
        assert not password or all(password not in f"{finding}" for finding in findings)
    return Examined(findings)
