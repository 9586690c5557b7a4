"""Scores, in the shapes in which endpoints return them."""

from collections.abc import Iterable
from datetime import tzinfo

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from domain.beatmaps import Beatmap
from domain.mods import readable
from domain.times import unix_time
from domain.units import (
    Country,
    FullCombo,
    Grade,
    HasReplay,
    LocalTime,
    Milliseconds,
    ModeID,
    ModsMask,
    ModsText,
    Month,
    PassStatus,
    Percent,
    Pinned,
    PlayTimeUnix,
    Weight,
    WeightedPP,
)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score."""

    id: int
    map_md5: str
    userid: int
    player_name: str
    score: int
    pp: float
    acc: Percent
    max_combo: int
    mods: ModsMask
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: Grade
    status: PassStatus
    mode: ModeID
    play_time: LocalTime
    time_elapsed: Milliseconds
    perfect: FullCombo
    mods_readable: ModsText = ""
    # Set where rows are converted, which knows the time zone: see set_unix_times.
    play_time_unix: PlayTimeUnix = None
    # Set for single scores, and in lists if a client asks for it.
    has_replay: HasReplay | UnsetType = UNSET

    def __post_init__(self) -> None:
        # The one way to set a derived field of a frozen Struct.
        force_setattr(self, "mods_readable", readable(self.mods))


def set_unix_times(scores: Iterable[Score], zone: tzinfo | None) -> None:
    """Set `play_time_unix` of scores whose `play_time` is in a zone, None for that of this machine."""
    for score in scores:
        if (time := score.play_time) is not None:
            force_setattr(score, "play_time_unix", unix_time(time, zone))


class PlayerScore(Score, frozen=True, kw_only=True):
    """A score in the list of its player."""

    pinned: Pinned | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    weighted_pp: WeightedPP | UnsetType = UNSET
    beatmap: Beatmap | None


class PlayerScoreRow(Score, frozen=True, kw_only=True):
    """The row of a PlayerScore: `beatmap` is the md5, which the beatmap's JSON replaces later."""

    weight: Weight | UnsetType = UNSET
    weighted_pp: WeightedPP | UnsetType = UNSET
    beatmap: str


class PinnedScoreRow(PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a PlayerScore that the player has pinned."""

    pinned: int


class ServerScore(PlayerScore, frozen=True, kw_only=True):
    """A score in a list of all players' scores."""

    player_country: Country


class ServerScoreRow(PlayerScoreRow, frozen=True, kw_only=True):
    """The row of a ServerScore: `beatmap` is the md5, which the beatmap's JSON replaces later."""

    player_country: Country


class FirstPlace(msgspec.Struct, frozen=True):
    """A score that is ahead of all others on the board of its beatmap, and its mods."""

    id: int
    mods: int


class BeatmapPlace(msgspec.Struct, frozen=True):
    """How many scores are on a beatmap's board, and how many are ahead of a score, if that is `listed` there."""

    total: int
    ahead: int
    listed: bool


class BeatmapScore(Score, frozen=True, kw_only=True):
    """A score in the list of its beatmap. The fields of the clan are null for a player without one."""

    player_country: Country
    clan_id: int | None
    clan_name: str | None
    clan_tag: str | None


class ScoreDetails(BeatmapScore, frozen=True, kw_only=True):
    """A score with its player and its beatmap, which is null if it is not known.

    `client_flags` and `online_checksum` are anticheat data, left out unless the operator shows them.
    """

    beatmap: Beatmap | None
    client_flags: int | UnsetType = UNSET
    online_checksum: str | UnsetType = UNSET

    def remove_anticheat(self) -> None:
        """Leave the anticheat data out. In place, because copying a score would copy two dozen fields."""
        for field in ("client_flags", "online_checksum"):
            force_setattr(self, field, UNSET)


class MonthlyPlays(msgspec.Struct, frozen=True, kw_only=True):
    """How often a player has played in a month, failed plays included, and how often passed."""

    month: Month
    plays: int
    passes: int
