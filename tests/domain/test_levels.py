"""The level of a player by total score."""

import pytest

from domain.levels import level_of, score_needed, shown_level


# From the table at https://osu.ppy.sh/wiki/en/Gameplay/Score/Total_score
@pytest.mark.parametrize(
    ("level", "score"),
    [(1, 0), (2, 30_000), (3, 130_000), (4, 340_000), (5, 700_000), (100, 26_931_190_829)],
)
def test_the_score_that_a_level_needs(level: int, score: int) -> None:
    assert score_needed(level) == pytest.approx(score, abs=1)


@pytest.mark.parametrize("level", [1, 2, 50, 99, 100, 101, 250])
def test_a_level_begins_with_its_score(level: int) -> None:
    assert level_of(round(score_needed(level)) + 1) == pytest.approx(level, abs=1e-4)
    half = (score_needed(level) + score_needed(level + 1)) / 2
    assert level_of(round(half)) == pytest.approx(level + 0.5, abs=1e-4)


def test_both_formulas_agree_at_level_100() -> None:
    assert pytest.approx(score_needed(100), abs=1) == 5000 / 3 * (4 * 100**3 - 3 * 100**2 - 100) + 1.25 * 1.8**40


def test_the_level_never_falls() -> None:
    scores = [0, 1, 29_999, 30_000, 10**6, 10**9, 26_931_190_828, 26_931_190_829, 26_931_190_830, 10**12, 2**64]
    levels = [level_of(score) for score in scores]
    assert levels == sorted(levels)
    assert level_of(-5) == 1


def test_no_level_is_shown_before_it_is_reached() -> None:
    assert [shown_level(score) for score in (26_931_190_828, 26_931_190_829)] == [99.9999, 100.0]
    assert [shown_level(score) for score in (0, 15_000, 30_000, 2**63)] == [1.0, 1.5, 2.0, shown_level(2**63)]
