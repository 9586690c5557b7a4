"""`serve --reload` starts again when something changes."""

import shutil
import sys
import time
from pathlib import Path

import httpx2

from tests.conftest import ROOT
from tests.support.processes import free_port, serve


def test_reload_restarts_when_a_statement_or_code_changes(recorded_sqlite: str, tmp_path: Path) -> None:
    for name in ("api", "checks", "config", "demo", "domain", "replays", "sql", "storage"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("main.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    port = free_port()
    command = [sys.executable, "main.py", "serve", "--reload", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/v1/get_clan?id=1"
    with serve(command, port, {"DATABASE_URL": recorded_sqlite}, url, folder=tmp_path) as process:

        def wait_for_start(number: int) -> None:
            deadline = time.monotonic() + 20
            while process.output(500).count("Application startup complete") < number:
                assert time.monotonic() < deadline, process.output()
                time.sleep(0.1)

        wait_for_start(1)
        for number, changed in enumerate(("sql/clan.sql", "main.py"), 2):
            file = tmp_path / changed
            file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
            wait_for_start(number)
        assert httpx2.get(url, trust_env=False).status_code == 200
        assert process.stop() == 0
        assert "Traceback" not in process.output()
