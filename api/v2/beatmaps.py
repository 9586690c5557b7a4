"""Beatmaps."""

import msgspec

from api.request.params import PageNumber, PageSize
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import NO_BEATMAP, find_beatmap
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
    """What the beatmaps have in common, and which page of them."""

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
    """The beatmaps."""
    place = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.read(
        catalogue.beatmaps,
        catalogue.count_beatmaps,
        place,
        set_id=params.set_id,
        server=params.server,
        status=params.status,
        artist=params.artist,
        creator=params.creator,
        filename=params.filename,
        mode=params.mode,
        frozen=params.frozen,
    )
    return page_of(rows, total, place)


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which beatmap."""

    map_id: BeatmapNumber


@errors(NO_BEATMAP)
async def get_map(services: Services, params: BeatmapParams) -> Item[BeatmapDetails]:
    """A beatmap."""
    return Item(data=await find_beatmap(services, params.map_id, None, catalogue.v2_beatmap))


@errors(NO_BEATMAP)
async def get_map_rating(services: Services, params: BeatmapParams) -> Item[Rating]:
    """What the players think of a beatmap."""
    beatmap = await find_beatmap(services, params.map_id, None, catalogue.beatmap)
    rating = await services.database.one(
        catalogue.beatmap_rating, md5=beatmap.md5, visible=services.settings.visible
    )
    return Item(data=rating or Rating(average=None, count=0))
