"""Plays and their pp, in the names of the endpoint and of the engine that calculates it."""

import msgspec

from domain.mods import ALL_MODS, BITS


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A play on a beatmap, in the names of the engine, which fills in what is None.

    `mode` is a ruleset, 0 to 3. `acc` is in percent. A `combo` of None is a full combo.
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
    """The pp of a play and their parts. A part is null if the ruleset does not have it."""

    pp: float
    pp_acc: float | None
    pp_aim: float | None
    pp_speed: float | None
    pp_flashlight: float | None
    effective_miss_count: float | None
    pp_difficulty: float | None


class Difficulty(msgspec.Struct, frozen=True, kw_only=True):
    """The difficulty of the beatmap with the mods of the play. A part is null if the ruleset does not have it."""

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
    """The pp and the difficulty of a play. `accuracy` is the requested one in percent, null if hits were given."""

    performance: Performance
    difficulty: Difficulty
    accuracy: float | None = None


def engine_mods(mods: int) -> int:
    """Return the bitmask for the engine: only known bits, and with Nightcore the DoubleTime that it implies."""
    mods &= ALL_MODS
    return mods | BITS["DT"] if mods & BITS["NC"] else mods
