"""Reads of players."""

from collections.abc import Iterable
from typing import TypeVar, cast

import msgspec

from api.services import Services
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from domain.live import LiveStatus
from domain.players import (
    VISIBLE,
    FoundPlayer,
    ModeStats,
    Player,
    PlayerDetails,
    PlayerStats,
    Rank,
    safe_name,
)
from storage.cache.player_names import name_pattern
from storage.database import catalogue
from storage.database.database import Query
from storage.ranks import RankedPlayer

NO_PLAYER = ErrorSpec(404, "Player not found.")

P = TypeVar("P", bound=Player | PlayerDetails)
F = TypeVar("F", bound=FoundPlayer)
M = TypeVar("M", bound=ModeStats)


async def find_player(
    services: Services, query: Query[P], *, id: int | None = None, name: str | None = None
) -> P | None:
    """Return the player with this id or else this name, None if there is none or the player is hidden."""
    return await services.database.one(
        query, id=id, safe_name=None if name is None else safe_name(name), visible=services.settings.visible
    )


async def require_player(
    services: Services, query: Query[P], *, id: int | None = None, name: str | None = None
) -> P:
    """Return the player that `find_player` finds. Raise NO_PLAYER if it finds none."""
    player = await find_player(services, query, id=id, name=name)
    if player is None:
        raise NO_PLAYER()
    return player


async def players_matching(services: Services, query: Query[F], text: str | None, *, offset: int = 0) -> list[F]:
    """Return the players whose name contains `text`, or all players, ordered by id, at most LIST_LIMIT of them."""
    limit = services.settings.list_limit
    pattern = None
    if text is not None:
        if "\0" in text:
            # No name contains it, and SQLite takes it for the end of the pattern.
            return []
        pattern = name_pattern(text)
        found = None if offset else await services.player_names.find(text, limit)
        if found is not None:
            return found_as(query.row, found)
    return await services.database.all(query, pattern=pattern, limit=limit, offset=offset)


def found_as(shape: type[F], players: list[FoundPlayer]) -> list[F]:
    """Return the players in the shape of a version."""
    if shape is FoundPlayer:
        return cast(list[F], players)
    return [shape(id=player.id, name=player.name) for player in players]


async def count_players(services: Services) -> tuple[int, int]:
    """Return how many players are online and how many are registered, as of some seconds ago, without the bot."""
    registered = await services.pagination.registered()
    return await services.live.count(), registered


async def stats_of_player(services: Services, query: Query[M], player: PlayerDetails) -> list[M]:
    """Return a player's statistics with ranks, one row for each mode. A hidden player has no ranks."""
    stats: dict[int, M] = {}
    for row in await services.database.all(query, id=player.id):
        stats.setdefault(row.mode, row)
    ranks: dict[int, Rank] = {}
    if player.priv & VISIBLE == VISIBLE:
        with_pp = {mode for mode, row in stats.items() if row.pp}
        ranks = await services.ranks.of(player.id, player.country, with_pp)
    return [_with_rank(row, ranks.get(mode)) for mode, row in stats.items()]


async def players_with_stats(
    services: Services, ids: Iterable[int]
) -> list[tuple[PlayerDetails, dict[int, PlayerStats]]]:
    """Return the players with these ids, in this order, each with the statistics that `stats_of_player` returns.

    Statistics are by mode. Players who are hidden or do not exist are left out, and nobody is returned twice.
    """
    wanted = tuple(dict.fromkeys(ids))
    rows = await services.database.all(catalogue.players_details, ids=wanted, visible=services.settings.visible)
    players = {row.id: row for row in rows}
    stats: dict[int, dict[int, PlayerStats]] = {id: {} for id in wanted if id in players}
    if stats:
        for row in await services.database.all(catalogue.players_stats, ids=tuple(stats)):
            stats[row.id].setdefault(row.mode, row)
    ranked = [
        RankedPlayer(id, players[id].country, {mode: row.pp for mode, row in by_mode.items() if row.pp})
        for id, by_mode in stats.items()
        if players[id].priv & VISIBLE == VISIBLE
    ]
    ranks = await services.ranks.of_players(ranked)
    return [
        (players[id], {mode: _with_rank(row, ranks.get(id, {}).get(mode)) for mode, row in by_mode.items()})
        for id, by_mode in stats.items()
    ]


def _with_rank(stats: M, rank: Rank | None) -> M:
    # Redis may still list a player whose pp has become 0.
    if rank is None or not stats.pp:
        return stats
    ranks = {"rank": rank.world, "country_rank": rank.country}
    # The versions have different defaults for players without a rank.
    return msgspec.structs.replace(stats, **{name: value for name, value in ranks.items() if value})


async def selected_beatmap(services: Services, status: LiveStatus) -> Beatmap | None:
    """Return the beatmap that an online player has selected, None if there is none or it is unknown."""
    if status.map_id is not None:
        if status.map_id <= 0:
            return None
        return await services.database.one(catalogue.beatmap, id=status.map_id, md5=None)
    if not status.map_md5:
        return None
    return await services.database.one(catalogue.beatmap, id=None, md5=status.map_md5)
