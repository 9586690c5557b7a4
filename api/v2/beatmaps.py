"""Beatmaps."""

import msgspec

from api.reads.beatmaps import search_beatmaps
from api.reads.require import NO_BEATMAP, require
from api.request.params import BeatmapText
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, PageParams, page_of
from api.v2.params import (
    Artist,
    BeatmapMode,
    BeatmapNumber,
    BeatmapServer,
    BeatmapSetNumber,
    BeatmapSort,
    BeatmapStatus,
    Creator,
    FileName,
    Frozen,
    SortOrder,
)
from domain.v2 import BeatmapDetails, Rating
from storage.cache.beatmap_search import SERVERS, BeatmapQuery
from storage.database import catalogue

# How many beatmaps of an artist, a creator or a file name are searched.
MAX_AMONG = 10_000


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
    q: BeatmapText | None = None
    sort: BeatmapSort | None = None
    order: SortOrder = "desc"


async def get_maps(services: Services, params: BeatmapsParams) -> Page[BeatmapDetails]:
    """Beatmaps, ordered by server (`osu!` first) and ID, or as `sort` and `order` say.

    With `q`, those that have some words in their artist, title, creator or difficulty name. It may take a minute
    until new and changed beatmaps are found, up to ten minutes for the first search after a pause,
    and their place in the order may be as old.
    """
    request = params.request
    filters = params.filters()
    text, sort, order = (filters.pop(name) for name in ("q", "sort", "order"))
    if text is None:
        query = catalogue.beatmaps_sorted[sort, order] if sort else catalogue.beatmaps
        rows, total = await services.pagination.read(query, catalogue.count_beatmaps, request, **filters)
        return page_of(rows, total, request)
    what = BeatmapQuery(
        text=text,
        numbers=_numbers(params),
        sort=sort,
        descending=sort is not None and order == "desc",
        among=await _among(services, params),
    )
    rows, total = await search_beatmaps(
        services, catalogue.v2_beatmaps_by_id, what, offset=request.offset, limit=request.size
    )
    return page_of(rows, total, request)


def _numbers(params: BeatmapsParams) -> dict[str, int]:
    """Return the filters that a search in memory compares, by name."""
    server = None if params.server is None else SERVERS.get(params.server, -1)
    filters = {name: getattr(params, name) for name in ("set_id", "status", "mode", "frozen")} | {"server": server}
    return {name: int(value) for name, value in filters.items() if value is not None}


async def _among(services: Services, params: BeatmapsParams) -> frozenset[int] | None:
    """Return the ids of the beatmaps that match the filters by text, None if there are none."""
    texts = {"artist": params.artist, "creator": params.creator, "filename": params.filename}
    if not any(text is not None for text in texts.values()):
        return None
    rows = await services.database.all(catalogue.beatmap_ids, limit=MAX_AMONG, **texts)
    return frozenset(row.id for row in rows)


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
    beatmap = await require(services, catalogue.beatmap_md5, NO_BEATMAP, id=params.map_id, md5=None)
    rating = await services.database.one(
        catalogue.beatmap_rating, md5=beatmap.md5, visible=services.settings.visible
    )
    return Item(data=rating or Rating(average=None, count=0))
