"""Tournament map pools."""

from datetime import datetime
from typing import cast

import msgspec

from api.request.params import RowID
from api.response.errors import errors
from api.services import Services
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from domain.pools import PoolCreator
from storage.database import catalogue
from storage.game_server.client import GAME_SERVER_AWAY

NO_POOL = ErrorSpec(404, "Pool not found.")


class PoolParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which map pool."""

    id: RowID


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A map pool without the usual envelope; `maps` by pick, such as `NM1` or `HDHR2`."""

    id: int
    name: str
    created_at: datetime | None
    created_by: PoolCreator | None
    maps: dict[str, Beatmap]


@errors(NO_POOL, GAME_SERVER_AWAY)
async def get_mappool(services: Services, params: PoolParams) -> PoolInfo:
    """A tournament's map pool and who made it."""
    pool = await services.database.one(catalogue.pool, id=params.id, visible=services.settings.visible)
    if pool is None:
        raise NO_POOL()
    places = await services.database.all(catalogue.pool_beatmaps, id=pool.id, limit=services.settings.list_limit)
    beatmaps = await services.beatmaps.of(place.beatmap for place in places)
    maps = {place.key: beatmaps[place.beatmap] for place in places if place.beatmap in beatmaps}
    creator = pool.created_by
    if creator is not None:
        creator = msgspec.structs.replace(creator, online=await services.live.is_online(creator.id))
    return PoolInfo(
        id=pool.id,
        name=pool.name,
        created_at=pool.created_at,
        created_by=creator,
        # Encoded, they are what the Struct says.
        maps=cast(dict[str, Beatmap], maps),
    )
