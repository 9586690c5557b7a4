"""The readers that need an environment of their own: circleguard, and osu-parsers in JavaScript."""

import json
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import node_packages, program, python_packages, run
from tests.support.replay_samples import Frame, Row

HERE = Path(__file__).parent


def circleguard(cache: pytest.Cache, replays: Path) -> list[Row]:
    """Return the fields, the frames and the seed of each replay in a folder."""
    packages = python_packages(cache, HERE / "circleguard.txt")
    return _rows(run([sys.executable, HERE / "read_circleguard.py", replays], PYTHONPATH=packages))


def frames_of_circleguard(mode: int, frames: list[Frame]) -> list[Any]:
    return [list(frame) for frame in frames[:-1]] if mode == 0 else []


def osu_parsers(cache: pytest.Cache, replays: Path) -> list[Row]:
    """Return the fields and the frames of each replay in a folder."""
    files = [HERE / name for name in ("package.json", "package-lock.json", "read.mjs")]
    folder = node_packages(cache, "osu-parsers", files)
    return _rows(run([program("node"), folder / "read.mjs", replays]))


def frames_of_osu_parsers(mode: int, frames: list[Frame]) -> list[Any]:
    """Return times from the start of the song, without frames off the screen or that go back in time."""
    clocks = accumulate(frame[0] for frame in frames[:-1])
    timed = enumerate(zip(clocks, frames, strict=False))
    return [
        [clock, x, y, keys]
        for i, (clock, (w, x, y, keys)) in timed
        if w >= 0 and not (i < 2 and (x, y) == (256, -500))
    ]


def _rows(lines: str) -> list[Row]:
    return [json.loads(line) for line in lines.splitlines()]
