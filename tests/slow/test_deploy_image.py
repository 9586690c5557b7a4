"""The Dockerfile and the compose file: linted, parsed, and tested as far as possible without Docker."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.environment import settings_from
from config.settings import Settings
from config.version import VERSION
from tests.conftest import ROOT
from tests.support.processes import free_port, serve

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
FILE = (ROOT / "deploy" / "compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(FILE)
SERVICE: dict[str, Any] = COMPOSE["services"]["apidot"]


def instructions(keyword: str) -> list[str]:
    return re.findall(rf"^\s*{keyword} +(.*)$", DOCKERFILE, re.MULTILINE)


def in_exec_form(text: str) -> list[str]:
    """Return the command in the JSON list at the end of an instruction."""
    command: list[str] = json.loads(text[text.index("[") :])
    return command


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The files that `COPY . .` copies, as .dockerignore lists them."""
    target = tmp_path / "image"
    target.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        source = ROOT / line.removeprefix("!")
        if not line.startswith("!") or not source.exists():
            continue
        if source.is_dir():
            shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (target / source.relative_to(ROOT)).parent.mkdir(exist_ok=True)
            shutil.copy(source, target / source.relative_to(ROOT))
    return target


def test_the_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run([hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True)

    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_does_not_run_as_root() -> None:
    assert instructions("USER") == ["10500:10500"]


def test_exactly_the_packages_of_the_service_are_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    packages -= {"bench", "examples", "faults", "fuzz", "tests"}

    assert rules[0] == "*"
    assert set(rules[1:]) == {
        *(f"!{name}" for name in (*packages, "sql", "LICENSE", "main.py", "pyproject.toml")),
        "!deploy/requirements.lock",
        "!requirements-pp.lock",
        "**/__pycache__",
    }


def test_the_copied_files_serve_and_are_healthy(copied: Path, recorded_sqlite: str) -> None:
    port = free_port()
    (entry,), (command,), (health,) = map(instructions, ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    python, *arguments = in_exec_form(entry) + in_exec_form(command)
    check = in_exec_form(health)
    environment = {"API_PORT": str(port), "DATABASE_URL": recorded_sqlite, "API_HOST": "0.0.0.0"}
    assert python == check[0] == "python"

    with serve([sys.executable, *arguments], port, environment, folder=copied):
        healthy = subprocess.run([sys.executable, *check[1:]], env=environment)
    stopped = subprocess.run([sys.executable, *check[1:]], env=environment, stderr=subprocess.DEVNULL)

    assert healthy.returncode == 0
    assert stopped.returncode == 1


def test_the_image_has_the_locked_packages_and_two_more() -> None:
    def packages(path: str) -> Iterator[str]:
        return (line.split(" ")[0] for line in (ROOT / path).read_text().splitlines() if re.match(r"\w", line))

    added = set(packages("deploy/requirements.lock")) - set(packages("requirements.lock"))

    assert {line.partition("==")[0] for line in added} == {"asyncmy", "obstore"}


def test_the_labels_are_true() -> None:
    (labels,) = instructions("LABEL")
    assert f'image.version="{VERSION}"' in labels
    assert (ROOT / "LICENSE").read_text().startswith(re.findall(r'licenses="(\w+)"', labels)[0])


def interpolated(settings: dict[str, str]) -> dict[str, Any]:
    """Return the service of the compose file as Compose reads it with these settings in deploy/.env."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        found = settings.get(name, "")
        if operator in ("?", ":?") and not (found if operator == ":?" else name in settings):
            raise ValueError(f"required variable {name} is missing a value: {word}")
        return found or (word if operator == ":-" else "")

    text = re.sub(r"\$\{(\w+)(?:(:-|:\?|\?)([^}]*))?\}", value, FILE)
    assert "${" not in text
    service: dict[str, Any] = yaml.safe_load(text)["services"]["apidot"]
    return service


# Of bancho.py's own example, with the host names of its compose file.
BANCHO = {
    "APP_PORT": "10000",
    "DB_HOST": "mysql",
    "DB_PORT": "3306",
    "DB_USER": "cmyui",
    "DB_PASS": "lol123",
    "DB_NAME": "banchopy",
    "REDIS_HOST": "redis",
    "REDIS_PORT": "6379",
    "REDIS_USER": "default",
    "REDIS_PASS": "",
    "REDIS_DB": "0",
    "OSU_API_KEY": "not for apidot",
    "DATADOG_API_KEY": "not for apidot",
    "DOMAIN": "cmyui.xyz",
}


def test_compose_passes_on_the_settings_that_are_used_and_no_others() -> None:
    environment = interpolated(BANCHO)["environment"]
    assert {name.lower() for name in environment} <= set(vars(Settings()))
    assert "not for apidot" not in str(environment)
    settings = settings_from({name: str(value or "") for name, value in environment.items()}, Path("/srv/apidot"))
    assert settings.database == "mysql://cmyui:lol123@mysql:3306/banchopy"
    assert settings.redis == "redis://redis:6379/0"
    assert settings.game_server == "http://bancho:10000"
    assert (settings.domain, settings.api_workers) == ("cmyui.xyz", 2)


@pytest.mark.parametrize("missing", ["DB_HOST", "DB_USER", "DB_PASS", "DB_NAME"])
def test_compose_says_which_setting_is_missing(missing: str) -> None:
    with pytest.raises(ValueError, match=f"{missing} is missing a value: [a-z]"):
        interpolated({name: value for name, value in BANCHO.items() if name != missing})


def test_compose_starts_the_image_of_this_version() -> None:
    assert interpolated(BANCHO)["image"] == f"apidot:{VERSION}"
    assert interpolated(BANCHO | {"APIDOT_VERSION": "0.0.1"})["image"] == "apidot:0.0.1"


def test_compose_can_change_only_the_avatars_of_the_game_server() -> None:
    everything, avatars = SERVICE["volumes"]
    assert everything == "data:/srv/data:ro"
    assert (avatars["source"], avatars["target"]) == ("data", "/srv/data/avatars")
    assert avatars["volume"] == {"subpath": "avatars"}
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert COMPOSE["volumes"]["data"]["external"] is True
    assert COMPOSE["networks"]["bancho"]["external"] is True


def test_compose_limits_what_the_container_uses_up() -> None:
    assert SERVICE["logging"] == {"driver": "json-file", "options": {"max-size": "20m", "max-file": "5"}}
    assert SERVICE["mem_limit"]
    assert SERVICE["pids_limit"]
    assert SERVICE["restart"] == "unless-stopped"


def test_compose_publishes_the_port_on_this_machine_only() -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])


def test_pip_says_in_one_line_that_there_is_nothing_to_install(copied: Path) -> None:
    (copied / "deploy").mkdir(exist_ok=True)
    shutil.copy(ROOT / "deploy" / "not_installable.py", copied / "deploy")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        copied / "target",
        ".",
    ]
    installed = subprocess.run(command, cwd=copied, capture_output=True, text=True)
    assert installed.returncode == 1
    assert installed.stderr.count("apidot is not a package to install: run `make install` in its folder") == 1
    assert "Traceback" not in installed.stderr
