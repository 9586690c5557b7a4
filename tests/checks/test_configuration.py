"""What `check` says about settings that are accepted and yet probably wrong."""

import sys
from pathlib import Path

import pytest

from tests.support.checks import check


@pytest.mark.parametrize(
    ("domain", "is_wrong"),
    [
        ("api.example.com", True),
        ("API.osu.example.com", True),
        ("example.com", False),
        ("api.moe", False),
        ("localhost", False),
        ("my_server.local", False),
        ("", False),
    ],
)
def test_a_domain_that_begins_with_api(tmp_path: Path, recorded_sqlite: str, domain: str, is_wrong: bool) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, domain=domain)
    assert findings.codes("settings").get("settings.domain") == ("warning" if is_wrong else None)
    if is_wrong:
        assert f"sent to api.{domain} -> " in findings.text("settings.domain")
        assert findings.text("settings.domain").endswith(f": {domain[4:]}")


@pytest.mark.parametrize("python", ["/usr/bin/python9", "/etc", "/bin/true", "/bin/cat"])
def test_an_interpreter_that_does_not_start_the_pp_engine(
    tmp_path: Path, recorded_sqlite: str, python: str
) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite, pp_python=python)
    assert findings.levels["pp-engine.unusable"] == "warning"
    assert "PP_PYTHON" in findings.text("pp-engine.unusable")


def test_an_interpreter_without_the_pp_engine(tmp_path: Path, recorded_sqlite: str) -> None:
    python = tmp_path / "python"
    # -S: without the packages that are installed.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    findings = check(tmp_path, database_url=recorded_sqlite, pp_python=str(python))
    assert "NOT INSTALLED" in findings.text("pp-engine.unusable")


def test_the_pp_engine_without_a_setting(tmp_path: Path, recorded_sqlite: str) -> None:
    findings = check(tmp_path, database_url=recorded_sqlite)
    assert set(findings.codes("pp-engine").values()) == {"ok"}
