"""The data of an invented game server. The same seed and sizes give the same world, byte for byte."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from demo.achievements import achievement_rows, user_achievement_rows
from demo.beatmaps import make_beatmaps, map_rows, mapset_rows, popularity
from demo.clans import make_clans
from demo.clock import moment
from demo.load import Row, Rows
from demo.players import activity, make_players
from demo.pools import pool_map_rows, pool_rows
from demo.progress import Stage, reporting, silent
from demo.replays import replay
from demo.schema import columns
from demo.scores import make_scores, score_rows
from demo.social import favourite_rows, login_rows, rating_rows, relationship_rows
from demo.stats import MODES, counted, first_and_last, ranks, settle, stats_rows
from demo.users import user_rows

CONVERTED_COLUMNS = 4  # of a standard beatmap converted to mania


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a world. `files` is the number of beatmaps with a .osu file; None: all of them."""

    players: int = 150
    beatmaps: int = 400
    scores: int = 6000
    replays: int = 120
    files: int | None = None


class World:
    """A world. `beatmaps` ends with a few that are no longer in the database but still have scores."""

    def __init__(self, seed: int = 1, sizes: Sizes | None = None, progress: Stage = silent) -> None:
        self.seed = seed
        self.sizes = sizes = sizes or Sizes()
        amount = sizes.beatmaps + max(2, sizes.beatmaps // 150)
        self.players = make_players(seed, sizes.players)
        beatmaps = islice(make_beatmaps(seed), amount)
        self.beatmaps = list(reporting(beatmaps, progress, "drawing beatmaps", amount))
        self.scores = make_scores(
            seed,
            self.players,
            activity(seed, self.players),
            self.beatmaps,
            popularity(seed, self.beatmaps, sizes.beatmaps),
            sizes.scores,
            progress,
        )
        self.stats = settle(self.scores, self.beatmaps, sizes.beatmaps)
        self.replays = self._replays()

    def tables(self) -> Iterator[Rows]:
        """Yield (table, columns, rows) of every table. The rows are generated while they are read."""
        for table, rows in self._tables():
            yield table, columns(table), rows

    def _tables(self) -> Iterator[tuple[str, Iterable[Row]]]:
        seed, players, known = self.seed, self.players, self.beatmaps[: self.sizes.beatmaps]
        clans, members = make_clans(seed, players)
        plays, passes = counted(self.scores, len(self.beatmaps))
        yield "users", user_rows(seed, players, members, self._played())
        yield "clans", clans
        yield "maps", map_rows(known, plays, passes)
        yield "mapsets", mapset_rows(known)
        yield "scores", score_rows(seed, self.scores, players, self.beatmaps)
        yield "stats", stats_rows(players, self.stats)
        yield "favourites", favourite_rows(seed, players, known)
        yield "ratings", rating_rows(seed, players, known)
        yield "relationships", relationship_rows(seed, players)
        yield "achievements", achievement_rows()
        yield "user_achievements", user_achievement_rows(players, self.scores, self.beatmaps)
        yield "ingame_logins", login_rows(seed, players)
        yield "tourney_pools", pool_rows(players)
        yield "tourney_pool_maps", pool_map_rows(seed, known)

    def ranks(self) -> Iterator[tuple[str, str, float]]:
        """Yield (key, member, score) of the sorted sets in Redis."""
        return ranks(self.players, self.stats)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield (path below the data folder, content) of beatmaps and replays."""
        for beatmap in self.beatmaps[: self.sizes.beatmaps][: self.sizes.files]:
            yield f"osu/{beatmap.id}.osu", beatmap.file()
        for number in self.replays:
            yield f"osr/{number + 1}.osr", self._replay(number)

    def _played(self) -> dict[int, tuple[int, int]]:
        """Return the Unix times of the first and last score of each player, by player id."""
        count = len(self.scores)
        return {
            self.players[index].id: (moment(first, count), moment(last, count))
            for index, (first, last) in first_and_last(self.scores).items()
        }

    def _replays(self) -> list[int]:
        """Return the numbers of the scores that have a replay: equally many of each mode.

        They are at regular intervals, and the last one is the newest score, so that recent scores have some too.
        """
        passed = {mode: array("I") for mode in MODES}
        for number, score in enumerate(self.scores):
            if score.passed:
                passed[score.mode].append(number)
        chosen: set[int] = set()
        for modes_left, numbers in zip(range(len(MODES), 0, -1), sorted(passed.values(), key=len), strict=True):
            take = min(len(numbers), (self.sizes.replays - len(chosen)) // modes_left)
            if take:
                chosen.update(numbers[step * len(numbers) // take] for step in range(take - 1))
                chosen.add(numbers[-1])
        return sorted(chosen)

    def _replay(self, number: int) -> bytes:
        score = self.scores[number]
        beatmap, ruleset = self.beatmaps[score.beatmap], score.mode % 4
        columns = beatmap.chart.keys if beatmap.ruleset == ruleset else CONVERTED_COLUMNS
        seed = f"{self.seed}/replay/{number + 1}"
        return replay(seed, ruleset, score.mods, beatmap.objects(), missed=score.nmiss, columns=columns)
