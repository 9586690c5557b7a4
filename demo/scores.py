"""The scores. They are stored in 50 bytes each and become rows of `scores` only when these are read."""

from bisect import bisect
from collections.abc import Callable, Iterator
from hashlib import md5
from random import Random
from struct import Struct
from typing import NamedTuple

from demo import mods as mod_choices
from demo.beatmaps import Beatmap
from demo.clock import datetime_text, moment
from demo.load import Row
from demo.players import Player
from demo.points import MAX_PP, MAX_SCORE, performance, points
from demo.progress import Stage, reporting
from demo.results import GRADES, accuracy, grade, play

FAILED, SUBMITTED, BEST = range(3)
AGAIN = 0.3  # probability that a player plays the same beatmap again


class Score(NamedTuple):
    """A score. `player` and `beatmap` are indexes of their lists, `pp` and `acc` thousandths, `elapsed` ms."""

    player: int
    beatmap: int
    mode: int
    mods: int
    score: int
    pp: int
    acc: int
    combo: int
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: int
    perfect: int
    elapsed: int

    @property
    def passed(self) -> bool:
        return GRADES[self.grade] != "F"


class Scores:
    """A list of scores, in the order in which they were set. The id of a score is its index plus 1."""

    _record = Struct("<IIBIIIIHHHHHHHBBI")

    def __init__(self) -> None:
        self._records = bytearray()
        self.statuses = bytearray()

    def __len__(self) -> int:
        return len(self.statuses)

    def __getitem__(self, number: int) -> Score:
        return Score._make(self._record.unpack_from(self._records, number * self._record.size))

    def __setitem__(self, number: int, score: Score) -> None:
        self._record.pack_into(self._records, number * self._record.size, *score)

    def __iter__(self) -> Iterator[Score]:
        return map(Score._make, self._record.iter_unpack(self._records))

    def append(self, score: Score) -> None:
        self._records += self._record.pack(*score)
        self.statuses.append(SUBMITTED if score.passed else FAILED)


def make_scores(
    seed: int,
    players: list[Player],
    activity: list[float],
    beatmaps: list[Beatmap],
    popularity: list[float],
    count: int,
    progress: Stage,
) -> Scores:
    """Return the scores, without the status BEST. `activity` and `popularity` are cumulative weights."""
    rng = Random(f"{seed}/scores")
    draw = rng.random
    last: dict[int, tuple[int, int]] = {}
    scores = Scores()
    for _ in reporting(range(count), progress, "drawing scores", count):
        number = bisect(activity, draw() * activity[-1])
        player = players[number]
        if number not in last or draw() > AGAIN:
            last[number] = _choice(draw, player, beatmaps, popularity)
        beatmap, mode = last[number]
        scores.append(_score(draw, number, beatmap, mode, player, beatmaps[beatmap]))
    _set_extremes(scores, beatmaps)
    return scores


def _choice(
    draw: Callable[[], float], player: Player, beatmaps: list[Beatmap], popularity: list[float]
) -> tuple[int, int]:
    """Return the index of a beatmap, and the mode: usually in the ruleset of the player, or converted to it."""
    index = bisect(popularity, draw() * popularity[-1])
    for _ in range(2):
        if beatmaps[index].ruleset == player.ruleset or (beatmaps[index].ruleset == 0 and draw() < 0.3):
            break
        index = bisect(popularity, draw() * popularity[-1])
    ruleset = beatmaps[index].ruleset
    if ruleset == 0 and draw() < 0.6:
        ruleset = player.ruleset
    variant = draw()
    if ruleset != 3 and variant < player.relax:
        return index, ruleset + 4
    return index, 8 if ruleset == 0 and variant > 1 - player.autopilot else ruleset


def _score(
    draw: Callable[[], float], number: int, index: int, mode: int, player: Player, beatmap: Beatmap
) -> Score:
    ruleset = mode % 4
    choices = mod_choices.choices(mode, converted=beatmap.ruleset != ruleset)
    mods = choices[int(draw() * len(choices))]
    result = play(draw, beatmap, ruleset, mods, player.skill)
    counts, combo = result.counts, result.combo
    acc = accuracy(ruleset, counts)
    letters = grade(ruleset, counts, mods) if result.passed else "F"
    pp = performance(beatmap, mode, mods, acc, combo, counts.nmiss) if result.passed else 0
    elapsed = int((beatmap.content.length + 1000) * result.share / mod_choices.rate(mods))
    return Score(
        *(number, index, mode, mods, points(ruleset, counts, combo, mods), pp, acc, combo, *counts),
        *(GRADES.index(letters), int(result.perfect), elapsed),
    )


def _set_extremes(scores: Scores, beatmaps: list[Beatmap]) -> None:
    """Give three scores the highest pp and score that the columns can hold."""
    for start in (len(scores) // 4, len(scores) // 2, len(scores) * 3 // 4):
        number = next((n for n in range(start, len(scores)) if scores[n].pp), None)
        if number is not None:
            scores[number] = scores[number]._replace(pp=MAX_PP, score=MAX_SCORE)


def score_rows(seed: int, scores: Scores, players: list[Player], beatmaps: list[Beatmap]) -> Iterator[Row]:
    for number, (s, status) in enumerate(zip(scores, scores.statuses, strict=True)):
        yield (
            *(number + 1, beatmaps[s.beatmap].md5, s.score, s.pp / 1000, s.acc / 1000, s.combo, s.mods),
            *(s.n300, s.n100, s.n50, s.nmiss, s.ngeki, s.nkatu, GRADES[s.grade], status, s.mode),
            *(datetime_text(moment(number, len(scores))), s.elapsed, 0, players[s.player].id, s.perfect),
            md5(f"{seed}/{number + 1}".encode()).hexdigest(),
        )
