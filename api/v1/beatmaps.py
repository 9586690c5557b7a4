"""Beatmaps."""

import msgspec

from api.request.params import BeatmapID, BeatmapMD5
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import BEATMAP, find_beatmap
from domain.beatmaps import Beatmap
from storage.database import catalogue


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    """One of `id` and `md5`; `id` wins."""

    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None


class BeatmapInfo(Success, frozen=True, kw_only=True):
    """A beatmap."""

    map: Beatmap


@errors(*BEATMAP)
async def get_map_info(services: Services, params: BeatmapParams) -> BeatmapInfo:
    """A beatmap by its id or the md5 of its file."""
    return BeatmapInfo(map=await find_beatmap(services, params.id, params.md5, catalogue.beatmap))
