"""Reads of clans."""

from collections.abc import Mapping
from typing import TypeVar

from api.services import Services
from domain.clans import ClanLeaderboardEntry
from domain.modes import Mode
from storage.database.database import Query

C = TypeVar("C", bound=ClanLeaderboardEntry)


async def clan_leaderboard(
    services: Services, queries: Mapping[str, Query[C]], *, sort: str, mode: Mode, limit: int, offset: int
) -> tuple[list[C], int]:
    """Return a part of the leaderboard of clans in a mode, and how many clans are on it.

    The order of the clans may be a minute old, their data is not. `queries` are by what they sort by.
    """
    ids, total = await services.clan_order.page(sort, mode, offset=offset, limit=limit)
    if not ids:
        return [], total
    rows = await services.database.all(
        queries[sort], ids=ids, mode=mode, visible=services.settings.visible_on_boards
    )
    return rows, total
