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

from config.settings import Settings
from tests.conftest import ROOT
from tests.support.processes import free_port, serve

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text(encoding="utf-8"))
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
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"bench", "faults", "tests"}

    assert rules[0] == "*"
    assert set(rules[1:]) == {
        *(f"!{name}" for name in (*packages, "sql", "main.py", "pyproject.toml", "deploy/requirements.lock")),
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


def test_compose_sets_only_existing_settings() -> None:
    assert {name.lower() for name in SERVICE["environment"]} <= set(vars(Settings()))


def test_compose_cannot_change_the_data_of_the_game_server() -> None:
    assert SERVICE["volumes"] == ["data:/srv/data:ro"]
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert COMPOSE["volumes"]["data"]["external"] is True
    assert COMPOSE["networks"]["bancho"]["external"] is True


def test_compose_publishes_the_port_on_this_machine_only() -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
