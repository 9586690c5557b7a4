"""Players: search, count, profile, status."""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.request.params import NoParams, Offset, PlayerID, PlayerName
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import PLAYER, find_player
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from domain.live import LiveStatus, NamedPlayer
from domain.players import VISIBLE, FoundPlayer, ModeStats, PlayerDetails, PlayerStats, Rank
from storage.database import catalogue
from storage.database.database import Query
from storage.game_server.client import GAME_SERVER_AWAY

NO_ROSTER = ErrorSpec(404, "The game server does not tell who is online.")

F = TypeVar("F", bound=FoundPlayer)
M = TypeVar("M", bound=ModeStats)


class SearchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to look for."""

    q: Annotated[str, Meta(description="a part of a name; without it, everybody")] | None = None
    offset: Offset = 0


class SearchResults(Success, frozen=True, kw_only=True):
    """`results` is how many are listed."""

    results: int
    result: list[FoundPlayer]


async def search_players(services: Services, params: SearchParams) -> SearchResults:
    """Players whose name contains a text, by id; hidden ones are left out."""
    found = await search(services, catalogue.player_search, params)
    return SearchResults(results=len(found), result=found)


async def search(services: Services, query: Query[F], params: SearchParams) -> list[F]:
    """Whom `params` find."""
    pattern = None
    if params.q is not None:
        if "\0" in params.q:
            # No name holds it, and SQLite takes it for the end of the pattern.
            return []
        pattern = "%" + "".join(f"!{char}" if char in "!%_" else char for char in params.q) + "%"
    return await services.database.all(
        query, pattern=pattern, limit=services.settings.list_limit, offset=params.offset
    )


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Players, the bot left out: `online` now, `total` registered."""

    online: int
    total: int


class PlayerCount(Success, frozen=True, kw_only=True):
    """How many players there are."""

    counts: Counts


@errors(GAME_SERVER_AWAY)
async def get_player_count(services: Services, _: NoParams) -> PlayerCount:
    """How many players are online, and how many are registered."""
    total = await services.pagination.registered()
    return PlayerCount(counts=Counts(online=await services.live.count(), total=total))


class OnlinePlayers(Success, frozen=True, kw_only=True):
    """Who is online."""

    players: list[NamedPlayer]
    bots: list[NamedPlayer]


@errors(NO_ROSTER, GAME_SERVER_AWAY)
async def online(services: Services, _: NoParams) -> OnlinePlayers:
    """Who is online, by id."""
    roster = await services.live.roster()
    if roster is None:
        raise NO_ROSTER()
    return OnlinePlayers(players=roster.players, bots=roster.bots)


class InfoParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a player's profile; one of `id` and `name`."""

    scope: Annotated[Literal["stats", "info", "all"], Meta(description="who it is, what was reached, or both")]
    id: PlayerID | None = None
    name: PlayerName | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a profile that were asked for; `stats` by mode."""

    info: PlayerDetails | UnsetType = UNSET
    stats: dict[int, PlayerStats] | UnsetType = UNSET


class PlayerInfo(Success, frozen=True, kw_only=True):
    """A player's profile."""

    player: Profile


@errors(*PLAYER)
async def get_player_info(services: Services, params: InfoParams) -> PlayerInfo:
    """A player's profile: who it is, what was reached in each mode, or both."""
    info = await find_player(services, params.id, params.name, catalogue.player_details)
    if params.scope == "info":
        return PlayerInfo(player=Profile(info=info))
    rows = await services.database.all(catalogue.player_stats, id=info.id)
    ranks = await ranks_of(services, info)
    stats = {row.mode: ranked(row, ranks.get(row.mode)) for row in rows}
    return PlayerInfo(player=Profile(info=info if params.scope == "all" else UNSET, stats=stats))


async def ranks_of(services: Services, player: PlayerDetails) -> dict[int, Rank]:
    """A player's places by mode; who is hidden has none."""
    if player.priv & VISIBLE != VISIBLE:
        return {}
    return await services.ranks.of(player.id, player.country)


def ranked(stats: M, rank: Rank | None) -> M:
    """`stats` with the place they give; without pp they give none."""
    if rank is None or not stats.pp:
        return stats
    return msgspec.structs.replace(stats, rank=rank.world, country_rank=rank.country)


class StatusParams(msgspec.Struct, frozen=True, kw_only=True):
    """One of `id` and `name`."""

    id: PlayerID | None = None
    name: PlayerName | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What an online player is doing; no beatmap when none is selected, or it is unknown."""

    action: int
    info_text: str
    mode: int
    mods: int
    beatmap: Beatmap | None


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Who is online has a `login_time` and a `status`, who is offline was `last_seen`; both in unix seconds."""

    online: bool
    login_time: float | UnsetType = UNSET
    status: Activity | UnsetType = UNSET
    last_seen: int | UnsetType = UNSET


class PlayerStatus(Success, frozen=True, kw_only=True):
    """Whether a player is online."""

    player_status: Presence


@errors(*PLAYER, GAME_SERVER_AWAY)
async def get_player_status(services: Services, params: StatusParams) -> PlayerStatus:
    """Whether a player is online, and what the player is doing, or was last seen."""
    player = await find_player(services, params.id, params.name, catalogue.player)
    status = await services.live.status(player.id)
    if status is None:
        return PlayerStatus(player_status=Presence(online=False, last_seen=player.latest_activity))
    activity = await _activity(services, status)
    return PlayerStatus(player_status=Presence(online=True, login_time=status.login_time, status=activity))


async def _activity(services: Services, status: LiveStatus) -> Activity:
    return Activity(
        action=status.action,
        info_text=status.info_text,
        mode=status.mode,
        mods=status.mods,
        beatmap=await selected_beatmap(services, status),
    )


async def selected_beatmap(services: Services, status: LiveStatus) -> Beatmap | None:
    """The beatmap an online player has selected, if it is known."""
    if not status.map_md5:
        return None
    return await services.database.one(catalogue.beatmap, id=None, md5=status.map_md5)
