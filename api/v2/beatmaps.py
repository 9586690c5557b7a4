"""Beatmaps."""

import msgspec

from api.reads.beatmaps import NO_BEATMAP, require_beatmap
from api.request.params import PageNumber, PageSize
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, page_of
from api.v2.params import (
    Artist,
    BeatmapMode,
    BeatmapNumber,
    BeatmapServer,
    BeatmapSetNumber,
    BeatmapStatus,
    Creator,
    FileName,
    Frozen,
)
from domain.v2 import BeatmapDetails, Rating
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class BeatmapsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Beatmaps must match all of the filters that are given."""

    set_id: BeatmapSetNumber | None = None
    server: BeatmapServer | None = None
    status: BeatmapStatus | None = None
    artist: Artist | None = None
    creator: Creator | None = None
    filename: FileName | None = None
    mode: BeatmapMode | None = None
    frozen: Frozen | None = None
    page: PageNumber = 1
    page_size: PageSize = 50


async def get_maps(services: Services, params: BeatmapsParams) -> Page[BeatmapDetails]:
    """Beatmaps, ordered by server (`osu!` first) and ID."""
    request = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.read(
        catalogue.beatmaps,
        catalogue.count_beatmaps,
        request,
        set_id=params.set_id,
        server=params.server,
        status=params.status,
        artist=params.artist,
        creator=params.creator,
        filename=params.filename,
        mode=params.mode,
        frozen=params.frozen,
    )
    return page_of(rows, total, request)


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    map_id: BeatmapNumber


@errors(NO_BEATMAP)
async def get_map(services: Services, params: BeatmapParams) -> Item[BeatmapDetails]:
    """A beatmap."""
    return Item(data=await require_beatmap(services, catalogue.v2_beatmap, id=params.map_id))


@errors(NO_BEATMAP)
async def get_map_rating(services: Services, params: BeatmapParams) -> Item[Rating]:
    """The average and the number of players' ratings of a beatmap.

    Ratings by restricted and unverified players do not count.
    """
    beatmap = await require_beatmap(services, catalogue.beatmap, id=params.map_id)
    rating = await services.database.one(
        catalogue.beatmap_rating, md5=beatmap.md5, visible=services.settings.visible
    )
    return Item(data=rating or Rating(average=None, count=0))
