"""What plays on a beatmap are worth in pp."""

import asyncio

import msgspec

from api.request.auth import AUTHENTICATE, Caller, authenticate
from api.request.params import Accuracies, BeatmapID, BeatmapIDs, Hits, ModsNumber, PlayMode
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.beatmaps import BeatmapFile
from domain.errors import APIError, ErrorSpec
from domain.performance import Play, PlayResult, engine_mods
from storage.database import catalogue
from storage.pp.engine import CALCULATION, NO_ENGINE, NOT_STARTING, TOO_MANY

NO_BEATMAP = ErrorSpec(400, "Beatmap not found.")
NO_FILE = ErrorSpec(400, "Beatmap file could not be fetched.")
NOT_IN_TIME = ErrorSpec(400, "Not calculated in time.")

ACCURACIES = (100.0, 99.0, 98.0, 95.0)

# A batch may take as long as so many calculations that just do not run into their limit.
BATCH_TIMEOUTS = 2


class PerformanceParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which plays: one for each `acc`; or, when one of the four counts is given, a single one with those hits."""

    id: BeatmapID
    nkatu: Hits | None = None
    ngeki: Hits | None = None
    n100: Hits | None = None
    n50: Hits | None = None
    misses: Hits = 0
    mods: ModsNumber = 0
    mode: PlayMode = 0
    combo: Hits | None = None
    acc: Accuracies = ACCURACIES

    def plays(self) -> list[Play]:
        """The plays that these parameters mean."""
        mode, mods = self.mode % 4, engine_mods(self.mods)
        counts = (self.ngeki, self.nkatu, self.n100, self.n50)
        if any(count is not None for count in counts):
            names = ("n_geki", "n_katu", "n100", "n50")
            hits = {name: count or 0 for name, count in zip(names, counts, strict=True)}
            return [Play(mode=mode, mods=mods, combo=self.combo, n_misses=self.misses, **hits)]
        return [Play(mode=mode, mods=mods, combo=self.combo, acc=acc, n_misses=self.misses) for acc in self.acc]


Results = list[PlayResult] | PlayResult


@errors(*AUTHENTICATE, NO_BEATMAP, NO_FILE, *CALCULATION)
async def calculate_pp(services: Services, params: PerformanceParams, caller: Caller) -> Results:
    """What plays on a beatmap are worth: a list with one result per accuracy, or one result for hit counts."""
    await authenticate(services, caller)
    files = await _files(services, (params.id,))
    plays = params.plays()
    results = await _results(services, files.get(params.id), plays)
    return results if plays[0].acc is not None else results[0]


class BatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which plays on each of several beatmaps: one for each `acc`."""

    id: BeatmapIDs
    mods: ModsNumber = 0
    mode: PlayMode = 0
    acc: Accuracies = ACCURACIES


class BeatmapResults(msgspec.Struct, frozen=True, kw_only=True):
    """The results on one beatmap; `status` is success, or what calculate_pp would have said instead."""

    id: int
    status: str
    results: list[PlayResult]


class Batch(Success, frozen=True, kw_only=True):
    """The results on several beatmaps, in the order in which they were named."""

    maps: list[BeatmapResults]


@errors(*AUTHENTICATE, NO_ENGINE, NOT_STARTING, TOO_MANY)
async def calculate_pp_batch(services: Services, params: BatchParams, caller: Caller) -> Batch:
    """What plays on several beatmaps are worth, with a result per accuracy; one may fail without the others."""
    await authenticate(services, caller)
    files = await _files(services, params.id)
    mods = engine_mods(params.mods)
    plays = [Play(mode=params.mode % 4, mods=mods, acc=acc) for acc in params.acc]
    clock = asyncio.get_running_loop().time
    deadline = clock() + BATCH_TIMEOUTS * services.settings.pp_timeout
    maps = []
    for beatmap_id in dict.fromkeys(params.id):
        try:
            if clock() > deadline:
                raise NOT_IN_TIME()
            results = await _results(services, files.get(beatmap_id), plays)
            maps.append(BeatmapResults(id=beatmap_id, status="success", results=results))
        except APIError as refusal:
            if refusal.status != 400:
                raise
            maps.append(BeatmapResults(id=beatmap_id, status=refusal.message, results=[]))
    return Batch(maps=maps)


async def _files(services: Services, ids: tuple[int, ...]) -> dict[int, BeatmapFile]:
    """Which files are those of the beatmaps that the database knows, by id."""
    return {file.id: file for file in await services.database.all(catalogue.beatmap_files, ids=ids)}


async def _results(services: Services, beatmap: BeatmapFile | None, plays: list[Play]) -> list[PlayResult]:
    """The results of `plays` on a beatmap. Raises APIError without a file the engine can use, and Unavailable."""
    if beatmap is None:
        raise NO_BEATMAP()
    path = services.beatmap_files.path(beatmap.id)
    results = await services.pp_engine.calculate(path, beatmap.md5, plays)
    if results is None and await services.beatmap_files.fetch(beatmap.id, beatmap.md5):
        results = await services.pp_engine.calculate(path, beatmap.md5, plays)
    if results is None:
        raise NO_FILE()
    return [
        msgspec.structs.replace(result, accuracy=play.acc) for result, play in zip(results, plays, strict=True)
    ]
