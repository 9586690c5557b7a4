"""Clans."""

import msgspec

from api.reads.clans import NO_CLAN, require_clan
from api.request.params import PageNumber, PageSize
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item, Page, page_of
from api.v2.params import ClanNumber
from domain.v2 import Clan
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class ClansParams(msgspec.Struct, frozen=True, kw_only=True):
    page: PageNumber = 1
    page_size: PageSize = 50


async def get_clans(services: Services, params: ClansParams) -> Page[Clan]:
    """Clans, ordered by ID."""
    request = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.read(
        catalogue.clans, catalogue.count_clans, request, visible=services.settings.visible
    )
    return page_of(rows, total, request)


class ClanParams(msgspec.Struct, frozen=True, kw_only=True):
    clan_id: ClanNumber


@errors(NO_CLAN)
async def get_clan(services: Services, params: ClanParams) -> Item[Clan]:
    """A clan. Its members are the players with this `clan_id`, see `/v2/players`."""
    return Item(data=await require_clan(services, catalogue.v2_clan, params.clan_id))
