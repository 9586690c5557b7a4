"""Scores, in the shapes in which endpoints return them."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from domain.beatmaps import Beatmap
from domain.mods import readable
from domain.times import unix_time
from domain.units import (
    Accuracy,
    BeatmapMD5,
    ClanIDOrNull,
    ClanNameOrNull,
    ClanTagOrNull,
    Combo,
    Country,
    Gekis,
    Grade,
    Hits50,
    Hits100,
    Hits300,
    Int32,
    Katus,
    Misses,
    ModeID,
    ModsMask,
    PlayerID,
    PlayerName,
    PlayTime,
    Points,
    ScoreID,
    ScorePP,
)

BeatmapOrNull = Annotated[Beatmap | None, Meta(description="Beatmap of the score; null if it is unknown.")]
PassStatus = Annotated[
    Int32, Meta(description="Status: 0 failed, 1 passed, 2 passed and the player's best by pp on the beatmap.")
]
TimeElapsed = Annotated[Int32, Meta(description="Duration of the play in milliseconds.")]
FullCombo = Annotated[Int32, Meta(description="1 for a full combo, else 0.")]
ModsText = Annotated[
    str,
    Meta(description="Acronyms of `mods`, such as `HDDT`; NC without DT, PF without SD. `NM` stands for no mods."),
]
PlayTimeUnix = Annotated[int | None, Meta(description="`play_time` as Unix time in seconds; null if unknown.")]
HasReplay = Annotated[
    bool | None,
    Meta(
        description="Whether the replay is stored; null if the storage would have to be asked for each score. In"
        " lists only with `with_replay`."
    ),
]
Pinned = Annotated[Int32, Meta(description="Always 1, in lists of pinned scores only.")]
Weight = Annotated[
    float | None,
    Meta(
        description="Share of `pp` that counts for the player, 0 to 1; null in a filtered list. Only with"
        " `with_weight`."
    ),
]
WeightedPP = Annotated[
    float | None, Meta(description="`pp` times `weight`; null in a filtered list. Only with `with_weight`.")
]
ClientFlags = Annotated[
    Int32,
    Meta(description="Flags of the game client's anticheat, as a bitmask. Only if the operator shows them."),
]
Checksum = Annotated[
    str,
    Meta(description="Checksum that the game client sent with the score. Only if the operator shows it."),
]
Month = Annotated[str, Meta(description="Year and month in the game server's time zone, such as `2026-01`.")]
PlaysInMonth = Annotated[int, Meta(description="Number of plays in the month, failed ones included.")]
PassesInMonth = Annotated[int, Meta(description="Number of passed plays in the month.")]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score."""

    id: ScoreID
    map_md5: BeatmapMD5
    userid: PlayerID
    player_name: PlayerName
    score: Points
    pp: ScorePP
    acc: Accuracy
    max_combo: Combo
    mods: ModsMask
    n300: Hits300
    n100: Hits100
    n50: Hits50
    nmiss: Misses
    ngeki: Gekis
    nkatu: Katus
    grade: Grade
    status: PassStatus
    mode: ModeID
    play_time: PlayTime
    time_elapsed: TimeElapsed
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
    beatmap: BeatmapOrNull


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
    """A score in the list of its beatmap."""

    player_country: Country
    clan_id: ClanIDOrNull
    clan_name: ClanNameOrNull
    clan_tag: ClanTagOrNull


class ScoreDetails(BeatmapScore, frozen=True, kw_only=True):
    """A score with its player and its beatmap."""

    beatmap: BeatmapOrNull
    client_flags: ClientFlags | UnsetType = UNSET
    online_checksum: Checksum | UnsetType = UNSET

    def remove_anticheat(self) -> None:
        """Leave the anticheat data out. In place, because copying a score would copy two dozen fields."""
        for field in ("client_flags", "online_checksum"):
            force_setattr(self, field, UNSET)


class MonthlyPlays(msgspec.Struct, frozen=True, kw_only=True):
    """How often a player has played in a month."""

    month: Month
    plays: PlaysInMonth
    passes: PassesInMonth
