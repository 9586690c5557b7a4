"""What a play is worth in pp, in the shapes of the endpoints and of the engine that calculates it."""

import msgspec

from domain.mods import ALL_MODS, BITS


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A play on a beatmap, in the words of the engine; what is None the engine assumes.

    `mode` is a vanilla ruleset (0 to 3), `acc` in percent; a `combo` of None is a full one.
    """

    mode: int
    mods: int
    combo: int | None = None
    acc: float | None = None
    n_geki: int | None = None
    n_katu: int | None = None
    n100: int | None = None
    n50: int | None = None
    n_misses: int = 0


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a play's pp; null where a ruleset has no such part."""

    pp: float
    pp_acc: float | None
    pp_aim: float | None
    pp_speed: float | None
    pp_flashlight: float | None
    effective_miss_count: float | None
    pp_difficulty: float | None


class Difficulty(msgspec.Struct, frozen=True, kw_only=True):
    """How hard the beatmap is with the mods of a play; null where a ruleset has no such part."""

    stars: float | None
    aim: float | None
    speed: float | None
    flashlight: float | None
    slider_factor: float | None
    speed_note_count: float | None
    stamina: float | None
    color: float | None
    rhythm: float | None
    peak: float | None


class PlayResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a play is worth; `accuracy` as it was asked for, null when hit counts were."""

    performance: Performance
    difficulty: Difficulty
    accuracy: float | None = None


def engine_mods(mods: int) -> int:
    """A bitmask as the engine takes it: known bits alone, and the DoubleTime that Nightcore implies."""
    mods &= ALL_MODS
    return mods | BITS["DT"] if mods & BITS["NC"] else mods
