"""Reads of leaderboards."""

from collections.abc import Mapping
from typing import TypeVar

from api.reads.totals import if_counted
from api.services import Services
from domain.modes import Mode
from domain.players import LeaderboardEntry
from storage.cache.leaderboards import LeaderboardKey
from storage.database.database import Query

E = TypeVar("E", bound=LeaderboardEntry)


def leaderboard_key(sort: str, mode: Mode, country: str | None) -> LeaderboardKey:
    """Return the key of the leaderboard of a mode, of the world or of a country."""
    return LeaderboardKey(sort, mode, None if country is None else country.lower())


async def leaderboard(
    services: Services,
    queries: Mapping[str, Query[E]],
    key: LeaderboardKey,
    *,
    limit: int,
    offset: int,
) -> tuple[list[E], int | None]:
    """Return a part of a leaderboard, and how many players are on it, None if they cannot be counted in time.

    That number may be a minute old and the order of the players some seconds, their data is not. `queries` are by
    the column they sort by.
    """
    ids = await services.leaderboard_order.page(key, offset=offset, limit=limit)
    total = await if_counted(services.leaderboard_order.total(key))
    if not ids:
        return [], total
    rows = await services.database.all(
        queries[key.sort], ids=ids, mode=key.mode, visible=services.settings.visible_on_boards
    )
    if len(rows) > len(ids):
        # The primary key is missing: of several rows of a player, the one with the most counts.
        best: dict[int, E] = {}
        for row in rows:
            best.setdefault(row.player_id, row)
        rows = list(best.values())
    return rows, total
