"""What the database knows about a replay."""

import msgspec

from domain.units import Grade, ModeID, UTCTime


class ReplayPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a replay; `visible` unless the player is hidden."""

    name: str
    visible: bool


class ReplayBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    md5: str
    artist: str
    title: str
    version: str


class ReplayScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of a replay. `player` and `beatmap` are None if their rows do not exist."""

    id: int
    score: int
    max_combo: int
    mods: int
    n300: int
    n100: int
    n50: int
    nmiss: int
    ngeki: int
    nkatu: int
    grade: Grade
    mode: ModeID
    play_time: UTCTime
    perfect: bool
    player: ReplayPlayer | None
    beatmap: ReplayBeatmap | None


class ScoreStatus(msgspec.Struct, frozen=True):
    """The status of a score. A failed one, with status 0, has no replay."""

    id: int
    status: int


class ScoreID(msgspec.Struct, frozen=True):
    id: int
