"""Packages in folders of their own, for programs that need other versions than the tests do.

A folder is made once, in pytest's cache, and again when Python or a pinned version changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import locked

INSTALL_SECONDS, RUN_SECONDS = 600, 120


def python_packages(cache: pytest.Cache, requirements: Path) -> Path:
    """Return a folder, for PYTHONPATH, with the packages of a file that pins all of them with their hashes.

    What they depend on and the file does not name is what the tests have.
    """
    with _folder(cache, requirements.stem, [requirements]) as (folder, fresh):
        if fresh:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--upgrade"]
            pip += ["--require-hashes", "--no-deps", "-r", str(requirements), "--target", str(folder / "packages")]
            run(pip, seconds=INSTALL_SECONDS)
    return folder / "packages"


def node_packages(cache: pytest.Cache, name: str, files: Sequence[Path]) -> Path:
    """Return a folder with these files, of which one is package-lock.json, and the packages that it locks."""
    npm = program("npm")
    with _folder(cache, name, files) as (folder, fresh):
        if fresh:
            for file in files:
                shutil.copy(file, folder)
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund"]
            run([npm, "ci", *quiet, "--prefix", folder], seconds=INSTALL_SECONDS)
    return folder


def program(name: str) -> str:
    """Return the path of a program. Without it, the test is skipped, or fails in CI."""
    path = shutil.which(name)
    if path:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI tries every client and reader.")
    pytest.skip(f"{name} is not installed.")


def run(command: Sequence[str | Path], *, seconds: float = RUN_SECONDS, **environment: str | Path) -> str:
    """Run a program to its end, and return its output. It fails the test if its exit status is not 0."""
    done = subprocess.run(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _folder(cache: pytest.Cache, name: str, files: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the folder for what these files pin, and whether it has yet to be filled, by this process alone."""
    pinned = sys.version + "".join(file.read_text(encoding="utf-8") for file in files)
    folder = cache.mkdir(f"{name}-{hashlib.sha256(pinned.encode()).hexdigest()[:12]}")
    done = folder / "done"
    with locked(folder / "lock"):
        yield folder, not done.exists()
        done.touch()
