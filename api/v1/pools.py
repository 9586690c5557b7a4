"""Tournament map pools."""

from typing import Annotated, cast

import msgspec
from msgspec import Meta

from api.reads.require import require
from api.request.params import PoolID
from api.response.errors import errors
from api.services import Services
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from domain.pools import Pool
from storage.database import catalogue
from storage.game_server.client import NoAnswer

NO_POOL = ErrorSpec(404, "Pool not found.")


class PoolParams(msgspec.Struct, frozen=True, kw_only=True):
    id: PoolID


class PoolInfo(Pool, frozen=True, kw_only=True):
    """A map pool with its beatmaps."""

    maps: Annotated[dict[str, Beatmap], Meta(description="Beatmaps by their pick, such as `NM1` or `HDHR2`.")]


@errors(NO_POOL)
async def get_mappool(services: Services, params: PoolParams) -> PoolInfo:
    """A tournament's map pool with its beatmaps and its creator.

    Beatmaps that no longer exist are left out. The response has no `status`.
    """
    pool = await require(services, catalogue.pool, NO_POOL, id=params.id, visible=services.settings.visible)
    picks = await services.database.all(catalogue.pool_beatmaps, id=pool.id, limit=services.settings.list_limit)
    beatmaps = await services.beatmaps.of(pick.beatmap for pick in picks)
    maps = {pick.key: beatmaps[pick.beatmap] for pick in picks if pick.beatmap in beatmaps}
    creator = pool.created_by
    if creator is not None:
        creator = msgspec.structs.replace(creator, online=await is_online(services, creator.id))
    return PoolInfo(
        id=pool.id,
        name=pool.name,
        created_at=pool.created_at,
        created_by=creator,
        # They are JSON already, of the type that the Struct declares.
        maps=cast(dict[str, Beatmap], maps),
    )


async def is_online(services: Services, player_id: int) -> bool | None:
    """Return whether a player is online, or None while the game server does not say."""
    try:
        return await services.live.is_online(player_id)
    except NoAnswer:
        return None
