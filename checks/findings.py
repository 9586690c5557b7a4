"""What an examination finds."""

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]

# What each level means for who started the check: all is well, something is to be done, it cannot be served.
EXIT_CODES: dict[Level, int] = {"ok": 0, "warning": 1, "error": 2}


class Finding(msgspec.Struct, frozen=True):
    """One line of the report. `code` stays the same when the texts change; `advice` says what to do."""

    level: Level
    code: str
    text: str
    advice: str = ""

    @property
    def subject(self) -> str:
        """What was examined: the part of the code before the point."""
        return self.code.partition(".")[0]


class Report(msgspec.Struct, frozen=True):
    """All of the findings, and the worst of their levels."""

    level: Level
    exit_code: int
    findings: list[Finding]


def report(findings: list[Finding]) -> Report:
    """The findings with what they come to."""
    level: Level = "ok"
    for finding in findings:
        if EXIT_CODES[finding.level] > EXIT_CODES[level]:
            level = finding.level
    return Report(level, EXIT_CODES[level], findings)


def ok(code: str, text: str) -> Finding:
    """As it should be, or worth knowing."""
    return Finding("ok", code, text)


def warning(code: str, text: str, advice: str) -> Finding:
    """It is served, and something of it is wrong or slow."""
    return Finding("warning", code, text, advice)


def error(code: str, text: str, advice: str) -> Finding:
    """It cannot be served."""
    return Finding("error", code, text, advice)
