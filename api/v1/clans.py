"""Clans."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.clans import clan_leaderboard
from api.reads.require import NO_CLAN, require
from api.request.params import ClanID, ClanSortColumn, Limit, ModeNumber, Offset
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.clans import Clan, ClanLeaderboardEntry, ClanMember
from domain.modes import INVALID_MODE, ruleset_mode
from domain.units import Int32
from storage.database import catalogue


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    id: ClanID


class ClanInfo(Clan, frozen=True, kw_only=True):
    """A clan with its owner and its members."""

    members: Annotated[list[ClanMember], Meta(description="Members of the clan, ordered by ID.")]
    owner: Annotated[
        ClanMember | None,
        Meta(description="Owner of the clan; null if that player is hidden or no longer exists."),
    ]


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> ClanInfo:
    """A clan with its owner and its members.

    Restricted and unverified players are left out. The response has no `status`.
    """
    visible = services.settings.visible
    clan = await require(services, catalogue.clan, NO_CLAN, id=params.id, visible=visible)
    members = await services.database.all(
        catalogue.clan_members, id=clan.id, visible=visible, limit=services.settings.list_limit
    )
    return ClanInfo(id=clan.id, name=clan.name, tag=clan.tag, members=members, owner=clan.owner_member)


class ClanLeaderboardParams(msgspec.Struct, frozen=True, kw_only=True):
    sort: ClanSortColumn = "pp"
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0


class ClanLeaderboard(Success, frozen=True, kw_only=True):
    """Clans in the order of the leaderboard."""

    total: Annotated[Int32, Meta(description="Number of clans on the leaderboard.")]
    leaderboard: Annotated[
        list[ClanLeaderboardEntry],
        Meta(description="Clans in the order of the leaderboard. The first one has the rank `offset` + 1."),
    ]


@errors(INVALID_MODE)
async def get_clan_leaderboard(services: Services, params: ClanLeaderboardParams) -> ClanLeaderboard:
    """The leaderboard of clans in a mode, by what their members have achieved together.

    Restricted and unverified members do not count. Clans with 0 in what it is sorted by are left out; of equal
    clans the lower ID comes first. The order may be a minute old.
    """
    clans, total = await clan_leaderboard(
        services,
        catalogue.clan_leaderboard,
        sort=params.sort,
        mode=ruleset_mode(params.mode, strict=services.settings.strict_modes),
        limit=params.limit,
        offset=params.offset,
    )
    return ClanLeaderboard(total=total, leaderboard=clans)
