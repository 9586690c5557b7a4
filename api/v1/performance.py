"""Performance points (pp)."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from api.request.auth import AUTH_ERRORS, Caller, authenticate
from api.request.params import INT32, BeatmapID, BeatmapIDs, ModsNumber, PlayMode
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain import units
from domain.beatmaps import BeatmapFile
from domain.errors import APIError, ErrorSpec
from domain.performance import Play, PlayResult, engine_mods
from storage.database import catalogue
from storage.pp.engine import CALCULATION, NO_ENGINE, NOT_STARTING, TOO_MANY

NO_BEATMAP = ErrorSpec(400, "Beatmap not found.")
NO_FILE = ErrorSpec(400, "Beatmap file could not be fetched.")
NOT_IN_TIME = ErrorSpec(400, "Not calculated in time.")

DEFAULT_ACCURACIES = (100.0, 99.0, 98.0, 95.0)

# A batch may take this many times the timeout of one calculation.
BATCH_TIMEOUTS = 2

IF_COUNTED = (
    "With one of `nkatu`, `ngeki`, `n100` and `n50`, the response is the pp of one play with these hits. Those"
    " that are not given are 0 then, and `acc` is ignored."
)
Katus = Annotated[
    int,
    Meta(
        ge=0,
        le=INT32,
        description=f"Number of katus: 200s in mania, missed droplets in catch. {IF_COUNTED}",
    ),
]
Gekis = Annotated[int, Meta(ge=0, le=INT32, description=f"Number of gekis: MAX (320) in mania. {IF_COUNTED}")]
Hits100 = Annotated[
    int,
    Meta(ge=0, le=INT32, description=f"Number of 100s: goods in taiko, caught drops in catch. {IF_COUNTED}"),
]
Hits50 = Annotated[int, Meta(ge=0, le=INT32, description=f"Number of 50s: caught droplets in catch. {IF_COUNTED}")]
Misses = Annotated[int, Meta(ge=0, le=INT32, description="Number of misses in the play.")]
Combo = Annotated[
    int,
    Meta(ge=0, le=INT32, description="Highest combo of the play. Without it, the highest one that is possible."),
]
Accuracies = Annotated[
    tuple[Annotated[float, Meta(ge=0, le=100)], ...],
    Meta(
        max_length=100,
        description="Accuracy of a play in percent (0 to 100). May be given up to 100 times, for one result each.",
    ),
]


class PerformanceParams(msgspec.Struct, frozen=True, kw_only=True):
    id: BeatmapID
    nkatu: Katus | None = None
    ngeki: Gekis | None = None
    n100: Hits100 | None = None
    n50: Hits50 | None = None
    misses: Misses = 0
    mods: ModsNumber = 0
    mode: PlayMode = 0
    combo: Combo | None = None
    acc: Accuracies = DEFAULT_ACCURACIES

    def plays(self) -> list[Play]:
        """Return the plays to calculate: one with the hit counts if there are any, else one for each accuracy."""
        mode, mods = self.mode % 4, engine_mods(self.mods)
        counts = {"n_geki": self.ngeki, "n_katu": self.nkatu, "n100": self.n100, "n50": self.n50}
        if any(count is not None for count in counts.values()):
            hits = {name: count or 0 for name, count in counts.items()}
            return [Play(mode=mode, mods=mods, combo=self.combo, n_misses=self.misses, **hits)]
        return [Play(mode=mode, mods=mods, combo=self.combo, acc=acc, n_misses=self.misses) for acc in self.acc]


Results = list[PlayResult] | PlayResult


@errors(*AUTH_ERRORS, NO_BEATMAP, NO_FILE, *CALCULATION)
async def calculate_pp(services: Services, params: PerformanceParams, caller: Caller) -> Results:
    """The pp of plays on a beatmap, and its difficulty with the mods of the plays.

    The response is a list with one result for each `acc`, in their order. If `nkatu`, `ngeki`, `n100` or `n50`
    is given, it is a single result for a play with these hits instead.
    """
    await authenticate(services, caller)
    files = await _files(services, (params.id,))
    plays = params.plays()
    results = await _results(services, files.get(params.id), plays)
    return results if plays[0].acc is not None else results[0]


class BatchParams(msgspec.Struct, frozen=True, kw_only=True):
    id: BeatmapIDs
    mods: ModsNumber = 0
    mode: PlayMode = 0
    acc: Accuracies = DEFAULT_ACCURACIES


class BeatmapResults(msgspec.Struct, frozen=True, kw_only=True):
    """The results for one beatmap."""

    id: units.BeatmapID
    status: Annotated[str, Meta(description="`success`, or the error that `calculate_pp` would respond with.")]
    results: Annotated[
        list[PlayResult], Meta(description="One result for each `acc`, in their order; empty after an error.")
    ]


class Batch(Success, frozen=True, kw_only=True):
    """The results for each beatmap, in the order of the request."""

    maps: Annotated[list[BeatmapResults], Meta(description="The results for each beatmap.")]


@errors(*AUTH_ERRORS, NO_ENGINE, NOT_STARTING, TOO_MANY)
async def calculate_pp_batch(services: Services, params: BatchParams, caller: Caller) -> Batch:
    """The pp of plays on several beatmaps, with one result for each `acc` on each of them.

    A beatmap that cannot be calculated has an error in its `status` and does not affect the others. A beatmap
    that is named twice is calculated once.
    """
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
        except APIError as error:
            if error.status != 400:
                raise
            maps.append(BeatmapResults(id=beatmap_id, status=error.message, results=[]))
    return Batch(maps=maps)


async def _files(services: Services, ids: tuple[int, ...]) -> dict[int, BeatmapFile]:
    """Return the files of the beatmaps that the database knows, by beatmap id."""
    return {file.id: file for file in await services.database.all(catalogue.beatmap_files, ids=ids)}


async def _results(services: Services, beatmap: BeatmapFile | None, plays: list[Play]) -> list[PlayResult]:
    """Return the results of `plays` on a beatmap.

    Raise APIError if there is no beatmap or no file that the engine can use, and Unavailable.
    """
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
