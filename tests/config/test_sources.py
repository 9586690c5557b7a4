"""Where settings come from, and when the demo world is meant."""

import os
from pathlib import Path

import pytest

from config.environment import BadSetting
from config.sources import DEMO, ENV_FILE, MAX_FILE_BYTES, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refused(**environment: str) -> str:
    """Return why these settings are refused, which must be one line."""
    with pytest.raises(BadSetting) as caught:
        load_settings(environment)
    message = str(caught.value)
    assert message.isprintable()
    return message


def test_the_demo_world_without_any_settings(folder: Path) -> None:
    for environment in ({}, {"API_PORT": "9000", "PATH": "/bin", "LOG_LEVEL": "INFO", "DEBUG": "False"}):
        settings = load_settings(environment)
        assert settings.database is None
        assert settings.data_directory == str(folder / ".data")
        assert settings.unused == ()
    (folder / ".env").write_text("# nothing yet\n\nAPI_PORT=9000\n")
    assert load_settings({}).database is None


@pytest.mark.parametrize("value", ["", "7"])
@pytest.mark.parametrize(
    "name",
    [
        *("DATABSE_URL", "DB_HSOT", "DB_USER", "DB_WHATEVER", "REDIS_HOST", "APP_HOST", "SERVER_ADDR"),
        "SERVER_PORT",
        *("DATA_DIRECTORY", "DATABASE_URL", "DB_DSN", "REDIS_URL", "GAME_SERVER_URL", "db_host"),
    ],
)
def test_no_demo_world_beside_a_game_server(folder: Path, name: str, value: str) -> None:
    if value and name.endswith(("URL", "DSN")):
        value = ""
    assert f"these are set: {name}" in refused(**{name: value})
    (folder / ".env").write_text(f"export {name}={value}\n")
    message = refused()
    assert message.startswith("no database is configured: DATABASE_URL, or DB_HOST, ")
    assert f"these are set: {name}" in message
    assert "`serve --demo`" in message
    (folder / "other").write_text(f"{name}={value}\n")
    (folder / ".env").write_text(f"export {name}\n")
    assert f"these are set: {name}" in refused()
    (folder / ".env").unlink()
    assert f"these are set: {name}" in refused(**{ENV_FILE: "other"})


def test_the_message_names_what_is_missing_and_what_may_be_meant(folder: Path) -> None:
    file = folder / ".env"
    file.write_text("DB_HSOT=127.0.0.1\nDB_USER=cmyui\nDB_PASS=geheim\nDB_NAME=bancho\n")
    message = refused()
    assert message.startswith("no database is configured: DATABASE_URL, or DB_HOST, is missing; ")
    assert "DB_HSOT: did you mean DB_HOST?" in message
    file.write_text("DB_HOST: 127.0.0.1\nDB_PASS:geheim\nDB_USER=cmyui\n")
    message = refused()
    assert "or DB_HOST, DB_NAME, is missing" in message
    assert ".env: line 1 is not NAME=value" in message
    assert ".env: line 2 is not NAME=value" in message
    assert "geheim" not in message
    file.write_text("DB_HOST=127.0.0.1\n")
    assert refused() == "DB_NAME: the name of the database is needed beside DB_HOST"


def test_no_demo_world_if_a_settings_file_is_named(folder: Path) -> None:
    (folder / "settings").touch()
    assert "a settings file is named" in refused(**{ENV_FILE: "settings"})


def test_the_demo_world_on_demand_ignores_the_game_server(folder: Path) -> None:
    (folder / ".env").write_text(
        "DB_HOST=127.0.0.1\nDB_NAME=bancho\nREDIS_HOST=127.0.0.1\nAPP_PORT=10000\nRATE_LIMIT=7\n"
        "REPLAYS_URL=s3://bucket\nDATA_DIRECTORY=/srv/data\n"
    )
    settings = load_settings({DEMO: "1", ENV_FILE: ".env"})
    assert (settings.database, settings.redis, settings.game_server) == (None, None, None)
    assert (settings.replays_url, settings.rate_limit) == ("", 7)
    assert settings.data_directory == str(folder / ".data")


@pytest.mark.parametrize(
    ("configured", "used"),
    [
        (".data", ".demo"),
        (".data/", ".demo"),
        ("{here}/.data", ".demo"),
        (".data/osr", ".data"),
        ("\0", ".data"),
        ("link", ".demo"),
        ("/srv", ".data"),
    ],
)
def test_the_demo_world_is_not_written_into_the_data_folder(folder: Path, configured: str, used: str) -> None:
    (folder / "link").symlink_to(folder / ".data")
    environment = {DEMO: "1", "DATA_DIRECTORY": configured.format(here=folder)}
    assert load_settings(environment).data_directory == str(folder / used)


def test_no_place_for_the_demo_world(folder: Path) -> None:
    for configured in (".", str(folder.parent)):
        assert refused(**{DEMO: "1", "DATA_DIRECTORY": configured}).startswith("DATA_DIRECTORY=")


def test_files_that_cannot_be_the_settings_file(folder: Path) -> None:
    assert refused(**{ENV_FILE: "none"}) == "none: cannot be read (No such file or directory)"
    assert "is not a file" in refused(**{ENV_FILE: "."})
    os.mkfifo("pipe")
    assert "is not a file" in refused(**{ENV_FILE: "pipe"})
    (folder / "large").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert "is larger than" in refused(**{ENV_FILE: "large"})
    # Docker makes a folder where a file to be mounted is missing.
    (folder / ".env").mkdir()
    assert "is not a file" in refused()


def test_lines_and_names_that_are_not_used_are_noted(folder: Path) -> None:
    (folder / ".env").write_text(
        "# a comment\n\nRATE_LIMT=5\nRATE_LIMIT: 5\nSTRICT_MODES\nDATABASE_URL=sqlite:///a\nCORS_ORIGINS=geheim;x\n"
        "API_PORT 9000\nCORS_ORIGINS=\n"
    )
    settings = load_settings({"TRUSTED_PROXYS": "", "PATH": "/bin"})
    lines = [f".env: line {number} is not NAME=value, and is ignored" for number in (4, 5, 8)]
    assert list(settings.unused) == [
        *lines,
        "RATE_LIMT: did you mean RATE_LIMIT?",
        "TRUSTED_PROXYS: did you mean TRUSTED_PROXIES?",
    ]
    assert (settings.rate_limit, settings.strict_modes, settings.api_port) == (60, False, 8000)
