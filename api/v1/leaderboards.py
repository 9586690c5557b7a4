"""Leaderboards of players."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from api.request.params import Country, Limit, ModeNumber, Offset, SortColumn
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.modes import INVALID_MODE, Mode, ruleset_mode
from domain.players import LeaderboardEntry
from storage.cache.leaderboards import LeaderboardKey
from storage.database import catalogue
from storage.database.database import Query

E = TypeVar("E", bound=LeaderboardEntry)


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    """What to sort by, and where."""

    sort: SortColumn = "pp"
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0
    country: Country | None = None


class Leaderboard(Success, frozen=True, kw_only=True):
    """The players who lead; the first is `offset` + 1."""

    leaderboard: list[LeaderboardEntry]


@errors(INVALID_MODE)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> Leaderboard:
    """The players who lead a mode, in the world or in one country."""
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    return Leaderboard(leaderboard=await leaders(services, catalogue.leaderboard, mode, params))


async def leaders(
    services: Services, queries: Mapping[str, Query[E]], mode: Mode, params: LeaderboardParams
) -> list[E]:
    """Whom `params` name in a mode; `queries` by what they sort by.

    Who they are may be some seconds old, what is said of them is not.
    """
    country = None if params.country is None else params.country.lower()
    board = LeaderboardKey(params.sort, mode, country)
    ids = await services.leaderboard_order.page(board, offset=params.offset, limit=params.limit)
    if not ids:
        return []
    return await services.database.all(
        queries[params.sort], ids=ids, mode=mode, visible=services.settings.visible_on_boards
    )
