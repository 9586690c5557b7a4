"""Leaderboards of players."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.leaderboards import leaderboard, leaderboard_key
from api.reads.players import NO_PLAYER
from api.request.params import AroundPlayer, Country, Limit, ModeNumber, Offset, SortColumn
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.modes import INVALID_MODE, ruleset_mode
from domain.players import LeaderboardEntry
from domain.units import Int32
from storage.database import catalogue


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    sort: SortColumn = "pp"
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0
    country: Country | None = None
    around: AroundPlayer | None = None


class PlayerLeaderboard(Success, frozen=True, kw_only=True):
    """Players in the order of the leaderboard."""

    leaderboard: Annotated[
        list[LeaderboardEntry],
        Meta(description="Players in the order of the leaderboard. The first one has the rank `offset` + 1."),
    ]
    total: Annotated[
        Int32 | None,
        Meta(description="Number of players on the leaderboard; null if they are not counted in time."),
    ]
    offset: Annotated[int, Meta(description="Number of players before the first one in this response.")]


@errors(INVALID_MODE, NO_PLAYER)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> PlayerLeaderboard:
    """The leaderboard of a mode, of the world or of one country.

    Players with 0 in the column it is sorted by are left out, and so are restricted and unverified players. Of
    equal players the lower ID comes first. With `around`, it is the page of that player; a player who is not on
    the leaderboard is not found. The order may be 10 seconds old, and `total` a minute.
    """
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    key = leaderboard_key(params.sort, mode, params.country)
    offset = params.offset
    if params.around is not None:
        position = await services.leaderboard_order.position(key, params.around)
        if position is None:
            raise NO_PLAYER()
        offset = position - position % params.limit
    entries, total = await leaderboard(services, catalogue.leaderboard, key, limit=params.limit, offset=offset)
    return PlayerLeaderboard(leaderboard=entries, total=total, offset=offset)
