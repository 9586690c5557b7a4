"""Clans."""

from typing import Annotated, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.reads.clans import clan_leaderboard
from api.reads.require import NO_CLAN, require
from api.request.params import MODES, ClanSortColumn, RulesetMode, parse_param
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, PageParams, page_of
from api.v2.params import ClanNumber
from domain.clans import (
    MemberCount,
    MembersAccuracy,
    MembersPlays,
    MembersPlaytime,
    MembersPP,
    MembersRankedScore,
    MembersTotalScore,
)
from domain.modes import INVALID_MODE, ruleset_mode
from domain.v2 import Clan, ClanLeaderboardEntry
from storage.database import catalogue

# Read as text, so that nothing is invalid where it is ignored.
ClanMode = Annotated[
    str,
    Meta(description=f"{MODES}. It is ignored without `sort`."),
]


class ClansParams(PageParams, frozen=True):
    """`mode` counts with `sort` only."""

    sort: ClanSortColumn | None = None
    mode: ClanMode | None = None


class ListedClan(Clan, frozen=True, kw_only=True):
    """A clan. What its visible members have achieved together in the mode is there with `sort` only."""

    total_tscore: MembersTotalScore | UnsetType = UNSET
    total_rscore: MembersRankedScore | UnsetType = UNSET
    total_pp: MembersPP | UnsetType = UNSET
    avg_acc: MembersAccuracy | UnsetType = UNSET
    total_plays: MembersPlays | UnsetType = UNSET
    total_playtime: MembersPlaytime | UnsetType = UNSET
    member_count: MemberCount | UnsetType = UNSET


@errors(INVALID_MODE)
async def get_clans(services: Services, params: ClansParams) -> Page[ListedClan]:
    """Clans, ordered by ID or, with `sort`, the leaderboard of clans in a mode.

    On a leaderboard, restricted and unverified members do not count. Clans with 0 in what it is sorted by are left
    out; of equal clans the lower ID comes first. The order may be a minute old.
    """
    request, visible = params.request, services.settings.visible
    clans: list[Clan] | list[ClanLeaderboardEntry]
    if params.sort is None:
        clans, total = await services.pagination.read(
            catalogue.clans, catalogue.count_clans, request, visible=visible
        )
    else:
        mode = ruleset_mode(parse_param("mode", params.mode or "0", RulesetMode), strict=True)
        clans, total = await clan_leaderboard(
            services,
            catalogue.v2_clan_leaderboard,
            sort=params.sort,
            mode=mode,
            limit=request.size,
            offset=request.offset,
        )
    # Rows of either kind are encoded as the Struct declares.
    return page_of(cast(list[ListedClan], clans), total, request)


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    clan_id: ClanNumber


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> Item[Clan]:
    """A clan. Its members are the players with this `clan_id`, see `/v2/players`."""
    visible = services.settings.visible
    return Item(data=await require(services, catalogue.v2_clan, NO_CLAN, id=params.clan_id, visible=visible))
