"""A client made from the API's description by openapi-python-client gets typed answers from a running service."""

import compileall
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, service
from tests.support.openapi_examples import KEY

FOLDER = ROOT / "tests" / "slow" / "client"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the client is in, made from what a service answers."""
    folder = tmp_path_factory.mktemp("client")
    with service() as running:
        (folder / "openapi.json").write_bytes(running.get("/openapi.json").content)
    run(
        *(PROGRAMS / "openapi-python-client", "generate", "--path", folder / "openapi.json", "--meta", "none"),
        *("--config", FOLDER / "config.yaml", "--output-path", folder / "apidot_client", "--fail-on-warning"),
    )
    return folder


def run(*command: str | Path, **environment: str) -> None:
    """Runs a program, and shows what it says when it fails."""
    # The generator calls the formatter by its name.
    environment = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"} | environment
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_compiles_and_can_be_imported(client: Path) -> None:
    assert compileall.compile_dir(client / "apidot_client", quiet=1)
    everything = (
        "import apidot_client, importlib, pkgutil\n"
        "found = list(pkgutil.walk_packages(apidot_client.__path__, 'apidot_client.'))\n"
        "assert len(found) > 100\n"
        "for module in found: importlib.import_module(module.name)"
    )
    run(sys.executable, "-c", everything, PYTHONPATH=str(client))


def test_what_uses_it_has_its_types_checked(client: Path) -> None:
    # The code of the generator itself is its own affair.
    options = ["--strict", "--follow-imports=silent", f"--cache-dir={client / 'cache'}", "--config-file="]
    run(sys.executable, "-m", "mypy", *options, FOLDER / "uses.py", MYPYPATH=str(client))


def test_it_gets_typed_answers(client: Path) -> None:
    with service() as running:
        run(sys.executable, FOLDER / "uses.py", str(running.base_url), KEY, PYTHONPATH=str(client))
