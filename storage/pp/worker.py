"""The pp engine in a process of its own: a job a line on standard input, its answer a line on standard output.

Beatmap files come from anywhere. One that makes the engine crash, hang or take all memory ends this process and
nothing else. It is run as a script by any Python from 3.9 that has akatsuki-pp-py, so it imports nothing of this
project.

A job:    {"path": …, "md5": …, "seconds": …, "plays": [{"mode": …, "mods": …, "combo": …, …}, …]}
An answer: {"results": […]} with a result for each play, or {"failed": "missing" | "outdated" | "unreadable"}.
"""

from __future__ import annotations

import hashlib
import json
import math
import resource
import signal
import sys
from collections import OrderedDict
from typing import Any

# A beatmap in memory takes about ten times its file.
KEPT_BYTES = 8 * 2**20
LARGEST_FILE = 8 * 2**20

PERFORMANCE = ("pp", "pp_acc", "pp_aim", "pp_speed", "pp_flashlight", "effective_miss_count", "pp_difficulty")
DIFFICULTY = (
    *("stars", "aim", "speed", "flashlight", "slider_factor"),
    *("speed_note_count", "stamina", "color", "rhythm", "peak"),
)


class Failed(Exception):
    """The beatmap's file cannot be used; the text says why, in one word."""


class Beatmaps:
    """The parsed beatmaps that were asked for last, by the md5 of their files."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, path: str, md5: str) -> Any:
        """The beatmap in the file at `path`. Raises Failed unless the file is there and has that `md5`."""
        if md5 not in self._kept:
            data = self._read(path)
            if hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
                raise Failed("outdated")
            self._kept[md5] = (self._engine.Beatmap(bytes=data), len(data))
            self._bytes += len(data)
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, (_, size) = self._kept.popitem(last=False)
                self._bytes -= size
        self._kept.move_to_end(md5)
        return self._kept[md5][0]

    @staticmethod
    def _read(path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError:
            raise Failed("missing") from None
        if len(data) > LARGEST_FILE:
            raise Failed("unreadable")
        return data


def number(value: float | None) -> float | None:
    """What JSON can say of an engine's number: infinities and NaN are null."""
    return value if value is None or math.isfinite(value) else None


def result(attributes: Any) -> dict[str, Any]:
    """The numbers of one play, in the names and roundings of the game server."""
    performance = {name: number(getattr(attributes, name)) for name in PERFORMANCE}
    performance["pp"] = round(performance["pp"] or 0.0, 3)
    difficulty = {name: number(getattr(attributes.difficulty, name)) for name in DIFFICULTY}
    return {"performance": performance, "difficulty": difficulty}


def answer(engine: Any, beatmaps: Beatmaps, job: dict[str, Any]) -> dict[str, Any]:
    """The answer to one job. Whatever the engine raises, a panic of its own included, is about the file."""
    try:
        beatmap = beatmaps.get(job["path"], job["md5"])
        # A play that does not say something is as the engine assumes; None it would refuse.
        plays = [{name: value for name, value in play.items() if value is not None} for play in job["plays"]]
        return {"results": [result(engine.Calculator(**play).performance(beatmap)) for play in plays]}
    except Failed as failed:
        return {"failed": str(failed)}
    except BaseException as error:
        return {"failed": "unreadable", "why": f"{type(error).__name__}: {error}"[:500]}


def confine(megabytes: int) -> None:
    """Give up memory beyond a limit, and every right to write files."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer jobs until the other side closes."""
    try:
        import akatsuki_pp_py as engine
    except ImportError:
        print(json.dumps({"failed": "no engine"}), flush=True)
        return
    confine(int(sys.argv[1]))
    print(json.dumps({"results": []}), flush=True)
    beatmaps = Beatmaps(engine)
    for line in sys.stdin:
        job = json.loads(line)
        # Should the service be gone by then, nobody else would end a calculation that never does.
        signal.setitimer(signal.ITIMER_REAL, job["seconds"])
        reply = answer(engine, beatmaps, job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
