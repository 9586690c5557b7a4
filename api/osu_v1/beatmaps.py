"""Beatmaps."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from api.osu_v1.params import MAX_TEXT, BeatmapNumber, ModeNumber, UserType
from api.request.params import INT64
from api.services import Services
from domain.beatmaps import Beatmap
from domain.osu_v1 import OsuBeatmap, osu_beatmap
from domain.times import in_utc, unzoned
from storage.database import catalogue

RULESETS = 4
# Favourites are counted for so many sets: without an index, each count takes as long as all of them.
MAX_COUNTED_SETS = 20


class BeatmapsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Beatmaps must match all of the filters that are given."""

    b: BeatmapNumber | None = None
    s: Annotated[int, Meta(ge=0, le=INT64, description="ID of a beatmap set.")] | None = None
    h: Annotated[str, Meta(max_length=MAX_TEXT, description="MD5 of the beatmap's `.osu` file.")] | None = None
    u: (
        Annotated[
            str,
            Meta(
                max_length=MAX_TEXT,
                description="Name of the creator. The database does not have the IDs of creators.",
            ),
        ]
        | None
    ) = None
    type: UserType | None = None
    m: ModeNumber | None = None
    a: Annotated[int, Meta(ge=0, le=1, description="Ignored: beatmaps are never converted to another mode.")] = 0
    since: (
        Annotated[
            str,
            Meta(
                max_length=MAX_TEXT,
                description="Time in UTC, as `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`. Only ranked, approved and"
                " loved beatmaps that were updated after it are listed.",
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=500, description="Maximum number of rows (1 to 500).")] = 500


async def get_beatmaps(services: Services, params: BeatmapsParams) -> list[OsuBeatmap]:
    """Beatmaps, those of the newest sets first.

    Of the mode `m` only the ruleset counts. If the game server has an endpoint of this name, it gets the requests
    with one of the parameters `q`, `status`, `sort`, `page` and `set_id`.
    """
    if params.u is not None and params.type == "id":
        return []
    one = await _only(services, params)
    if one is not None:
        return one
    beatmaps = await services.database.all(
        catalogue.beatmaps_by_set,
        id=params.b,
        set_id=params.s,
        md5=params.h.lower() if params.h else None,
        creator=params.u,
        mode=None if params.m is None else params.m % RULESETS,
        since=_time(params.since),
        limit=params.limit,
    )
    favourites = await _favourites(services, beatmaps)
    ratings = await _ratings(services, beatmaps)
    return [
        osu_beatmap(beatmap, favourites.get(beatmap.set_id, 0), ratings.get(beatmap.md5)) for beatmap in beatmaps
    ]


async def _only(services: Services, params: BeatmapsParams) -> list[OsuBeatmap] | None:
    """Return the beatmap of a request that names one, None for other requests and if it is not found."""
    id, md5 = params.b, params.h.lower() if params.h else None
    others = params.s, params.u, params.m, params.since
    if (id is None) == (md5 is None) or any(other is not None for other in others):
        return None
    visible = services.settings.visible
    beatmap = await services.database.one(catalogue.beatmap_counted, id=id, md5=md5, visible=visible)
    # Without one, it does not exist, or a table does not: the other statements find out which.
    return [osu_beatmap(beatmap, beatmap.favourites, beatmap.rating)] if beatmap else None


def _time(text: str | None) -> str | None:
    """Return a time as the database writes it, None if the text is none."""
    with suppress(ValueError):
        return unzoned(in_utc(datetime.fromisoformat(text), UTC)) if text else None
    return None


async def _favourites(services: Services, beatmaps: list[Beatmap]) -> dict[int, int]:
    """Return how many players have each set among their favourites; nothing if there are too many sets."""
    sets = tuple({beatmap.set_id for beatmap in beatmaps})
    if not sets or len(sets) > MAX_COUNTED_SETS:
        return {}
    rows = await services.database.all(catalogue.set_favourites, set_ids=sets, visible=services.settings.visible)
    return {row.set_id: row.total for row in rows}


async def _ratings(services: Services, beatmaps: list[Beatmap]) -> dict[str, float]:
    """Return the average rating of each beatmap that has been rated."""
    if not beatmaps:
        return {}
    md5s = tuple(beatmap.md5 for beatmap in beatmaps)
    rows = await services.database.all(catalogue.beatmap_ratings, md5s=md5s, visible=services.settings.visible)
    return {row.map_md5: row.average for row in rows}
