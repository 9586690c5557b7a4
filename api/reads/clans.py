"""Reads of clans."""

from typing import TypeVar

from api.services import Services
from domain.errors import ErrorSpec
from storage.database.database import Query

NO_CLAN = ErrorSpec(404, "Clan not found.")

C = TypeVar("C")


async def require_clan(services: Services, query: Query[C], clan_id: int) -> C:
    """Return the clan with this id. Raise NO_CLAN if there is none."""
    clan = await services.database.one(query, id=clan_id, visible=services.settings.visible)
    if clan is None:
        raise NO_CLAN()
    return clan
