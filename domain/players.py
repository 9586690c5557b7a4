"""Players: their profiles, statistics and ranks, and which of them are visible."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.clans import Clan, ClanPrivileges
from domain.levels import shown_level
from domain.units import (
    MODE_CODES,
    ACount,
    AverageAccuracy,
    ClanIDOrNull,
    ClanIDOrZero,
    ClanNameOrNull,
    ClanTagOrNull,
    Country,
    HighestCombo,
    Int32,
    LastActivity,
    ModeID,
    PlayCount,
    PlayerID,
    PlayerName,
    PlayerPP,
    Playtime,
    Privileges,
    RankedScore,
    SafeName,
    SCount,
    SHCount,
    TotalScore,
    XCount,
    XHCount,
    description_of,
)

# users.priv: bit 1 is cleared when a player is restricted, bit 2 set at the first login in the game.
UNRESTRICTED = 1
VISIBLE = 3

ClanOrNull = Annotated[Clan | None, Meta(description="Clan of the player; null without a clan.")]
SilenceEnd = Annotated[
    Int32,
    Meta(
        description="Time until which the player cannot chat, as Unix time in seconds; past or 0 if not silenced."
    ),
]
DonorEnd = Annotated[
    Int32,
    Meta(description="Time until which the player is a supporter, as Unix time in seconds; past or 0 if not."),
]
RegistrationTime = Annotated[Int32, Meta(description="Time when the player registered, as Unix time in seconds.")]
PreferredMode = Annotated[ModeID, Meta(description=f"Game mode that the profile shows first: {MODE_CODES}.")]
PlayStyle = Annotated[
    Int32,
    Meta(
        description="Input devices as a bitmask, which the server's website sets: usually 1 mouse, 2 tablet, 4"
        " keyboard, 8 touch screen."
    ),
]
BadgeName = Annotated[str | None, Meta(description="Text of the supporter's own badge; null without one.")]
BadgeIcon = Annotated[
    str | None,
    Meta(description="Icon of the supporter's own badge, such as `fa-solid fa-trophy`; null without one."),
]
Userpage = Annotated[str | None, Meta(description="Text of the profile page, often in BBCode; null without one.")]
PreciseModePP = Annotated[float, Meta(description=description_of(PlayerPP))]
TotalHits = Annotated[int, Meta(description="Number of hits in the mode, without misses.")]
ReplayViews = Annotated[int, Meta(description="How often others have watched the player's replays in the mode.")]
Level = Annotated[
    float, Meta(description="Level by the total score; the fraction is the progress to the next level.")
]
WorldRankOrNull = Annotated[Int32 | None, Meta(description="Rank by pp in the world, from 1; null if unranked.")]
CountryRankOrNull = Annotated[
    Int32 | None, Meta(description="Rank by pp in the player's country, from 1; null if unranked.")
]
WorldRankOrZero = Annotated[Int32, Meta(description="Rank by pp in the world, from 1; 0 if unranked.")]
CountryRankOrZero = Annotated[
    Int32, Meta(description="Rank by pp in the player's country, from 1; 0 if unranked.")
]


def safe_name(name: str) -> str:
    """Return the form in which names are unique: `users.safe_name`."""
    return name.lower().replace(" ", "_")


class FoundPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player that a search has found."""

    id: PlayerID
    name: PlayerName


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """The player that a request is about."""

    id: PlayerID
    name: PlayerName
    latest_activity: LastActivity
    clan: Clan | None


class KnownPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player's name, and the privilege bits that decide whether the player is visible."""

    id: int
    name: str
    priv: int


class PlayerCard(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of a list of scores."""

    id: PlayerID
    name: PlayerName
    clan: ClanOrNull


class PlayerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A player's profile."""

    id: PlayerID
    name: PlayerName
    safe_name: SafeName
    priv: Privileges
    country: Country
    silence_end: SilenceEnd
    donor_end: DonorEnd
    creation_time: RegistrationTime
    latest_activity: LastActivity
    clan_id: ClanIDOrZero
    clan_priv: ClanPrivileges
    preferred_mode: PreferredMode
    play_style: PlayStyle
    custom_badge_name: BadgeName
    custom_badge_icon: BadgeIcon
    userpage_content: Userpage
    clan: ClanOrNull


class ModeStats(msgspec.Struct, frozen=True, kw_only=True):
    """A player's statistics in one mode."""

    id: PlayerID
    mode: ModeID
    tscore: TotalScore
    rscore: RankedScore
    plays: PlayCount
    playtime: Playtime
    acc: AverageAccuracy
    max_combo: HighestCombo
    total_hits: TotalHits
    replay_views: ReplayViews
    xh_count: XHCount
    x_count: XCount
    sh_count: SHCount
    s_count: SCount
    a_count: ACount
    pp: PreciseModePP
    rank: WorldRankOrNull = None
    country_rank: CountryRankOrNull = None
    level: Level = 1.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "level", shown_level(self.tscore))


class PlayerStats(ModeStats, frozen=True, kw_only=True):
    """A player's statistics in one mode."""

    pp: PlayerPP
    rank: WorldRankOrZero = 0
    country_rank: CountryRankOrZero = 0


class LeaderboardEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A player on a leaderboard."""

    player_id: PlayerID
    name: PlayerName
    country: Country
    tscore: TotalScore
    rscore: RankedScore
    pp: PlayerPP
    plays: PlayCount
    playtime: Playtime
    acc: AverageAccuracy
    max_combo: HighestCombo
    xh_count: XHCount
    x_count: XCount
    sh_count: SHCount
    s_count: SCount
    a_count: ACount
    clan_id: ClanIDOrNull
    clan_name: ClanNameOrNull
    clan_tag: ClanTagOrNull


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
