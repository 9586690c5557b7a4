"""Clans."""

import msgspec

from api.reads.require import NO_CLAN, require
from api.request.params import ClanID
from api.response.errors import errors
from api.services import Services
from domain.clans import Clan, ClanMember
from storage.database import catalogue


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    id: ClanID


class ClanInfo(Clan, frozen=True, kw_only=True):
    """A clan with its members, ordered by ID. `owner` is null if that player is hidden or no longer exists."""

    members: list[ClanMember]
    owner: ClanMember | None


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
