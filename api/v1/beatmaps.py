"""Beatmaps."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.beatmaps import beatmaps_by_id_or_md5, search_beatmaps
from api.request.params import (
    BeatmapID,
    BeatmapIDs,
    BeatmapMD5,
    BeatmapMD5s,
    BeatmapSetID,
    BeatmapText,
    Limit,
    Offset,
)
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import BEATMAP_ERRORS, ID_OR_MD5, beatmap_by_id_or_md5
from domain.beatmaps import Beatmap, BeatmapSet
from domain.errors import ErrorSpec
from domain.units import RankedStatus, Ruleset, description_of
from storage.cache.beatmap_search import BeatmapQuery
from storage.database import catalogue

NO_SET = ErrorSpec(404, "Set not found.")


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `md5` is required; `id` wins if both are given."""

    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None


class BeatmapInfo(Success, frozen=True, kw_only=True):
    """A beatmap."""

    map: Annotated[Beatmap, Meta(description="The beatmap.")]


@errors(*BEATMAP_ERRORS)
async def get_map_info(services: Services, params: BeatmapParams) -> BeatmapInfo:
    """A beatmap."""
    return BeatmapInfo(map=await beatmap_by_id_or_md5(services, catalogue.beatmap, params.id, params.md5))


class BeatmapsParams(msgspec.Struct, frozen=True, kw_only=True):
    """At least one `id` or `md5` is required."""

    id: BeatmapIDs = ()
    md5: BeatmapMD5s = ()


class BeatmapsInfo(Success, frozen=True, kw_only=True):
    """The beatmaps, in the order of the request."""

    maps: Annotated[list[Beatmap], Meta(description="The beatmaps.")]


@errors(ID_OR_MD5)
async def get_maps_info(services: Services, params: BeatmapsParams) -> BeatmapsInfo:
    """Several beatmaps, by their IDs or the MD5s of their files.

    They are in the order of the request, first those by `id`, then those by `md5`. Unknown ones are left out. A
    beatmap that is named twice is returned once.
    """
    if not params.id and not params.md5:
        raise ID_OR_MD5()
    return BeatmapsInfo(maps=await beatmaps_by_id_or_md5(services, params.id, params.md5))


class SearchParams(msgspec.Struct, frozen=True, kw_only=True):
    q: BeatmapText
    mode: Annotated[int, Meta(ge=0, le=3, description=description_of(Ruleset))] | None = None
    status: Annotated[int, Meta(ge=-1, le=5, description=description_of(RankedStatus))] | None = None
    limit: Limit = 50
    offset: Offset = 0


class FoundBeatmaps(Success, frozen=True, kw_only=True):
    """The beatmaps found, the most played one first."""

    results: Annotated[int, Meta(description="Number of beatmaps found, on all pages.")]
    result: Annotated[list[Beatmap], Meta(description="Beatmaps of the page, the most played one first.")]


async def search_maps(services: Services, params: SearchParams) -> FoundBeatmaps:
    """Beatmaps whose artist, title, creator and difficulty name contain some words.

    The most played one comes first. New and changed beatmaps may be found a minute later, by the
    first search after a pause up to ten minutes later.
    """
    numbers = {"mode": params.mode, "status": params.status}
    found, total = await search_beatmaps(
        services,
        catalogue.beatmaps_by_id,
        BeatmapQuery(
            text=params.q,
            numbers={name: value for name, value in numbers.items() if value is not None},
            sort="plays",
            descending=True,
        ),
        offset=params.offset,
        limit=params.limit,
    )
    return FoundBeatmaps(results=total, result=found)


class SetParams(msgspec.Struct, frozen=True, kw_only=True):
    id: BeatmapSetID


class SetInfo(Success, frozen=True, kw_only=True):
    """A beatmap set."""

    set: Annotated[BeatmapSet, Meta(description="The beatmap set.")]


@errors(NO_SET)
async def get_set_info(services: Services, params: SetParams) -> SetInfo:
    """A beatmap set with its beatmaps, ordered by ruleset and star rating.

    `artist`, `title`, `creator` and `status` are those of the beatmap with the lowest ID, `last_update` is the
    latest of all.
    """
    maps = await services.database.all(catalogue.set_beatmaps, set_id=params.id)
    if not maps:
        raise NO_SET()
    return SetInfo(set=BeatmapSet.of(maps))
