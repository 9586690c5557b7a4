"""What is derived from the scores: the best ones, the rows of `stats`, and the ranks in Redis."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from demo.beatmaps import WITH_PP, Beatmap
from demo.load import Row
from demo.players import BOT_ID, UNRESTRICTED, Player
from demo.results import GRADES
from demo.scores import BEST, Score, Scores

MODES = (0, 1, 2, 3, 4, 5, 6, 8)
WEIGHT = 0.95  # of each best score, relative to the next better one
COUNTED_FOR_ACC = 100
GEKI_AND_KATU_ARE_HITS = (1, 3)


class Stats(NamedTuple):
    """The stats of a player in a mode, in the order of the columns. `acc` is in percent, `playtime` in seconds."""

    tscore: int = 0
    rscore: int = 0
    pp: int = 0
    plays: int = 0
    playtime: int = 0
    acc: float = 0.0
    max_combo: int = 0
    total_hits: int = 0
    replay_views: int = 0
    xh_count: int = 0
    x_count: int = 0
    sh_count: int = 0
    s_count: int = 0
    a_count: int = 0


AllStats = dict[tuple[int, int], Stats]  # by index of the player and mode


def settle(scores: Scores, beatmaps: list[Beatmap], known: int) -> AllStats:
    """Mark the best score of every player, beatmap and mode, and return the stats.

    Only the first `known` beatmaps are in the database: scores on others count as plays but give no pp.
    """
    owners = [score.player for score in scores]
    ranked = bytes(b.status in WITH_PP and index < known for index, b in enumerate(beatmaps))
    stats: AllStats = {}
    for player, numbers in groupby(sorted(range(len(scores)), key=owners.__getitem__), owners.__getitem__):
        own = {number: scores[number] for number in numbers}
        best = _best(own)
        for number in best:
            scores.statuses[number] = BEST
        for mode in sorted({score.mode for score in own.values()}):
            played = [score for score in own.values() if score.mode == mode]
            rated = [own[n] for n in best if own[n].mode == mode and ranked[own[n].beatmap]]
            stats[player, mode] = _stats(mode, played, rated)
    return stats


def _best(own: dict[int, Score]) -> list[int]:
    """Return the numbers of the scores with the most pp on each beatmap in each mode; of equal ones, the first."""
    best: dict[tuple[int, int], int] = {}
    for number, score in own.items():
        key = score.beatmap, score.mode
        if score.passed and (key not in best or score.pp > own[best[key]].pp):
            best[key] = number
    return sorted(best.values())


def _stats(mode: int, played: list[Score], rated: list[Score]) -> Stats:
    rated.sort(key=lambda score: -score.pp)  # stable: of equal scores, the earlier one comes first
    grades = [GRADES[score.grade] for score in rated]
    return Stats(
        tscore=sum(score.score for score in played),
        rscore=sum(score.score for score in rated),
        pp=round(weighted(score.pp for score in rated) / 1000),
        plays=len(played),
        playtime=sum(score.elapsed // 1000 for score in played),
        acc=_accuracy([score.acc for score in rated[:COUNTED_FOR_ACC]]),
        max_combo=max((score.combo for score in played if score.passed), default=0),
        total_hits=sum(_hits(mode, score) for score in played),
        replay_views=len(played) * 7 % 31,
        xh_count=grades.count("XH"),
        x_count=grades.count("X"),
        sh_count=grades.count("SH"),
        s_count=grades.count("S"),
        a_count=grades.count("A"),
    )


def weighted(values: Iterable[float]) -> float:
    total, weight = 0.0, 1.0
    for value in values:
        total += value * weight
        weight *= WEIGHT
    return total


def _accuracy(thousandths: list[int]) -> float:
    """Return the weighted mean in percent."""
    return round(weighted(thousandths) / weighted([1000] * len(thousandths)), 3) if thousandths else 0.0


def _hits(mode: int, score: Score) -> int:
    hits = score.n300 + score.n100 + score.n50
    return hits + score.ngeki + score.nkatu if mode % 4 in GEKI_AND_KATU_ARE_HITS else hits


def stats_rows(players: list[Player], stats: AllStats) -> Iterator[Row]:
    """Yield rows of `stats`, one for each mode of every player and of the bot."""
    unplayed = Stats()
    for mode in MODES:
        yield BOT_ID, mode, *unplayed
    for index, player in enumerate(players):
        for mode in MODES:
            yield player.id, mode, *stats.get((index, mode), unplayed)


def ranks(players: list[Player], stats: AllStats) -> Iterator[tuple[str, str, float]]:
    """Yield (key, member, score) of the sorted sets: as on a game server, of unrestricted players with pp."""
    for (index, mode), own in stats.items():
        player = players[index]
        if player.priv & UNRESTRICTED and own.pp:
            key = f"bancho:leaderboard:{mode}"
            yield key, str(player.id), float(own.pp)
            yield f"{key}:{player.country}", str(player.id), float(own.pp)


def first_and_last(scores: Scores) -> dict[int, tuple[int, int]]:
    """Return the numbers of the first and last score of each player, by the index of the player."""
    numbers: dict[int, tuple[int, int]] = {}
    for number, score in enumerate(scores):
        numbers[score.player] = (numbers.get(score.player, (number, 0))[0], number)
    return numbers


def counted(scores: Scores, beatmaps: int) -> tuple[list[int], list[int]]:
    """Return the number of plays and the number of passes of each beatmap."""
    plays, passes = [0] * beatmaps, [0] * beatmaps
    for score in scores:
        plays[score.beatmap] += 1
        passes[score.beatmap] += score.passed
    return plays, passes
