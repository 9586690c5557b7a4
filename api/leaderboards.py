"""Leaderboards of players."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from api.answers import Success
from api.params import Country, Limit, ModeNumber, Offset, SortColumn
from api.refusals import refuses
from api.services import Services
from domain.modes import INVALID_MODE, Mode, ruleset_mode
from domain.players import LeaderboardEntry
from storage import catalogue
from storage.query import Query

E = TypeVar("E", bound=LeaderboardEntry)

# So far down, reading twice what comes before a page costs more than sorting the whole mode.
DEEP = 10_000


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


@refuses(INVALID_MODE)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> Leaderboard:
    """The players who lead a mode, in the world or in one country."""
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    return Leaderboard(leaderboard=await leaders(services, catalogue.leaderboard, mode, params))


async def leaders(
    services: Services, queries: Mapping[str, Query[E]], mode: Mode, params: LeaderboardParams
) -> list[E]:
    """Whom `params` name in a mode; `queries` by what they sort by.

    A country's players are few, and found by their country. Of the world's, those are read who have at least as
    much as the last one on the page: then an index names them, and equals are still sorted by id.
    """
    visible = services.settings.visible_on_boards
    least: int | float = 0
    if params.country is None and params.offset < DEEP:
        last = params.offset + params.limit - 1
        row = await services.database.one(
            catalogue.leaderboard_least[params.sort], mode=mode, visible=visible, last=last
        )
        least = row.least if row else 0
    return await services.database.all(
        queries[params.sort],
        mode=mode,
        country=None if params.country is None else params.country.lower(),
        visible=visible,
        least=least,
        limit=params.limit,
        offset=params.offset,
    )
