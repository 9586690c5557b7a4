"""The level of a player, as osu! calculates it."""

import math
from bisect import bisect_right

# The total score with which a player reaches level 100, and what each level after that takes.
LEVEL_100 = 26_931_190_829
PER_LEVEL = 100_000_000_000


def score_needed(level: int) -> float:
    """Return the total score with which a player reaches a level, from 1.

    The formula is that of https://osu.ppy.sh/wiki/en/Gameplay/Score/Total_score. Its two parts agree at level 100.
    """
    if level <= 1:
        return 0.0
    if level < 100:
        return 5000 / 3 * (4 * level**3 - 3 * level**2 - level) + 1.25 * 1.8 ** (level - 60)
    return float(LEVEL_100 + PER_LEVEL * (level - 100))


_REACHED = [score_needed(level) for level in range(1, 101)]


def level_of(total_score: int) -> float:
    """Return the level of a player with this total score, with the progress to the next level as a fraction."""
    score = max(total_score, 0)
    if score >= LEVEL_100:
        return 100 + (score - LEVEL_100) / PER_LEVEL
    level = bisect_right(_REACHED, score)
    return level + (score - _REACHED[level - 1]) / (_REACHED[level] - _REACHED[level - 1])


def shown_level(total_score: int) -> float:
    """Return the level, rounded down to four decimals: nobody is shown a level that they have not reached."""
    return math.floor(level_of(total_score) * 10_000) / 10_000
