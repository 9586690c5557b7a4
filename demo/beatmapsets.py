"""Beatmap sets: one song, one mapper, several difficulties."""

from random import Random

import msgspec

from demo.clock import NOW, datetime_text
from demo.names import artist, title, word

STATUSES = (2, 5, 0, 3, -1, 4, 1)  # one for each of the first sets, so that even a small world has all of them
COMMON_STATUSES = (2,) * 20 + (5, 5, 5, 0, 0, 0, 0, 3, 4, -1, 1)
RULESETS = (0, 3, 1, 2, 0, 0, 0)
COMMON_RULESETS = (0,) * 12 + (3, 3, 3, 1, 1, 2, 2)
VERSIONS = (
    ("Easy", "Normal", "Hard", "Insane", "Expert", "夢"),
    ("Kantan", "Futsuu", "Muzukashii", "Oni", "Inner Oni", "Hell 'Oni'"),
    ("Cup", "Salad", "Platter", "Rain", "Overdose", "Déluge"),
    ("[4K] Easy", "[4K] Normal", "[4K] Hard", "[7K] Insane", "[7K] Expert", '[7K] "SHD" & <more>'),
)
LAST_LEVEL = 5
FIRST_UPDATE = 1_200_000_000  # early 2008


class Beatmapset(msgspec.Struct, frozen=True):
    """What the difficulties of a set share. `seconds` is the approximate length of the song."""

    id: int
    server: str
    status: int
    ruleset: int
    artist: str
    title: str
    creator: str
    bpm: float
    seconds: int
    last_update: str
    frozen: bool


class Difficulty(msgspec.Struct, frozen=True):
    """The name and settings of a difficulty. `level` is 0-5; in mania, `cs` is the number of columns."""

    version: str
    ruleset: int
    level: int
    cs: float
    ar: float
    od: float
    hp: float
    stars: float


def make_beatmapset(rng: Random, number: int, set_id: int) -> Beatmapset:
    first = number < len(STATUSES)
    tempo = rng.randint(90, 220)
    return Beatmapset(
        id=set_id,
        server="private" if number % 40 == 12 else "osu!",
        status=STATUSES[number] if first else rng.choice(COMMON_STATUSES),
        ruleset=RULESETS[number] if first else rng.choice(COMMON_RULESETS),
        artist=artist(rng, number),
        title=title(rng, number),
        creator=f"{word(rng, 3).title()}{rng.randint(1, 99)}"[:15],
        bpm=tempo + rng.randrange(100) / 100 if number % 9 == 3 else float(tempo),
        seconds=rng.randint(12, 40),
        last_update=datetime_text(rng.randrange(FIRST_UPDATE, NOW)),
        frozen=rng.random() < 0.05,
    )


def make_difficulties(rng: Random, beatmapset: Beatmapset) -> list[Difficulty]:
    """Return two to six difficulties, easiest first. Some sets of standard have an additional one of taiko."""
    lowest = rng.randint(0, 2)
    highest = rng.randint(lowest + 1, LAST_LEVEL)
    difficulties = [_difficulty(rng, beatmapset.ruleset, level) for level in range(lowest, highest + 1)]
    if beatmapset.ruleset == 0 and rng.random() < 0.1:
        difficulties.append(_difficulty(rng, 1, 3))
    return difficulties


def _difficulty(rng: Random, ruleset: int, level: int) -> Difficulty:
    return Difficulty(
        version=VERSIONS[ruleset][level],
        ruleset=ruleset,
        level=level,
        cs=(4.0 if level < 3 else 7.0) if ruleset == 3 else round(2.5 + level * 0.3 + rng.random(), 1),
        ar=round(min(10.0, 3.5 + level * 1.2 + rng.random()), 1),
        od=round(min(10.0, 2.5 + level * 1.3 + rng.random()), 1),
        hp=round(min(10.0, 3.0 + level * 0.7 + rng.random()), 1),
        stars=round(1.4 + level * 0.9 + rng.random() * (0.7 + level * level * 0.08), 3),
    )
