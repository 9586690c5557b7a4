"""Scores, in the shapes in which the endpoints list them."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from domain.beatmaps import Beatmap
from domain.mods import readable


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What every score says of itself.

    `acc` is in percent, `status` 0 failed, 1 passed, 2 the player's best, `play_time` in the zone of the game
    server, null where the row has none, `time_elapsed` in milliseconds, `perfect` 0 or 1. `mods_readable` is made
    from `mods`.
    """

    id: int
    map_md5: str
    userid: int
    player_name: str
    score: int
    pp: float
    acc: float
    max_combo: int
    mods: int
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: str
    status: int
    mode: int
    play_time: datetime | None
    time_elapsed: int
    perfect: int
    mods_readable: str = ""

    def __post_init__(self) -> None:
        # The one way to set a derived field of a frozen Struct.
        msgspec.structs.force_setattr(self, "mods_readable", readable(self.mods))


class PlayerScore(Score, frozen=True, kw_only=True):
    """A score in the list of its player."""

    beatmap: Beatmap | None


class PlayerScoreRow(Score, frozen=True, kw_only=True):
    """A PlayerScore as it is read: with the md5 of its beatmap, until that takes its place."""

    beatmap: str


class BeatmapScore(Score, frozen=True, kw_only=True):
    """A score in the list of its beatmap, with more of its player; no clan columns for one without a clan."""

    player_country: str
    clan_id: int | None
    clan_name: str | None
    clan_tag: str | None


class ScoreDetails(BeatmapScore, frozen=True, kw_only=True):
    """A single score; no beatmap when that is gone.

    The last two are the client's own anticheat data, which is not for everyone.
    """

    beatmap: Beatmap | None
    client_flags: int | UnsetType = UNSET
    online_checksum: str | UnsetType = UNSET
