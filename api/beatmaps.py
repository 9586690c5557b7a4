"""Beatmaps."""

import msgspec

from api.answers import Success
from api.params import BeatmapID, BeatmapMD5
from api.refusals import refuses
from api.selectors import BEATMAP, find_beatmap
from api.services import Services
from domain.beatmaps import Beatmap
from storage import catalogue


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    """One of `id` and `md5`; `id` wins."""

    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None


class BeatmapInfo(Success, frozen=True, kw_only=True):
    """A beatmap."""

    map: Beatmap


@refuses(*BEATMAP)
async def get_map_info(services: Services, params: BeatmapParams) -> BeatmapInfo:
    """A beatmap by its id or the md5 of its file."""
    return BeatmapInfo(map=await find_beatmap(services, params.id, params.md5, catalogue.beatmap))
