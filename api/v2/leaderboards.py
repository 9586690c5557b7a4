"""Leaderboards of players."""

import msgspec

from api.request.params import Country, PageNumber, PageSize, RulesetMode, SortColumn
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1 import leaderboards
from domain.modes import INVALID_MODE, ruleset_mode
from domain.v2 import LeaderboardEntry
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which leaderboard, and which page of it."""

    mode: RulesetMode
    sort: SortColumn = "pp"
    page: PageNumber = 1
    page_size: PageSize = 50
    country: Country | None = None


class LeaderboardMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Which page this is."""

    page: int
    page_size: int


class Leaderboard(Success, frozen=True, kw_only=True):
    """A page of a leaderboard."""

    data: list[LeaderboardEntry]
    meta: LeaderboardMeta


@errors(INVALID_MODE)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> Leaderboard:
    """The players who lead a mode, in the world or in one country, with their places."""
    place = PageRequest(params.page, params.page_size)
    mode = ruleset_mode(params.mode, strict=True)
    asked = leaderboards.LeaderboardParams(
        sort=params.sort, mode=mode, limit=place.size, offset=place.offset, country=params.country
    )
    entries = await leaderboards.leaders(services, catalogue.v2_leaderboard, mode, asked)
    ranked = [
        msgspec.structs.replace(entry, rank=rank) for rank, entry in enumerate(entries, start=place.offset + 1)
    ]
    return Leaderboard(data=ranked, meta=LeaderboardMeta(page=place.page, page_size=place.size))
