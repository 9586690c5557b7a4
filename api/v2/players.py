"""Players: lists, search, profiles, statistics and what they are doing."""

from contextlib import suppress
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.reads.players import (
    NO_PLAYER,
    find_player,
    players_matching,
    require_player,
    selected_beatmap,
    stats_of_player,
)
from api.request.fields import Invalid, integer
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import META, Item, ListMeta, Page, PageParams, page_of, read_page
from api.v2.params import (
    AfterID,
    AnyMode,
    ClanRank,
    CountryCode,
    PlayerClan,
    PlayerKey,
    PlayerNumber,
    PlayStyle,
    Privileges,
)
from domain.errors import ErrorSpec
from domain.units import BeatmapSetID
from domain.v2 import Activity, FoundPlayer, PlayerDetails, PlayerStats
from storage.database import catalogue
from storage.game_server.client import GAME_SERVER_AWAY

NO_STATUS = ErrorSpec(404, "Player status not found.")
NO_STATS = ErrorSpec(404, "Player stats not found.")


class PlayersParams(PageParams, frozen=True):
    """Players must match all of the filters that are given."""

    priv: Privileges | None = None
    country: CountryCode | None = None
    clan_id: PlayerClan | None = None
    clan_priv: ClanRank | None = None
    preferred_mode: AnyMode | None = None
    play_style: PlayStyle | None = None
    after: AfterID | None = None


async def get_players(services: Services, params: PlayersParams) -> Page[PlayerDetails]:
    """Players, ordered by ID.

    Restricted and unverified players, and the bot, are left out.
    """
    visible = services.settings.visible
    return await read_page(services, catalogue.players, catalogue.count_players, params, visible=visible)


class SearchParams(msgspec.Struct, frozen=True, kw_only=True):
    q: Annotated[str, Meta(min_length=2, max_length=32, description="Part of a name (2 to 32 characters).")]


class FoundPlayers(Success, frozen=True, kw_only=True):
    """The players found, ordered by ID."""

    data: Annotated[list[FoundPlayer], Meta(description="Players found, ordered by ID.")]
    meta: Annotated[ListMeta, META]


async def search_players(services: Services, params: SearchParams) -> FoundPlayers:
    """Players whose name contains a text.

    Case does not matter. The players are ordered by ID; the operator's `LIST_LIMIT` is the maximum number of them.
    Restricted and unverified players, and the bot, are left out.
    """
    found = await players_matching(services, catalogue.v2_player_search, params.q)
    return FoundPlayers(data=found, meta=ListMeta(total=len(found)))


class PlayerParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerKey
    key: (
        Annotated[
            Literal["id", "username"],
            Meta(
                description="Whether `player_id` is an ID or a name. Without it, digits are an ID, anything else"
                " is a name."
            ),
        ]
        | None
    ) = None


@errors(NO_PLAYER)
async def get_player(services: Services, params: PlayerParams) -> Item[PlayerDetails]:
    """A player by ID or name.

    Restricted and unverified players are not found.
    """
    text = params.player_id
    player = None
    if params.key == "username" or (params.key is None and not (text.isascii() and text.isdigit())):
        player = await find_player(services, catalogue.v2_player_details, name=text)
    # A text that is no player's name may still be a number, such as `+3`.
    if player is None and params.key != "username":
        with suppress(Invalid):
            player = await find_player(services, catalogue.v2_player_details, id=integer(text))
    if player is None:
        raise NO_PLAYER()
    return Item(data=player)


class PlayerPath(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber


@errors(NO_STATUS, GAME_SERVER_AWAY)
async def get_player_status(services: Services, params: PlayerPath) -> Item[Activity]:
    """What an online player is doing. A player who is offline has no status."""
    player = await find_player(services, catalogue.player, id=params.player_id)
    status = await services.live.status(player.id) if player else None
    if status is None:
        raise NO_STATUS()
    beatmap_id = status.map_id
    if beatmap_id is None:
        beatmap = await selected_beatmap(services, status)
        beatmap_id = beatmap.id if beatmap else 0
    activity = Activity(
        login_time=int(status.login_time),
        action=status.action,
        info_text=status.info_text,
        mode=status.mode,
        mods=status.mods,
        beatmap_id=beatmap_id,
    )
    return Item(data=activity)


class Favourites(Success, frozen=True, kw_only=True):
    """The IDs of beatmap sets."""

    data: Annotated[list[BeatmapSetID], Meta(description="IDs of the beatmap sets, the latest favourite first.")]
    meta: Annotated[ListMeta, META]


@errors(NO_PLAYER)
async def get_player_favourites(services: Services, params: PlayerPath) -> Favourites:
    """The beatmap sets that a player has marked as favourites, the latest first.

    The operator's `LIST_LIMIT` is the maximum number of them, and `total` counts those in the response.
    """
    player = await require_player(services, catalogue.player, id=params.player_id)
    rows = await services.database.all(
        catalogue.player_favourites, id=player.id, limit=services.settings.list_limit
    )
    sets = [row.set_id for row in rows]
    return Favourites(data=sets, meta=ListMeta(total=len(sets)))


class StatsParams(PageParams, frozen=True):
    player_id: PlayerNumber


async def get_player_stats(services: Services, params: StatsParams) -> Page[PlayerStats]:
    """A player's statistics with ranks, one row for each mode, ordered by mode.

    The list is empty for a player who does not exist, or is restricted or unverified.
    """
    request = params.request
    stats = await _stats(services, params.player_id)
    return page_of(stats[request.offset : request.offset + request.size], len(stats), request)


class ModeParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber
    mode: AnyMode


@errors(NO_STATS)
async def get_player_mode_stats(services: Services, params: ModeParams) -> Item[PlayerStats]:
    """A player's statistics in one mode, with ranks."""
    for stats in await _stats(services, params.player_id):
        if stats.mode == params.mode:
            return Item(data=stats)
    raise NO_STATS()


async def _stats(services: Services, player_id: int) -> list[PlayerStats]:
    """Return a player's statistics. A hidden player has none, as if there were no such player."""
    player = await find_player(services, catalogue.v2_player_details, id=player_id)
    return await stats_of_player(services, catalogue.v2_player_stats, player) if player else []
