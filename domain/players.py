"""Players: their profiles, statistics and ranks, and which of them are visible."""

import msgspec

from domain.clans import Clan
from domain.levels import shown_level
from domain.units import (
    ClanID,
    ClanPrivileges,
    Country,
    Level,
    ModeID,
    Percent,
    PlayersID,
    Privileges,
    RankedScore,
    RankOrNull,
    RankOrZero,
    Seconds,
    TotalScore,
    UnixTime,
)

# users.priv: bit 1 is cleared when a player is restricted, bit 2 set at the first login in the game.
UNRESTRICTED = 1
VISIBLE = 3


def safe_name(name: str) -> str:
    """Return the form in which names are unique: `users.safe_name`."""
    return name.lower().replace(" ", "_")


class FoundPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player that a search has found."""

    id: int
    name: str


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """The player that a request is about."""

    id: int
    name: str
    latest_activity: UnixTime
    clan: Clan | None


class KnownPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player's name, and the privilege bits that decide whether the player is visible."""

    id: int
    name: str
    priv: int


class PlayerCard(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of a list of scores. `clan` is null for a player without a clan."""

    id: int
    name: str
    clan: Clan | None


class PlayerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A player's profile."""

    id: int
    name: str
    safe_name: str
    priv: Privileges
    country: Country
    silence_end: UnixTime
    donor_end: UnixTime
    creation_time: UnixTime
    latest_activity: UnixTime
    clan_id: ClanID
    clan_priv: ClanPrivileges
    preferred_mode: ModeID
    play_style: int
    custom_badge_name: str | None
    custom_badge_icon: str | None
    userpage_content: str | None
    clan: Clan | None


class ModeStats(msgspec.Struct, frozen=True, kw_only=True):
    """A player's statistics in one mode; `xh_count` to `a_count` count best scores by grade."""

    id: PlayersID
    mode: ModeID
    tscore: TotalScore
    rscore: RankedScore
    plays: int
    playtime: Seconds
    acc: Percent
    max_combo: int
    total_hits: int
    replay_views: int
    xh_count: int
    x_count: int
    sh_count: int
    s_count: int
    a_count: int
    pp: float
    rank: RankOrNull = None
    country_rank: RankOrNull = None
    level: Level = 1.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "level", shown_level(self.tscore))


class PlayerStats(ModeStats, frozen=True, kw_only=True):
    """A player's statistics in one mode; `xh_count` to `a_count` count best scores by grade."""

    pp: int
    rank: RankOrZero = 0
    country_rank: RankOrZero = 0


class LeaderboardEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A player on a leaderboard. The fields of the clan are null for a player without one."""

    player_id: int
    name: str
    country: Country
    tscore: TotalScore
    rscore: RankedScore
    pp: int
    plays: int
    playtime: Seconds
    acc: Percent
    max_combo: int
    xh_count: int
    x_count: int
    sh_count: int
    s_count: int
    a_count: int
    clan_id: int | None
    clan_name: str | None
    clan_tag: str | None


class Rank(msgspec.Struct, frozen=True):
    """A player's ranks by pp in one mode, in the world and in the country, counted from 1; 0 is unranked."""

    world: int
    country: int


class RankedMode(msgspec.Struct, frozen=True, kw_only=True):
    mode: int
    world: int
    country: int


class RankStep(msgspec.Struct, frozen=True, kw_only=True):
    """How many players of a mode and a country are in the same place among those whose ranks are asked for.

    `pp_step` counts the given numbers of pp that they reach. For players with exactly one of these, `id_step`
    counts the given ids that are, as text, not greater than theirs; for others it is greater than any such count.
    `country` is empty if it is none of the given ones.
    """

    pp_step: int
    id_step: int
    country: str
    players: int
