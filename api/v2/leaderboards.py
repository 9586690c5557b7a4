"""Leaderboards of players."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.leaderboards import leaderboard, leaderboard_key
from api.request.params import Country, PageNumber, PageSize, RulesetMode, SortColumn
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import META, CurrentPage, CurrentSize
from domain.modes import INVALID_MODE, ruleset_mode
from domain.units import TotalOrNull
from domain.v2 import LeaderboardEntry
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class LeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    mode: RulesetMode
    sort: SortColumn = "pp"
    page: PageNumber = 1
    page_size: PageSize = 50
    country: Country | None = None


class LeaderboardMeta(msgspec.Struct, frozen=True, kw_only=True):
    """The page, and the number of players on all pages."""

    total: TotalOrNull
    page: CurrentPage
    page_size: CurrentSize


class PlayerLeaderboard(Success, frozen=True, kw_only=True):
    """A page of a leaderboard."""

    data: Annotated[list[LeaderboardEntry], Meta(description="Players in the order of the leaderboard.")]
    meta: Annotated[LeaderboardMeta, META]


@errors(INVALID_MODE)
async def get_leaderboard(services: Services, params: LeaderboardParams) -> PlayerLeaderboard:
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
    return PlayerLeaderboard(
        data=ranked, meta=LeaderboardMeta(total=total, page=request.page, page_size=request.size)
    )
