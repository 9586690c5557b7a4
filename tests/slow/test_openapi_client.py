"""A client generated from the OpenAPI document by openapi-python-client works with a running service."""

import compileall
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, running
from tests.support.openapi_examples import KEY

FOLDER = ROOT / "tests" / "slow" / "client"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generates the client, and returns the folder that it is in."""
    folder = tmp_path_factory.mktemp("client")
    with running("--demo") as service:
        (folder / "openapi.json").write_bytes(service.client.get("/openapi.json").content)
    run(
        *(PROGRAMS / "openapi-python-client", "generate", "--path", folder / "openapi.json", "--meta", "none"),
        *("--config", FOLDER / "config.yaml", "--output-path", folder / "apidot_client", "--fail-on-warning"),
    )
    return folder


def run(*command: str | Path, **environment: str) -> None:
    """Run a program. If it fails, show its output."""
    # The generator runs the formatter by name.
    environment = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"} | environment
    outcome = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_client_compiles_and_can_be_imported(client: Path) -> None:
    assert compileall.compile_dir(client / "apidot_client", quiet=1)
    script = (
        "import apidot_client, importlib, pkgutil\n"
        "modules = list(pkgutil.walk_packages(apidot_client.__path__, 'apidot_client.'))\n"
        "assert len(modules) > 100\n"
        "for module in modules: importlib.import_module(module.name)"
    )
    run(sys.executable, "-c", script, PYTHONPATH=str(client))


def test_the_client_and_code_that_uses_it_pass_mypy(client: Path) -> None:
    options = [f"--cache-dir={client / 'cache'}", f"--config-file={FOLDER / 'mypy.ini'}"]
    run(sys.executable, "-m", "mypy", *options, client / "apidot_client", FOLDER / "uses.py", MYPYPATH=str(client))


def test_the_client_gets_typed_responses(client: Path) -> None:
    with running("--demo") as service:
        run(sys.executable, FOLDER / "uses.py", str(service.client.base_url), KEY, PYTHONPATH=str(client))
