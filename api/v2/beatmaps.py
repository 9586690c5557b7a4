"""Beatmaps."""

import msgspec

from api.reads.require import NO_BEATMAP, require
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, PageParams, read_page
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
from storage.database import catalogue


class BeatmapsParams(PageParams, frozen=True):
    """Beatmaps must match all of the filters that are given."""

    set_id: BeatmapSetNumber | None = None
    server: BeatmapServer | None = None
    status: BeatmapStatus | None = None
    artist: Artist | None = None
    creator: Creator | None = None
    filename: FileName | None = None
    mode: BeatmapMode | None = None
    frozen: Frozen | None = None


async def get_maps(services: Services, params: BeatmapsParams) -> Page[BeatmapDetails]:
    """Beatmaps, ordered by server (`osu!` first) and ID."""
    return await read_page(services, catalogue.beatmaps, catalogue.count_beatmaps, params)


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    map_id: BeatmapNumber


@errors(NO_BEATMAP)
async def get_map(services: Services, params: BeatmapParams) -> Item[BeatmapDetails]:
    """A beatmap."""
    beatmap = await require(services, catalogue.v2_beatmap, NO_BEATMAP, id=params.map_id, md5=None)
    return Item(data=beatmap)


@errors(NO_BEATMAP)
async def get_map_rating(services: Services, params: BeatmapParams) -> Item[Rating]:
    """The average and the number of players' ratings of a beatmap.

    Ratings by restricted and unverified players do not count.
    """
    beatmap = await require(services, catalogue.beatmap, NO_BEATMAP, id=params.map_id, md5=None)
    rating = await services.database.one(
        catalogue.beatmap_rating, md5=beatmap.md5, visible=services.settings.visible
    )
    return Item(data=rating or Rating(average=None, count=0))
