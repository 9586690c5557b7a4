"""What a worker process of the pp engine runs.

Beatmap files are untrusted. One that makes the engine crash, hang or use all memory ends this process and nothing
else. storage/workers/child.py loads this file, with any Python from 3.9 on that has akatsuki-pp-py, so it imports
nothing of this project. Jobs and replies are JSON.

A job:   {"path": …, "md5": …, "plays": [{"mode": …, "mods": …, "combo": …, …}, …]}
A reply: {"results": […]} with a result for each play, or {"failed": "missing" | "outdated" | "unreadable"}.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

# A beatmap in memory takes about ten times its file.
CACHED_FILE_BYTES = 8 * 2**20
MAX_FILE_BYTES = 8 * 2**20

PERFORMANCE = ("pp", "pp_acc", "pp_aim", "pp_speed", "pp_flashlight", "effective_miss_count", "pp_difficulty")
DIFFICULTY = (
    *("stars", "aim", "speed", "flashlight", "slider_factor"),
    *("speed_note_count", "stamina", "color", "rhythm", "peak"),
)


class Failed(Exception):
    """The beatmap's file cannot be used. The message is the reply's `failed`."""


class Beatmaps:
    """The parsed beatmaps that were used last, by the md5 of their files."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._parsed: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, path: str, md5: str) -> Any:
        """Return the beatmap in the file at `path`. Raise Failed unless the file exists and has that md5."""
        if md5 not in self._parsed:
            data = self._read(path)
            if hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
                raise Failed("outdated")
            self._parsed[md5] = (self._engine.Beatmap(bytes=data), len(data))
            self._bytes += len(data)
            while self._bytes > CACHED_FILE_BYTES and len(self._parsed) > 1:
                _, (_, size) = self._parsed.popitem(last=False)
                self._bytes -= size
        self._parsed.move_to_end(md5)
        return self._parsed[md5][0]

    @staticmethod
    def _read(path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError:
            raise Failed("missing") from None
        if len(data) > MAX_FILE_BYTES:
            raise Failed("unreadable")
        return data


def number(value: float | None) -> float | None:
    """Return `value`, or None if it is infinite or NaN, which JSON does not have."""
    return value if value is None or math.isfinite(value) else None


def result(attributes: Any) -> dict[str, Any]:
    """Return the result of one play, with the names and the rounding of the game server."""
    performance = {name: number(getattr(attributes, name)) for name in PERFORMANCE}
    performance["pp"] = round(performance["pp"] or 0.0, 3)
    difficulty = {name: number(getattr(attributes.difficulty, name)) for name in DIFFICULTY}
    return {"performance": performance, "difficulty": difficulty}


def reply_to(engine: Any, beatmaps: Beatmaps, job: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to a job."""
    try:
        beatmap = beatmaps.get(job["path"], job["md5"])
        # The engine has defaults for what is left out, and refuses None.
        plays = [{name: value for name, value in play.items() if value is not None} for play in job["plays"]]
        return {"results": [result(engine.Calculator(**play).performance(beatmap)) for play in plays]}
    except Failed as failed:
        return {"failed": str(failed)}
    # Whatever the engine raises is about the file: a panic of its Rust code is a BaseException.
    except BaseException as error:
        return {"failed": "unreadable", "why": f"{type(error).__name__}: {error}"[:500]}


def open_worker() -> Callable[[bytes], bytes]:
    """Return the function from a job to its reply. Raise ImportError if the engine is not installed."""
    import akatsuki_pp_py as engine

    beatmaps = Beatmaps(engine)
    return lambda job: json.dumps(reply_to(engine, beatmaps, json.loads(job))).encode()
