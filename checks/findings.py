"""What the checks find."""

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]

EXIT_CODES: dict[Level, int] = {"ok": 0, "warning": 1, "error": 2}


class Finding(msgspec.Struct, frozen=True):
    """One line of the report. `code` stays the same when the texts change; `advice` says what to do."""

    level: Level
    code: str
    text: str
    advice: str = ""

    @property
    def subject(self) -> str:
        """What was checked: the part of the code before the full stop."""
        return self.code.partition(".")[0]


class Report(msgspec.Struct, frozen=True):
    """All findings, and the worst of their levels."""

    level: Level
    exit_code: int
    findings: list[Finding]


def report(findings: list[Finding]) -> Report:
    """Return the report of these findings."""
    levels: list[Level] = ["ok", *(finding.level for finding in findings)]
    level = max(levels, key=lambda level: EXIT_CODES[level])
    return Report(level, EXIT_CODES[level], findings)


def ok(code: str, text: str) -> Finding:
    """Return a finding about what is right, or worth knowing."""
    return Finding("ok", code, text)


def warning(code: str, text: str, advice: str) -> Finding:
    """Return a finding about what is slow, or makes some responses worse."""
    return Finding("warning", code, text, advice)


def error(code: str, text: str, advice: str) -> Finding:
    """Return a finding about what makes it impossible to serve."""
    return Finding("error", code, text, advice)
