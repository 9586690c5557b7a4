"""Clans."""

import msgspec

from api.reads.require import NO_CLAN, require
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, PageParams, read_page
from api.v2.params import ClanNumber
from domain.v2 import Clan
from storage.database import catalogue


async def get_clans(services: Services, params: PageParams) -> Page[Clan]:
    """Clans, ordered by ID."""
    visible = services.settings.visible
    return await read_page(services, catalogue.clans, catalogue.count_clans, params, visible=visible)


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    clan_id: ClanNumber


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> Item[Clan]:
    """A clan. Its members are the players with this `clan_id`, see `/v2/players`."""
    visible = services.settings.visible
    return Item(data=await require(services, catalogue.v2_clan, NO_CLAN, id=params.clan_id, visible=visible))
