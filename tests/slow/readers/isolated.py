"""The readers that need an environment of their own: circleguard, and osu-parsers in JavaScript.

Each is installed once, in pytest's cache, and again when its pinned version changes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from tests.support.replay_samples import Frame, Row

HERE = Path(__file__).parent


def circleguard(cache: pytest.Cache, replays: Path) -> list[Row]:
    """Return the fields, the frames and the seed of each replay in a folder."""
    folder, fresh = _folder(cache, "circleguard", [HERE / "circleguard.txt"])
    if fresh:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
            "--upgrade",
            "--no-deps",
        ]
        _run([*pip, "--target", folder / "packages", "-r", HERE / "circleguard.txt"])
        (folder / "done").touch()
    return _read([sys.executable, HERE / "read_circleguard.py", replays], PYTHONPATH=folder / "packages")


def frames_of_circleguard(mode: int, frames: list[Frame]) -> list[Any]:
    return [list(frame) for frame in frames[:-1]] if mode == 0 else []


def osu_parsers(cache: pytest.Cache, replays: Path) -> list[Row]:
    """Return the fields and the frames of each replay in a folder."""
    node, npm = _program("node"), _program("npm")
    files = [HERE / name for name in ("package.json", "package-lock.json", "read.mjs")]
    folder, fresh = _folder(cache, "osu-parsers", files)
    if fresh:
        for file in files:
            shutil.copy(file, folder)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder])
        (folder / "done").touch()
    return _read([node, folder / "read.mjs", replays])


def frames_of_osu_parsers(mode: int, frames: list[Frame]) -> list[Any]:
    """Return times from the start of the song, without frames off the screen or that go back in time."""
    clocks = accumulate(frame[0] for frame in frames[:-1])
    timed = enumerate(zip(clocks, frames, strict=False))
    return [
        [clock, x, y, keys]
        for i, (clock, (w, x, y, keys)) in timed
        if w >= 0 and not (i < 2 and (x, y) == (256, -500))
    ]


def _program(name: str) -> str:
    path = shutil.which(name)
    if path:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI tries every reader.")
    pytest.skip(f"{name} is not installed: osu-parsers is not tried.")


def _folder(cache: pytest.Cache, name: str, files: list[Path]) -> tuple[Path, bool]:
    pinned = sys.version + "".join(file.read_text() for file in files)
    folder = cache.mkdir(f"{name}-{hashlib.sha256(pinned.encode()).hexdigest()[:12]}")
    return folder, not (folder / "done").exists()


def _read(command: list[str | Path], **environment: str | Path) -> list[Row]:
    return [json.loads(line) for line in _run(command, **environment).splitlines()]


def _run(command: list[str | Path], **environment: str | Path) -> str:
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
