"""The score and pp of a play. The formulas give plausible values; the real ones need real beatmaps."""

from math import sqrt

from demo.beatmaps import WITH_LEADERBOARD, Beatmap
from demo.mods import DT, EZ, FL, HD, HR, HT, NF, SO, score_multiplier
from demo.results import MANIA, TAIKO, Counts

# The highest values of the columns; pp is in thousandths.
MAX_PP = 9_999_999
MAX_SCORE = 2**31 - 1
PP_FACTORS = ((NF, 0.9), (EZ, 0.7), (HT, 0.5), (HD, 1.06), (HR, 1.15), (DT, 1.6), (FL, 1.2), (SO, 0.95))
MODE_FACTORS = (1.0, 0.8, 0.85, 0.75, 1.1, 0.9, 0.9, 0.0, 0.65)  # by mode


def points(ruleset: int, counts: Counts, combo: int, mods: int) -> int:
    multiplier = score_multiplier(mods)
    base = 300 * counts.n300 + 100 * counts.n100 + 50 * counts.n50
    if ruleset == MANIA:
        total = sum(counts)
        hit = 320 * counts.ngeki + 200 * counts.nkatu + base
        return int(1_000_000 * hit / (320 * total) * min(multiplier, 1.0)) if total else 0
    if ruleset == TAIKO:
        return int(base * (1 + combo / 50) * multiplier)
    # As in ScoreV1: each hit is worth more the higher the combo is.
    return int(base * (1 + combo / 2 * 4 * multiplier / 25))


def performance(beatmap: Beatmap, mode: int, mods: int, acc: int, combo: int, missed: int) -> int:
    """Return the pp in thousandths; 0 if the beatmap has no leaderboard. `acc` is in thousandths of a percent."""
    if beatmap.status not in WITH_LEADERBOARD:
        return 0
    stars, accuracy = beatmap.difficulty.stars, acc / 100_000
    pp = 1.15 * stars * stars * stars * MODE_FACTORS[mode] * accuracy * accuracy * accuracy * accuracy * accuracy
    for mod, factor in PP_FACTORS:
        if mods & mod:
            pp *= factor
    full = beatmap.full_combo(mode % 4) or 1
    return min(MAX_PP, int(pp * sqrt(min(1.0, combo / full)) * 1000 / (1 + missed / 12)))
