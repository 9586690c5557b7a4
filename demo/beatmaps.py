"""Beatmaps, their rows in `maps` and `mapsets`, and their .osu files."""

from collections.abc import Iterator
from hashlib import md5
from itertools import accumulate
from random import Random

import msgspec

from demo.beatmapsets import Beatmapset, Difficulty, make_beatmapset, make_difficulties
from demo.charts import Chart, Content, HitObject, count, hit_objects
from demo.load import Row
from demo.osu_files import osu_file

FIRST_ID = 75
WITH_PP = (2, 3)
WITH_LEADERBOARD = (*WITH_PP, 5)
CHECKED = "2037-01-01 00:00:00"  # in the future, so that a game server does not look for updates
NOT_IN_FILENAMES = dict.fromkeys(map(ord, r':\/*<>?"|'))


class Beatmap(msgspec.Struct, frozen=True):
    id: int
    md5: str
    beatmapset: Beatmapset
    difficulty: Difficulty
    chart: Chart
    content: Content

    @property
    def ruleset(self) -> int:
        return self.chart.ruleset

    @property
    def status(self) -> int:
        return self.beatmapset.status

    def full_combo(self, ruleset: int) -> int:
        """Return the highest possible combo in `ruleset`: the map's own, or one it can be converted to."""
        content = self.content
        if ruleset == 1:
            return content.circles + (content.sliders * 2 if self.ruleset == 0 else 0)
        if ruleset == 3:
            return content.circles + content.sliders * 2
        combo = content.circles + content.sliders * 2 + content.ticks
        return combo + content.spinners if ruleset == 0 else combo

    def objects(self) -> list[HitObject]:
        return hit_objects(self.chart)

    def file(self) -> bytes:
        return osu_file(self.id, self.beatmapset, self.difficulty, self.objects())


def make_beatmaps(seed: int) -> Iterator[Beatmap]:
    """Yield beatmaps, without end."""
    rng = Random(f"{seed}/beatmaps")
    number, set_id, map_id = 0, 1, FIRST_ID
    while True:
        beatmapset = make_beatmapset(rng, number, set_id)
        for difficulty in make_difficulties(rng, beatmapset):
            yield _beatmap(seed, map_id, beatmapset, difficulty)
            map_id += rng.randint(1, 3)
        number += 1
        set_id += rng.randint(1, 4)


def _beatmap(seed: int, map_id: int, beatmapset: Beatmapset, difficulty: Difficulty) -> Beatmap:
    chart = Chart(
        seed=f"{seed}/chart/{map_id}",
        ruleset=difficulty.ruleset,
        level=difficulty.level,
        bpm=beatmapset.bpm,
        seconds=beatmapset.seconds,
        keys=int(difficulty.cs),
    )
    objects = hit_objects(chart)
    text = osu_file(map_id, beatmapset, difficulty, objects)
    return Beatmap(map_id, md5(text).hexdigest(), beatmapset, difficulty, chart, count(objects))


def map_rows(beatmaps: list[Beatmap], plays: list[int], passes: list[int]) -> Iterator[Row]:
    """Yield the rows of `maps`. `plays` and `passes` are the numbers of scores on each beatmap."""
    for number, beatmap in enumerate(beatmaps):
        beatmapset, difficulty = beatmap.beatmapset, beatmap.difficulty
        yield (
            *(beatmapset.server, beatmap.id, beatmapset.id, beatmapset.status, beatmap.md5),
            *(
                beatmapset.artist,
                beatmapset.title,
                difficulty.version,
                beatmapset.creator,
                _filename(beatmap),
            ),
            *(beatmapset.last_update, max(1, beatmap.content.length // 1000)),
            *(beatmap.full_combo(beatmap.ruleset), int(beatmapset.frozen), plays[number], passes[number]),
            *(beatmap.ruleset, beatmapset.bpm, difficulty.cs, difficulty.ar, difficulty.od, difficulty.hp),
            difficulty.stars,
        )


def _filename(beatmap: Beatmap) -> str:
    beatmapset = beatmap.beatmapset
    name = f"{beatmapset.artist} - {beatmapset.title} ({beatmapset.creator}) [{beatmap.difficulty.version}].osu"
    return name.translate(NOT_IN_FILENAMES)


def mapset_rows(beatmaps: list[Beatmap]) -> list[Row]:
    return [(server, set_id, CHECKED) for server, set_id in dict.fromkeys(map(_set_key, beatmaps))]


def _set_key(beatmap: Beatmap) -> tuple[str, int]:
    return beatmap.beatmapset.server, beatmap.beatmapset.id


def popularity(seed: int, beatmaps: list[Beatmap], known: int) -> list[float]:
    """Return the cumulative weights with which beatmaps are chosen. Those after the first `known` are rare."""
    rng = Random(f"{seed}/popularity")
    unpopularity = [
        rng.random() + 0.6 * (b.status not in WITH_LEADERBOARD) + 0.3 * (b.ruleset != 0) + (index >= known)
        for index, b in enumerate(beatmaps)
    ]
    weights = [0.0] * len(beatmaps)
    for rank, index in enumerate(sorted(range(len(beatmaps)), key=unpopularity.__getitem__)):
        weights[index] = 1 / (rank + 3 + len(beatmaps) / 2000)
    return list(accumulate(weights))
