"""The readers written in Python. Each result has the field names of replay_samples.py."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import osrparse  # type: ignore[import-untyped]
from osupyparser import ReplayFile  # type: ignore[import-untyped]
from slider import Mod  # type: ignore[import-untyped]
from slider import Replay as SliderReplay

from tests.support.replay_samples import SAME_NAMES, Frame, Row

Parsed = tuple[Row, list[Any]]  # the fields, and what the reader returns of each frame
MILLISECOND = timedelta(milliseconds=1)
COUNTS = ("n300", "n100", "n50", "ngeki", "nkatu", "nmiss")


def with_osrparse(data: bytes) -> Parsed:
    replay = osrparse.Replay.from_string(data)
    names = ("count_300", "count_100", "count_50", "count_geki", "count_katu", "count_miss")
    fields = {ours: getattr(replay, theirs) for ours, theirs in zip(COUNTS, names, strict=True)} | {
        "mode": replay.mode.value,
        "game_version": replay.game_version,
        "beatmap_md5": replay.beatmap_hash,
        "player_name": replay.username,
        "replay_md5": replay.replay_hash,
        "score": replay.score,
        "max_combo": replay.max_combo,
        "perfect": bool(replay.perfect),
        "mods": replay.mods.value,
        "life_bar": replay.life_bar_graph or "",
        "played_at": replay.timestamp.replace(tzinfo=None).isoformat(),
        "score_id": replay.replay_id,
    }
    frames = [tuple(int(v) if k == "keys" else v for k, v in vars(e).items()) for e in replay.replay_data]
    return fields, [*frames, replay.rng_seed]


def frames_of_osrparse(mode: int, frames: list[Frame]) -> list[Any]:
    """Leave out the two frames at the beginning that are off the screen."""
    *moves, seed = frames
    return _by_mode(mode, [f for i, f in enumerate(moves) if i > 1 or f[1:3] != (256, -500)], seed[3])


def with_osupyparser(data: bytes) -> Parsed:
    replay = ReplayFile.from_bytes(data)
    fields = {name: getattr(replay, name) for name in SAME_NAMES} | {
        "mode": replay.mode,
        "game_version": replay.osu_version,
        "beatmap_md5": replay.map_md5,
        "player_name": replay.player_name,
        "replay_md5": replay.replay_md5,
        "perfect": replay.perfect,
        "life_bar": replay.life_graph,
        "played_at": (datetime(1, 1, 1) + timedelta(microseconds=replay.timestamp // 10)).isoformat(),
        "score_id": replay.score_id,
    }
    return fields, [*(tuple(vars(frame).values()) for frame in replay.frames), replay.seed]


def frames_of_osupyparser(mode: int, frames: list[Frame]) -> list[Any]:
    *moves, seed = frames
    return _by_mode(mode, moves, seed[3])


def with_slider(data: bytes) -> Parsed:
    """Read with slider, which knows neither the mod Mirror nor the score id, and takes the seed for a frame."""
    replay = SliderReplay.parse(data, retrieve_beatmap=False)
    names = ("count_300", "count_100", "count_50", "count_geki", "count_katu", "count_miss")
    fields = {ours: getattr(replay, theirs) for ours, theirs in zip(COUNTS, names, strict=True)} | {
        "mode": replay.mode.value,
        "game_version": replay.version,
        "beatmap_md5": replay.beatmap_md5,
        "player_name": replay.player_name,
        "replay_md5": replay.replay_md5,
        "score": replay.score,
        "max_combo": replay.max_combo,
        "perfect": replay.full_combo,
        "mods_but_mirror": sum({bit for name, bit in Mod.__members__.items() if getattr(replay, name, False)}),
        "life_bar": "".join(map(str, replay.life_bar_graph)),
        "played_at": replay.timestamp.isoformat(),
    }
    return fields, [(a.offset // MILLISECOND, a.position.x, a.position.y, a.key1, a.key2) for a in replay.actions]


def frames_of_slider(mode: int, frames: list[Frame]) -> list[Any]:
    """Return times from the start of the song, and the two lowest keys."""
    clocks = accumulate(frame[0] for frame in frames)
    return [
        (clock, x, y, keys & 1 > 0, keys & 2 > 0) for clock, (_, x, y, keys) in zip(clocks, frames, strict=True)
    ]


def _by_mode(mode: int, moves: list[Frame], seed: int) -> list[Any]:
    by_mode: dict[int, Callable[[Frame], tuple[Any, ...]]] = {
        0: lambda frame: frame,
        1: lambda frame: (frame[0], frame[1], frame[3]),
        2: lambda frame: (frame[0], frame[1], frame[3] == 1),
        3: lambda frame: (frame[0], int(frame[1])),
    }
    return [*map(by_mode[mode], moves), seed]
