"""Clans."""

import msgspec

from api.request.params import RowID
from api.response.errors import errors
from api.services import Services
from domain.clans import ClanMember
from domain.errors import ErrorSpec
from storage.database import catalogue

NO_CLAN = ErrorSpec(404, "Clan not found.")


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which clan."""

    id: RowID


class ClanInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A clan with its members, without the usual envelope; no owner when that player is gone or hidden."""

    id: int
    name: str
    tag: str
    members: list[ClanMember]
    owner: ClanMember | None


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> ClanInfo:
    """A clan, its owner and its members."""
    visible = services.settings.visible
    clan = await services.database.one(catalogue.clan, id=params.id, visible=visible)
    if clan is None:
        raise NO_CLAN()
    members = await services.database.all(
        catalogue.clan_members, id=clan.id, visible=visible, limit=services.settings.list_limit
    )
    return ClanInfo(id=clan.id, name=clan.name, tag=clan.tag, members=members, owner=clan.owner_member)
