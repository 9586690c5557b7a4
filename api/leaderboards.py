"""Leaderboards of players."""

from typing import Literal

import msgspec

from api.answers import Success
from api.params import Country, Limit, ModeNumber, Offset
from api.services import Services
from domain.modes import ruleset_mode
from domain.players import LeaderboardEntry
from storage import catalogue


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    """What to sort by, and where."""

    sort: Literal["tscore", "rscore", "pp", "acc", "plays", "playtime"] = "pp"
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0
    country: Country | None = None


class Leaderboard(Success, frozen=True, kw_only=True):
    """The players who lead; the first is `offset` + 1."""

    leaderboard: list[LeaderboardEntry]


async def get_leaderboard(services: Services, params: LeaderboardParams) -> Leaderboard:
    """The players who lead a mode, in the world or in one country."""
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    entries = await services.database.all(
        catalogue.leaderboard[params.sort],
        mode=mode,
        country=None if params.country is None else params.country.lower(),
        visible=services.settings.visible_on_boards,
        limit=params.limit,
        offset=params.offset,
    )
    return Leaderboard(leaderboard=entries)
