"""Schemathesis, which makes requests up from the API's description, finds nothing wrong on MariaDB."""

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ADMIN, ROOT, playground
from tests.support.openapi import OPERATIONS
from tests.support.servers import MariaDB

CONFIGURATION = ROOT / "tests" / "slow" / "schemathesis.toml"
KEY = ["-H", f"Authorization: Bearer {ADMIN}"]


def test_schemathesis_finds_nothing(tmp_path: Path, mariadb: MariaDB) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    # One worker: before CPython 3.11.8 (gh-106905) ast.parse, with which it describes strategies, fails in two.
    options = ["--max-examples", "50", "--seed", "1", "--continue-on-failure", "--workers", "1"]
    with playground(tmp_path, mariadb.database("schemathesis")) as here:
        url = f"{str(here.client.base_url).rstrip('/')}/openapi.json"
        run = subprocess.run(
            [program, "--config-file", CONFIGURATION, "run", url, *options, *KEY, "--no-color"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=1200,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    # All but the stream of events.
    assert f"Tested: {len(OPERATIONS) - 1}" in run.stdout
    requests = re.search(r"(\d+) generated", run.stdout)
    assert requests
    assert int(requests[1]) >= 50 * len(OPERATIONS), run.stdout
