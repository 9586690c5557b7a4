"""The command of the fault suite: what it selects, and the table that it prints."""

import subprocess
import sys
from collections import Counter

import pytest
from click.testing import CliRunner

from faults import database, game_server, process, redis
from faults.__main__ import main
from faults.report import table
from faults.suite import FAULTS, Result
from faults.usage import Usage
from tests.conftest import ROOT


def test_every_fault_has_a_name_of_its_own() -> None:
    modules = (database, game_server, process, redis)
    assert len(FAULTS) == sum(len(module.FAULTS) for module in modules)
    assert len({fault.title for fault in FAULTS.values()}) == len(FAULTS)


@pytest.mark.parametrize("arguments", [["--only", "nothing-like-it"], ["--rounds", "0"], ["--driver", "sqlite"]])
def test_a_wrong_argument_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Error" in result.output


def test_the_table_has_a_row_for_each_result() -> None:
    result = Result(
        fault="a",
        title="a fault",
        driver="asyncmy",
        rounds=2,
        kinds=Counter({"fresh": 3, "503": 4}),
        longest_wait=1.26,
        allowed_wait=8.0,
        recovery=None,
        before=Usage(10, 8, 88.4),
        after=Usage(12, 9, 90.0),
    )
    head, line, row = table([result]).splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:10] == ["a fault", "asyncmy", "2", "7", "3", "0", "4", "0", "0", "0"]
    assert cells[10:] == ["1.3 (8)", "never", "10 → 12", "8 → 9", "88 → 90"]
    assert head.count("|") == line.count("|") == row.count("|")


def test_it_starts_as_a_program() -> None:
    command = [sys.executable, "-m", "faults", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--rounds" in done.stdout
