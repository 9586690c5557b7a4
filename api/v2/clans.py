"""Clans."""

import msgspec

from api.request.params import PageNumber, PageSize
from api.response.errors import errors
from api.services import Services
from api.v1.clans import NO_CLAN
from api.v2.envelope import Item, Page, page_of
from api.v2.params import ClanNumber
from domain.v2 import Clan
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class ClansParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which page."""

    page: PageNumber = 1
    page_size: PageSize = 50


async def get_clans(services: Services, params: ClansParams) -> Page[Clan]:
    """The clans."""
    place = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.read(catalogue.clans, catalogue.count_clans, place)
    return page_of(rows, total, place)


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which clan."""

    clan_id: ClanNumber


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> Item[Clan]:
    """A clan."""
    clan = await services.database.one(catalogue.v2_clan, id=params.clan_id, visible=services.settings.visible)
    if clan is None:
        raise NO_CLAN()
    return Item(data=clan)
