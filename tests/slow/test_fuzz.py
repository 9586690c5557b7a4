"""A short run of the fuzzer, with each driver, finds nothing wrong."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
def test_the_fuzzer_finds_nothing(driver: str) -> None:
    command = [
        sys.executable,
        "-m",
        "fuzz",
        "--number",
        "3000",
        "--seed",
        "1",
        "--driver",
        driver,
        "--bound",
        "60",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
    assert "2700 cases" in run.stdout
    assert "300 cases" in run.stdout
