"""Plays and their pp, in the names of the endpoint and of the engine that calculates it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.mods import ALL_MODS, BITS

TotalPP = Annotated[float, Meta(description="Performance points (pp) of the play.")]
AccuracyPP = Annotated[float | None, Meta(description="Part of the pp for accuracy; null in catch and mania.")]
AimPP = Annotated[float | None, Meta(description="Part of the pp for aim; null except in osu!.")]
SpeedPP = Annotated[float | None, Meta(description="Part of the pp for speed; null except in osu!.")]
FlashlightPP = Annotated[float | None, Meta(description="Part of the pp for Flashlight; null except in osu!.")]
EffectiveMisses = Annotated[
    float | None,
    Meta(description="Misses together with presumed slider breaks; null in catch and mania."),
]
DifficultyPP = Annotated[
    float | None, Meta(description="Part of the pp for the difficulty; null except in taiko and mania.")
]
Stars = Annotated[float | None, Meta(description="Star rating; null if it is not finite.")]
AimStars = Annotated[float | None, Meta(description="Part of the star rating for aim; null except in osu!.")]
SpeedStars = Annotated[float | None, Meta(description="Part of the star rating for speed; null except in osu!.")]
FlashlightStars = Annotated[
    float | None, Meta(description="Part of the star rating for Flashlight; null except in osu!.")
]
SliderFactor = Annotated[
    float | None,
    Meta(description="Factor by which sliders lower the part for aim, 0 to 1; null except in osu!."),
]
SpeedNotes = Annotated[
    float | None,
    Meta(description="Number of notes that are difficult because of their speed; null except in osu!."),
]
StaminaStars = Annotated[
    float | None, Meta(description="Part of the star rating for stamina; null except in taiko.")
]
ColorStars = Annotated[
    float | None, Meta(description="Part of the star rating for changes of colour; null except in taiko.")
]
RhythmStars = Annotated[
    float | None, Meta(description="Part of the star rating for rhythm; null except in taiko.")
]
PeakStars = Annotated[
    float | None,
    Meta(description="Stamina, colour and rhythm together, where they are highest; null except in taiko."),
]
RequestedAccuracy = Annotated[
    float | None, Meta(description="The requested accuracy in percent; null if hits were given.")
]


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
    """The pp of a play and their parts."""

    pp: TotalPP
    pp_acc: AccuracyPP
    pp_aim: AimPP
    pp_speed: SpeedPP
    pp_flashlight: FlashlightPP
    effective_miss_count: EffectiveMisses
    pp_difficulty: DifficultyPP


class Difficulty(msgspec.Struct, frozen=True, kw_only=True):
    """The difficulty of the beatmap with the mods of the play."""

    stars: Stars
    aim: AimStars
    speed: SpeedStars
    flashlight: FlashlightStars
    slider_factor: SliderFactor
    speed_note_count: SpeedNotes
    stamina: StaminaStars
    color: ColorStars
    rhythm: RhythmStars
    peak: PeakStars


PerformanceOfPlay = Annotated[Performance, Meta(description="The pp of the play and their parts.")]
DifficultyOfBeatmap = Annotated[
    Difficulty, Meta(description="Difficulty of the beatmap with the mods of the play.")
]


class PlayResult(msgspec.Struct, frozen=True, kw_only=True):
    """The pp and the difficulty of a play."""

    performance: PerformanceOfPlay
    difficulty: DifficultyOfBeatmap
    accuracy: RequestedAccuracy = None


def engine_mods(mods: int) -> int:
    """Return the bitmask for the engine: only known bits, and with Nightcore the DoubleTime that it implies."""
    mods &= ALL_MODS
    return mods | BITS["DT"] if mods & BITS["NC"] else mods
