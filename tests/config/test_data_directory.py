"""The data folder beside the settings file, which the game server uses whatever DATA_DIRECTORY is."""

import sys
from pathlib import Path

import pytest

from config.environment import EXAMPLE_DATA_DIRECTORY, settings_from
from tests.conftest import ROOT, ServiceClient
from tests.support.checks import check
from tests.support.forked import ForkedProcess
from tests.support.processes import free_port, serve

EXAMPLE = str(EXAMPLE_DATA_DIRECTORY)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    folder = tmp_path / ".data"
    (folder / "osr").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("configured", [EXAMPLE, EXAMPLE + "/", "/no/such/folder", "nowhere", "/dev/null"])
def test_it_is_used_instead_of_a_folder_that_cannot_be_meant(beside: Path, configured: str) -> None:
    settings = settings_from({"DATA_DIRECTORY": configured}, beside.parent)
    assert settings.data_directory == str(beside)
    (note,) = settings.notes
    assert f"the folder beside the settings file is used: {beside}" in note


def test_a_folder_that_exists_is_used(beside: Path) -> None:
    other = beside.parent / "other"
    other.mkdir()
    for configured in (str(other), "other"):
        settings = settings_from({"DATA_DIRECTORY": configured}, beside.parent)
        assert (settings.data_directory, settings.notes) == (str(other), ())
    for configured in ("", ".data", str(beside)):
        settings = settings_from({"DATA_DIRECTORY": configured}, beside.parent)
        assert (settings.data_directory, settings.notes) == (str(beside), ())


def test_without_replays_beside_the_settings_file_nothing_is_guessed(tmp_path: Path) -> None:
    (tmp_path / ".data").mkdir()
    settings = settings_from({"DATA_DIRECTORY": EXAMPLE}, tmp_path)
    assert (settings.data_directory, settings.notes) == (EXAMPLE, ())


def test_it_is_said_by_the_start_and_by_check(beside: Path, recorded_sqlite: str) -> None:
    (beside / "osr" / "98.osr").write_bytes(b"frames")
    file, port = beside.parent / ".env", free_port()
    file.write_text(f"DATABASE_URL={recorded_sqlite}\nDATA_DIRECTORY={EXAMPLE}\n")
    command = [sys.executable, str(ROOT / "main.py"), "--env", str(file), "serve", "--port", str(port)]
    with serve(command, port, {}, kind=ForkedProcess) as process:
        output = process.output()
        with ServiceClient(f"http://127.0.0.1:{port}", process) as client:
            assert client.get("/health/ready").json()["neighbours"]["replays"] == {"state": "up"}
    assert f"  data folder   {beside}\n" in output
    assert f"  note          DATA_DIRECTORY={EXAMPLE} is an example of bancho.py" in output

    findings = check(beside.parent, database_url=recorded_sqlite, data_directory=EXAMPLE)
    assert findings.levels["settings.note"] == "ok"
    assert findings.text("settings.note").startswith(f"DATA_DIRECTORY={EXAMPLE} is an example of bancho.py")
    assert "files.no-folder" not in findings.levels
