"""The content of .osu files, in version 14 of the format, as the beatmap editor writes it."""

from demo.beatmapsets import Beatmapset, Difficulty
from demo.charts import CIRCLE, SLIDER, SLIDER_VELOCITY, SPINNER, START, HitObject

HEAD = """osu file format v14

[General]
AudioFilename: audio.mp3
AudioLeadIn: 0
PreviewTime: -1
Countdown: 0
SampleSet: Normal
StackLeniency: 0.7
Mode: {difficulty.ruleset}
LetterboxInBreaks: 0
WidescreenStoryboard: 0

[Editor]
DistanceSpacing: 1
BeatDivisor: 4
GridSize: 16
TimelineZoom: 1

[Metadata]
Title:{beatmapset.title}
TitleUnicode:{beatmapset.title}
Artist:{beatmapset.artist}
ArtistUnicode:{beatmapset.artist}
Creator:{beatmapset.creator}
Version:{difficulty.version}
Source:
Tags:
BeatmapID:{map_id}
BeatmapSetID:{beatmapset.id}

[Difficulty]
HPDrainRate:{difficulty.hp:g}
CircleSize:{difficulty.cs:g}
OverallDifficulty:{difficulty.od:g}
ApproachRate:{difficulty.ar:g}
SliderMultiplier:{multiplier:g}
SliderTickRate:1

[Events]
//Background and Video events
//Break Periods

[TimingPoints]
{start},{beat},4,1,0,70,1,0


[HitObjects]
"""
COMBO_LENGTH = 8  # objects
CIRCLE_TYPE, SLIDER_TYPE, NEW_COMBO, SPINNER_TYPE, HOLD_TYPE = 1, 2, 4, 12, 128


def osu_file(map_id: int, beatmapset: Beatmapset, difficulty: Difficulty, objects: list[HitObject]) -> bytes:
    head = HEAD.format(
        map_id=map_id,
        beatmapset=beatmapset,
        difficulty=difficulty,
        multiplier=SLIDER_VELOCITY / 100,
        start=START,
        beat=60_000 / beatmapset.bpm,
    )
    text = head + "\n".join(_line(number, o) for number, o in enumerate(objects)) + "\n"
    return text.replace("\n", "\r\n").encode()


def _line(number: int, hit_object: HitObject) -> str:
    kind, x, y, start, end, end_x = hit_object
    combo = 0 if number % COMBO_LENGTH else NEW_COMBO
    if kind == CIRCLE:
        return f"{x},{y},{start},{CIRCLE_TYPE + combo},0,0:0:0:0:"
    if kind == SLIDER:
        return f"{x},{y},{start},{SLIDER_TYPE + combo},0,L|{end_x}:{y},1,{abs(end_x - x)}"
    if kind == SPINNER:
        return f"{x},{y},{start},{SPINNER_TYPE},0,{end},0:0:0:0:"
    return f"{x},{y},{start},{HOLD_TYPE},0,{end}:0:0:0:0:"
