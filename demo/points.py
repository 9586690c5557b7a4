"""What a play is worth: score and pp. Nearer to believable than to the real formulas, which need the real maps."""

from math import sqrt

from demo.beatmaps import WITH_LEADERBOARD, Beatmap
from demo.mods import DT, EZ, FL, HD, HR, HT, NF, SO, score_multiplier
from demo.results import MANIA, TAIKO, Counts

MOST_PP = 9_999_999  # thousandths; what the column holds
MOST_SCORE = 2**31 - 1
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
    # Every hit counts its own value once more for each 25th of the combo it stands in, times the difficulty.
    return int(base * (1 + combo / 2 * 4 * multiplier / 25))


def performance(beatmap: Beatmap, mode: int, mods: int, acc: int, combo: int, missed: int) -> int:
    """Thousandths of a pp; `acc` is thousandths of a percent. Nothing where the map has no leaderboard."""
    if beatmap.status not in WITH_LEADERBOARD:
        return 0
    stars, share = beatmap.difficulty.stars, acc / 100_000
    worth = 1.15 * stars * stars * stars * MODE_FACTORS[mode] * share * share * share * share * share
    for mod, factor in PP_FACTORS:
        if mods & mod:
            worth *= factor
    full = beatmap.full_combo(mode % 4) or 1
    return min(MOST_PP, int(worth * sqrt(min(1.0, combo / full)) * 1000 / (1 + missed / 12)))
