"""Beatmaps."""

import msgspec

from api.request.params import BeatmapID, BeatmapMD5
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import BEATMAP_ERRORS, beatmap_by_id_or_md5
from domain.beatmaps import Beatmap


class BeatmapParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `md5` is required; `id` wins if both are given."""

    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None


class BeatmapInfo(Success, frozen=True, kw_only=True):
    """A beatmap."""

    map: Beatmap


@errors(*BEATMAP_ERRORS)
async def get_map_info(services: Services, params: BeatmapParams) -> BeatmapInfo:
    """A beatmap."""
    return BeatmapInfo(map=await beatmap_by_id_or_md5(services, params.id, params.md5))
