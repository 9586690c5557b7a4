"""Players: who they are, what they have reached, and who may be seen."""

import msgspec

from domain.clans import Clan

BOT_ID = 1

# users.priv: bit 1 is taken from restricted players, bit 2 given at the first in-game login.
UNRESTRICTED = 1
VISIBLE = 3


def safe_name(name: str) -> str:
    """The form in which names are unique: `users.safe_name`."""
    return name.lower().replace(" ", "_")


class FoundPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A search result."""

    id: int
    name: str


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """Who a request is about; `latest_activity` is in unix seconds."""

    id: int
    name: str
    latest_activity: int
    clan: Clan | None


class KnownPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player as far as it takes to name one, and to tell whether the player may be seen."""

    id: int
    name: str
    priv: int


class PlayerCard(msgspec.Struct, frozen=True, kw_only=True):
    """A player as a list of scores names its owner."""

    id: int
    name: str
    clan: Clan | None


class PlayerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a player. Times are unix seconds; `priv`, `clan_priv` and `play_style` are bit or level codes."""

    id: int
    name: str
    safe_name: str
    priv: int
    country: str
    silence_end: int
    donor_end: int
    creation_time: int
    latest_activity: int
    clan_id: int
    clan_priv: int
    preferred_mode: int
    play_style: int
    custom_badge_name: str | None
    custom_badge_icon: str | None
    userpage_content: str | None
    clan: Clan | None


class ModeStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a player has reached in one mode; `playtime` in seconds, `acc` in percent, no rank = unranked."""

    id: int
    mode: int
    tscore: int
    rscore: int
    plays: int
    playtime: int
    acc: float
    max_combo: int
    total_hits: int
    replay_views: int
    xh_count: int
    x_count: int
    sh_count: int
    s_count: int
    a_count: int
    pp: float
    rank: int | None = None
    country_rank: int | None = None


class PlayerStats(ModeStats, frozen=True, kw_only=True):
    """The same with whole pp; rank 0 = unranked."""

    pp: int
    rank: int = 0
    country_rank: int = 0


class LeaderboardEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a leaderboard; the clan columns are null for players without a clan."""

    player_id: int
    name: str
    country: str
    tscore: int
    rscore: int
    pp: int
    plays: int
    playtime: int
    acc: float
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
    """A player's place in one mode, in the world and in the country, counted from 1; 0 = unranked."""

    world: int
    country: int


class RankedMode(msgspec.Struct, frozen=True, kw_only=True):
    """A place as the database counts it."""

    mode: int
    world: int
    country: int
