"""`make install` finds a CPython 3.11 for the pp engine, or has uv download one, or says what to do.

The programs are scripts: nothing is downloaded or installed.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCK = ".venv-pp/requirements-pp.lock"
# What a Python is asked, and what its `venv` makes: the same again.
PYTHON = """#!/bin/sh
echo "$0 $*" >> {folder}/calls
case "$1 $2" in
    "-c import"*) test {version} = 3.11 ;;
    "-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
    "-m pip") case "$*" in *" --python "*) exit {pip} ;; *) exit 1 ;; esac ;;
    --version*) echo "Python {version}" ;;
esac
"""
UV = """#!/bin/sh
echo "$0 $*" >> {folder}/calls
mkdir -p .venv-pp/python
{download}
"""


class Machine:
    """A folder with the Makefile, a .venv with a Python of another version, and the programs on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkout = folder / "apidot"
        self.calls = folder / "calls"
        self.checkout.mkdir()
        for file in ("Makefile", "requirements-pp.lock"):
            shutil.copy(ROOT / file, self.checkout)
        # So that the machine's own Pythons and uv are not found.
        for program in ("sh", "rm", "mkdir", "cp", "touch", "timeout"):
            self.add(f"bin/{program}", f'#!/bin/sh\nPATH={os.defpath} exec {program} "$@"\n')
        self.python("apidot/.venv/bin/python", "3.13")

    def add(self, path: str, script: str) -> None:
        """Make a program."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(script)
        (self.folder / path).chmod(0o755)

    def python(self, path: str, version: str = "3.11", pip: int = 0) -> None:
        """Make a Python of this version, with the exit status of pip."""
        self.add(path, PYTHON.format(folder=self.folder, version=version, pip=pip))

    def make(self, **environment: str) -> str:
        """Run the part of `make install` that is for the engine. Return its output."""
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder / "home")} | environment
        make = shutil.which("make")
        assert make
        made = subprocess.run(
            [make, "-C", self.checkout, "--no-print-directory", LOCK],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        return made.stdout + made.stderr

    @property
    def source(self) -> str:
        """Which Python made .venv-pp."""
        made = [call.split()[0] for call in self.calls.read_text().splitlines() if "-m venv" in call]
        assert len(made) == 1
        return made[0].removeprefix(f"{self.folder}/")


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


PLACES = ["bin/python3.11", "bin/python3", "home/.pyenv/versions/3.11.7/bin/python3.11"]
PLACES += ["home/.local/share/uv/python/cpython-3.11.9-linux/bin/python3.11"]


@pytest.mark.parametrize("place", PLACES)
def test_a_python_3_11_is_found(here: Machine, place: str) -> None:
    # As pyenv's, which fails unless it is the version in use.
    here.add("bin/python3.11", "#!/bin/sh\nexit 127\n")
    here.python(place)

    said = here.make()

    assert here.source == place
    assert (here.checkout / LOCK).exists()
    assert "501" not in said
    assert "up to date" in here.make()


def test_the_one_of_the_service_is_preferred(here: Machine) -> None:
    here.python("apidot/.venv/bin/python")
    here.python("bin/python3.11")

    here.make()

    assert here.source == ".venv/bin/python"


def test_one_is_downloaded(here: Machine) -> None:
    here.python("downloaded")
    target = ".venv-pp/python/cpython-3.11.9-linux/bin"
    here.add(
        "bin/uv",
        UV.format(folder=here.folder, download=f"mkdir -p {target} && cp ../downloaded {target}/python3.11"),
    )

    said = here.make()

    assert here.source == f"{target}/python3.11"
    assert (here.checkout / LOCK).exists()
    assert "501" not in said


@pytest.mark.parametrize("has_uv", [False, True])
def test_without_one_a_line_says_what_to_do(here: Machine, has_uv: bool) -> None:
    if has_uv:
        here.add("bin/uv", UV.format(folder=here.folder, download="echo no network >&2; exit 2"))

    said = [line for line in here.make().splitlines() if "501" in line]

    assert len(said) == 1
    assert "needs CPython 3.11" in said[0]
    assert "`make install`" in said[0]
    assert "PP_PYTHON" in said[0]
    assert not (here.checkout / ".venv-pp").exists()
    here.python("bin/python3.11")
    assert "501" not in here.make()
    assert (here.checkout / LOCK).exists()


def test_an_engine_that_cannot_be_installed_is_tried_again(here: Machine) -> None:
    here.python("apidot/.venv/bin/python", pip=1)
    assert "could not be installed" in here.make()
    assert not (here.checkout / LOCK).exists()

    here.python("apidot/.venv/bin/python")
    assert "501" not in here.make()
    assert (here.checkout / LOCK).exists()


def test_a_python_that_is_gone_is_replaced(here: Machine) -> None:
    here.python("bin/python3.11")
    here.make()
    (here.checkout / ".venv-pp" / "bin" / "python").unlink()
    here.calls.unlink()

    here.make()

    assert here.source == "bin/python3.11"
