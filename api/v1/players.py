"""Players: search, numbers, profiles and what they are doing."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.reads.players import (
    count_players,
    players_matching,
    players_with_stats,
    selected_beatmap,
    stats_of_player,
)
from api.request.params import NoParams, Offset, PlayerID, PlayerIDs, PlayerName
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import PLAYER_ERRORS, player_by_id_or_name
from domain.beatmaps import Beatmap
from domain.clans import Clan
from domain.errors import ErrorSpec
from domain.live import NamedPlayer
from domain.players import FoundPlayer, PlayerDetails, PlayerStats
from domain.units import Action, ActionText, InResponse, Int32, ModeID, Online, SelectedMods
from storage.database import catalogue
from storage.game_server.client import GAME_SERVER_AWAY

NO_ROSTER = ErrorSpec(404, "The game server does not tell who is online.")


class SearchParams(msgspec.Struct, frozen=True, kw_only=True):
    q: Annotated[str, Meta(description="Part of a name. Without it, all players are returned.")] | None = None
    offset: Offset = 0


class SearchResults(Success, frozen=True, kw_only=True):
    """The players found, ordered by ID."""

    results: InResponse
    result: Annotated[list[FoundPlayer], Meta(description="Players found, ordered by ID.")]


async def search_players(services: Services, params: SearchParams) -> SearchResults:
    """Players whose name contains a text.

    Case does not matter. The players are ordered by ID; the operator's `LIST_LIMIT` is the maximum number of them.
    Restricted and unverified players, and the bot, are left out.
    """
    found = await players_matching(services, catalogue.player_search, params.q, offset=params.offset)
    return SearchResults(results=len(found), result=found)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many players are online, and how many are registered, without the bot."""

    online: Annotated[
        Int32, Meta(description="Number of players who are online, without bots and hidden players.")
    ]
    total: Annotated[Int32, Meta(description="Number of players who are registered, without the bot.")]


class PlayerCount(Success, frozen=True, kw_only=True):
    """The number of players."""

    counts: Annotated[Counts, Meta(description="Number of players.")]


@errors(GAME_SERVER_AWAY)
async def get_player_count(services: Services, _: NoParams) -> PlayerCount:
    """How many players are online and registered.

    The bot is not counted, and players who are hidden are not counted as online. `total` may be a few seconds old.
    """
    online, registered = await count_players(services)
    return PlayerCount(counts=Counts(online=online, total=registered))


class OnlinePlayers(Success, frozen=True, kw_only=True):
    """The players and the bots that are online, each ordered by ID."""

    players: Annotated[list[NamedPlayer], Meta(description="Players who are online, ordered by ID.")]
    bots: Annotated[list[NamedPlayer], Meta(description="Bots that are online, ordered by ID.")]


@errors(NO_ROSTER, GAME_SERVER_AWAY)
async def online(services: Services, _: NoParams) -> OnlinePlayers:
    """Players and bots that are online, ordered by ID.

    Restricted and unverified players are left out.
    """
    roster = await services.live.roster()
    if roster is None:
        raise NO_ROSTER()
    return OnlinePlayers(players=roster.players, bots=roster.bots)


class InfoParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required."""

    scope: Annotated[
        Literal["stats", "info", "all"],
        Meta(description="`info` for the account, `stats` for the statistics of each mode, `all` for both."),
    ]
    id: PlayerID | None = None
    name: PlayerName | None = None


Account = Annotated[PlayerDetails, Meta(description="Account of the player.")]
ClanOfAccount = Annotated[Clan | None, Meta(description="Same as `clan` in `info`.")]
StatsByMode = Annotated[dict[int, PlayerStats], Meta(description="Statistics by the number of the mode.")]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A player's account and statistics, as the parameter `scope` selects: `clan` is there with `info`."""

    info: Account | UnsetType = UNSET
    clan: ClanOfAccount | UnsetType = UNSET
    stats: StatsByMode | UnsetType = UNSET


class PlayerInfo(Success, frozen=True, kw_only=True):
    """A player's profile."""

    player: Annotated[Profile, Meta(description="The player.")]


@errors(*PLAYER_ERRORS)
async def get_player_info(services: Services, params: InfoParams) -> PlayerInfo:
    """A player's profile: the account, the statistics of each mode with ranks, or both.

    `stats` has the modes that the player has statistics in, by their number: 0 to 6 and 8.
    """
    info = await player_by_id_or_name(services, catalogue.player_details, params.id, params.name)
    if params.scope == "info":
        return PlayerInfo(player=Profile(info=info, clan=info.clan))
    stats = {row.mode: row for row in await stats_of_player(services, catalogue.player_stats, info)}
    if params.scope == "stats":
        return PlayerInfo(player=Profile(stats=stats))
    return PlayerInfo(player=Profile(info=info, clan=info.clan, stats=stats))


class PlayersInfoParams(msgspec.Struct, frozen=True, kw_only=True):
    id: PlayerIDs


class FullProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A player's account, clan and statistics."""

    info: Account
    clan: ClanOfAccount
    stats: StatsByMode


class PlayersInfo(Success, frozen=True, kw_only=True):
    """The profiles of the players, in the order of the request."""

    players: Annotated[list[FullProfile], Meta(description="The players.")]


async def get_players_info(services: Services, params: PlayersInfoParams) -> PlayersInfo:
    """The profiles of several players, each as `get_player_info` with `scope=all` returns it.

    They are in the order of the request. Players who do not exist, and restricted and unverified ones, are left
    out. A player who is named twice is returned once.
    """
    profiles = await players_with_stats(services, params.id)
    return PlayersInfo(players=[FullProfile(info=info, clan=info.clan, stats=stats) for info, stats in profiles])


class StatusParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required."""

    id: PlayerID | None = None
    name: PlayerName | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What an online player is doing."""

    action: Action
    info_text: ActionText
    mode: ModeID
    mods: SelectedMods
    beatmap: Annotated[
        Beatmap | None, Meta(description="Selected beatmap; null if none is selected or it is unknown.")
    ]


LoginTime = Annotated[
    float, Meta(description="Time of the login, as Unix time in seconds. Only if the player is online.")
]
Status = Annotated[Activity, Meta(description="What the player is doing. Only if the player is online.")]
LastSeen = Annotated[
    Int32,
    Meta(description="Time of the last activity, as Unix time in seconds. Only if the player is offline."),
]


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a player is online, and what the player is doing or was last seen."""

    online: Online
    login_time: LoginTime | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    last_seen: LastSeen | UnsetType = UNSET


class PlayerStatusInfo(Success, frozen=True, kw_only=True):
    """Whether a player is online."""

    player_status: Annotated[Presence, Meta(description="Whether the player is online.")]


@errors(*PLAYER_ERRORS, GAME_SERVER_AWAY)
async def get_player_status(services: Services, params: StatusParams) -> PlayerStatusInfo:
    """Whether a player is online, and what the player is doing or when the player was last seen."""
    player = await player_by_id_or_name(services, catalogue.player, params.id, params.name)
    status = await services.live.status(player.id)
    if status is None:
        return PlayerStatusInfo(player_status=Presence(online=False, last_seen=player.latest_activity))
    activity = Activity(
        action=status.action,
        info_text=status.info_text,
        mode=status.mode,
        mods=status.mods,
        beatmap=await selected_beatmap(services, status),
    )
    return PlayerStatusInfo(player_status=Presence(online=True, login_time=status.login_time, status=activity))
