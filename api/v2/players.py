"""Players: all of them, a single one, what was reached, what is played now."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.request.fields import Invalid, integer
from api.request.params import Fault, InvalidParams, PageNumber, PageSize
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1 import players
from api.v1.lookup import NO_PLAYER, find_player
from api.v2.envelope import Item, ListMeta, Page, page_of
from api.v2.params import (
    AnyMode,
    ClanNumber,
    ClanRank,
    CountryCode,
    PlayerKey,
    PlayerNumber,
    PlayStyle,
    Privileges,
)
from domain.errors import ErrorSpec
from domain.players import safe_name
from domain.v2 import Activity, FoundPlayer, PlayerDetails, PlayerStats
from storage.cache.pagination import PageRequest
from storage.database import catalogue
from storage.game_server.client import GAME_SERVER_AWAY

NO_STATUS = ErrorSpec(404, "Player status not found.")
NO_STATS = ErrorSpec(404, "Player stats not found.")


class PlayersParams(msgspec.Struct, frozen=True, kw_only=True):
    """What the players have in common, and which page of them."""

    priv: Privileges | None = None
    country: CountryCode | None = None
    clan_id: ClanNumber | None = None
    clan_priv: ClanRank | None = None
    preferred_mode: AnyMode | None = None
    play_style: PlayStyle | None = None
    page: PageNumber = 1
    page_size: PageSize = 50


async def get_players(services: Services, params: PlayersParams) -> Page[PlayerDetails]:
    """The players; hidden ones are left out."""
    place = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.read(
        catalogue.players,
        catalogue.count_players,
        place,
        priv=params.priv,
        country=params.country,
        clan_id=params.clan_id,
        clan_priv=params.clan_priv,
        preferred_mode=params.preferred_mode,
        play_style=params.play_style,
        visible=services.settings.visible,
    )
    return page_of(rows, total, place)


class SearchParams(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a name."""

    q: Annotated[str, Meta(min_length=2, max_length=32, description="a part of a name")]


class FoundPlayers(Success, frozen=True, kw_only=True):
    """Search results."""

    data: list[FoundPlayer]
    meta: ListMeta


async def search_players(services: Services, params: SearchParams) -> FoundPlayers:
    """Players whose name contains a text, by id; hidden ones are left out."""
    found = await players.search(services, catalogue.v2_player_search, players.SearchParams(q=params.q))
    return FoundPlayers(data=found, meta=ListMeta(total=len(found)))


class PlayerParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whom: by id or, unless `key` says id, by name."""

    player_id: PlayerKey
    key: Annotated[Literal["id", "username"], Meta(description="what player_id is")] | None = None


@errors(NO_PLAYER)
async def get_player(services: Services, params: PlayerParams) -> Item[PlayerDetails]:
    """A player's profile.

    Digits are an id, anything else is a name before it is an id: `1_0` is both. Without `key` a name that nobody
    has is refused for not being a number: clients that know of ids alone were always told so.
    """
    text = params.player_id
    by_name = params.key == "username" or (params.key is None and not (text.isascii() and text.isdigit()))
    if by_name:
        player = await _details(services, None, safe_name(text))
        if player is not None:
            return Item(data=player)
        if params.key == "username":
            raise NO_PLAYER()
    try:
        id = integer(text)
    except Invalid as error:
        raise InvalidParams.of(Fault(["path", "player_id"], params.player_id, error)) from None
    player = await _details(services, id, None)
    if player is None:
        raise NO_PLAYER()
    return Item(data=player)


async def _details(services: Services, id: int | None, name: str | None) -> PlayerDetails | None:
    return await services.database.one(
        catalogue.v2_player_details, id=id, safe_name=name, visible=services.settings.visible
    )


class PlayerPath(msgspec.Struct, frozen=True, kw_only=True):
    """Whose."""

    player_id: PlayerNumber


@errors(NO_STATUS, GAME_SERVER_AWAY)
async def get_player_status(services: Services, params: PlayerPath) -> Item[Activity]:
    """What a player who is online is doing."""
    player = await services.database.one(
        catalogue.player, id=params.player_id, safe_name=None, visible=services.settings.visible
    )
    status = await services.live.status(player.id) if player else None
    if status is None:
        raise NO_STATUS()
    beatmap = await players.selected_beatmap(services, status)
    activity = Activity(
        login_time=int(status.login_time),
        action=status.action,
        info_text=status.info_text,
        mode=status.mode,
        mods=status.mods,
        beatmap_id=beatmap.id if beatmap else 0,
    )
    return Item(data=activity)


class StatsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whose, and which page of them."""

    player_id: PlayerNumber
    page: PageNumber = 1
    page_size: PageSize = 50


@errors(NO_PLAYER)
async def get_player_stats(services: Services, params: StatsParams) -> Page[PlayerStats]:
    """What a player has reached in each mode."""
    place = PageRequest(params.page, params.page_size)
    stats = await _stats(services, params.player_id)
    return page_of(stats[place.offset : place.offset + place.size], len(stats), place)


class ModeParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whose, and in which mode."""

    player_id: PlayerNumber
    mode: AnyMode


@errors(NO_PLAYER, NO_STATS)
async def get_player_mode_stats(services: Services, params: ModeParams) -> Item[PlayerStats]:
    """What a player has reached in one mode."""
    for stats in await _stats(services, params.player_id):
        if stats.mode == params.mode:
            return Item(data=stats)
    raise NO_STATS()


async def _stats(services: Services, player_id: int) -> list[PlayerStats]:
    """With ranks; none of who does not exist. Raises APIError for who is hidden."""
    rows = await services.database.all(catalogue.v2_player_stats, id=player_id)
    if not rows:
        return []
    player = await find_player(services, player_id, None, catalogue.v2_player_details)
    ranks = await players.ranks_of(services, player)
    return [players.ranked(row, ranks.get(row.mode)) for row in rows]
