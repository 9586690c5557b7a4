"""Leaderboards of players."""

import msgspec

from api.reads.leaderboards import leaderboard, leaderboard_key
from api.request.params import Country, PageNumber, PageSize, RulesetMode, SortColumn
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Page, page_of
from domain.modes import INVALID_MODE, ruleset_mode
from domain.v2 import LeaderboardEntry
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    mode: RulesetMode
    sort: SortColumn = "pp"
    page: PageNumber = 1
    page_size: PageSize = 50
    country: Country | None = None


@errors(INVALID_MODE)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> Page[LeaderboardEntry]:
    """The leaderboard of a mode, of the world or of one country, with each player's rank on it.

    Players with 0 in the column it is sorted by are left out, and so are restricted and unverified players. Of
    equal players the lower ID comes first. The order may be 10 seconds old, and `total` a minute.
    """
    request = PageRequest(params.page, params.page_size)
    entries, total = await leaderboard(
        services,
        catalogue.v2_leaderboard,
        leaderboard_key(params.sort, ruleset_mode(params.mode, strict=True), params.country),
        limit=request.size,
        offset=request.offset,
    )
    ranked = [
        msgspec.structs.replace(entry, rank=rank) for rank, entry in enumerate(entries, start=request.offset + 1)
    ]
    return page_of(ranked, total, request)
