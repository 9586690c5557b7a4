"""The result of a play: judgements, combo, accuracy and grade."""

from collections.abc import Callable
from typing import NamedTuple

from demo.beatmaps import Beatmap
from demo.mods import FL, HD, NF, PF, SD

STANDARD, TAIKO, CATCH, MANIA = range(4)
GRADES = ("XH", "X", "SH", "S", "A", "B", "C", "D", "F")


class Counts(NamedTuple):
    """The numbers of judgements, in the columns of `scores` that each ruleset uses for them."""

    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int


class Result(NamedTuple):
    """The result of a play. `share` is the part of the beatmap that was played, 0-1."""

    counts: Counts
    combo: int
    perfect: bool
    passed: bool
    share: float


def play(draw: Callable[[], float], beatmap: Beatmap, ruleset: int, mods: int, skill: float) -> Result:
    """Simulate a play. `draw` returns random numbers, 0-1."""
    slack = 0.36 + (beatmap.difficulty.stars / 8 - skill) / 2 + (draw() - 0.5) * 0.5
    error = slack * slack if slack > 0 else 0.0
    sloppy = draw()
    fails = draw() < 0.03 + error * 1.3
    counts = judged(beatmap, ruleset, 1.0, error, sloppy)
    if mods & SD:
        fails = counts.nmiss > 0 or (mods & PF == PF and accuracy(ruleset, counts) < 100_000)
    passed = bool(not fails or mods & NF)
    share = 1.0 if passed else 0.04 + 0.9 * draw()
    if not passed:
        counts = judged(beatmap, ruleset, share, max(error, 0.4), max(sloppy, 0.5))
        counts = counts._replace(nmiss=max(1, counts.nmiss if not mods & SD else 1))
    combo, full = _combo(draw, beatmap, ruleset, counts.nmiss, share)
    return Result(counts, combo, full and passed, passed, share)


def judged(beatmap: Beatmap, ruleset: int, share: float, error: float, sloppy: float) -> Counts:
    """Return the judgements for the first `share` of a beatmap. `error` and `sloppy` are 0-1."""
    content = beatmap.content
    circles, sliders = int(content.circles * share), int(content.sliders * share)
    if ruleset == CATCH:
        fruits, droplets, tiny = circles + 2 * sliders, int(content.ticks * share), 2 * sliders
        missed = int(fruits * error * sloppy * 0.5)
        missed_tiny = int(tiny * error * 0.5)
        return Counts(fruits - missed, droplets, tiny - missed_tiny, missed, 0, missed_tiny)
    if ruleset == TAIKO:
        notes = circles + (2 * sliders if beatmap.ruleset == STANDARD else 0)
        missed, good = int(notes * error * sloppy * 0.4), int(notes * (error * 0.4 + 0.03 * sloppy))
        great = notes - missed - good
        return Counts(great, good, 0, missed, great // 20, good // 20)
    notes = circles + sliders + (int(content.spinners * share) if ruleset == STANDARD else 0)
    missed, bad = int(notes * error * sloppy * 0.3), int(notes * error * sloppy * 0.15)
    fair = int(notes * (error * 0.4 + 0.03 * sloppy))
    rest = notes - missed - bad - fair
    if ruleset == MANIA:
        fine = int(rest * (error + sloppy) * 0.05)
        best = int((rest - fine) * (0.85 - 0.5 * sloppy))
        return Counts(rest - fine - best, fair, bad, missed, best, fine)
    # In standard, a combo section (here of eight objects) ends in a geki if all of it was hit well.
    combos = notes // 8
    geki = max(0, combos - missed - bad - fair)
    return Counts(rest, fair, bad, missed, geki, min(combos - geki, fair))


def _combo(
    draw: Callable[[], float], beatmap: Beatmap, ruleset: int, missed: int, share: float
) -> tuple[int, bool]:
    """Return the highest combo, and whether it is a full combo."""
    full = int(beatmap.full_combo(ruleset) * share)
    if not missed:
        # In standard, a missed slider end lowers the combo without being a miss.
        dropped = ruleset == STANDARD and draw() < 0.3 and beatmap.content.sliders > 2
        return (full - 1 - int(draw() * 2), False) if dropped else (full, share == 1.0)
    shortest = 1 / (missed + 1)
    return max(0, int((full - missed) * (shortest + draw() * (1 - shortest)))), False


def accuracy(ruleset: int, counts: Counts) -> int:
    """Return the accuracy in thousandths of a percent."""
    n300, n100, n50, nmiss, ngeki, nkatu = counts
    if ruleset == CATCH:
        good, total = n300 + n100 + n50, n300 + n100 + n50 + nmiss + nkatu
    elif ruleset == TAIKO:
        good, total = 2 * n300 + n100, 2 * (n300 + n100 + nmiss)
    elif ruleset == MANIA:
        good = 6 * (n300 + ngeki) + 4 * nkatu + 2 * n100 + n50
        total = 6 * (n300 + ngeki + nkatu + n100 + n50 + nmiss)
    else:
        good, total = 6 * n300 + 2 * n100 + n50, 6 * (n300 + n100 + n50 + nmiss)
    return round(100_000 * good / total) if total else 0


def grade(ruleset: int, counts: Counts, mods: int) -> str:
    """Return the grade of a play that was passed."""
    silver = bool(mods & (HD | FL))
    thousandths = accuracy(ruleset, counts)
    if thousandths == 100_000:
        return "XH" if silver else "X"
    if ruleset in (CATCH, MANIA):
        bounds = (98, 94, 90, 85) if ruleset == CATCH else (95, 90, 80, 70)
        letter = next((g for g, bound in zip("SABC", bounds, strict=True) if thousandths > bound * 1000), "D")
    else:
        letter = _hit_grade(counts)
    return "SH" if letter == "S" and silver else letter


def _hit_grade(counts: Counts) -> str:
    """Return the grade by the share of 300s and by misses, as in standard and taiko."""
    total = counts.n300 + counts.n100 + counts.n50 + counts.nmiss
    share, clean = counts.n300 / total, not counts.nmiss
    if share > 0.9 and clean and counts.n50 / total < 0.01:
        return "S"
    if share > 0.9 or (share > 0.8 and clean):
        return "A"
    if share > 0.8 or (share > 0.7 and clean):
        return "B"
    return "C" if share > 0.6 else "D"
