"""What the database knows of a replay."""

from datetime import datetime

import msgspec


class ReplayPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """Who played; `visible` unless the player is hidden."""

    name: str
    visible: bool


class ReplayBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """What was played."""

    md5: str
    artist: str
    title: str
    version: str


class ReplayScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score as its replay tells it; `player` and `beatmap` are None where their rows are gone.

    `mode` is 0 to 8, `grade` in letters, `play_time` in UTC, None where
    it is no time.
    """

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
    grade: str
    mode: int
    play_time: datetime | None
    perfect: bool
    player: ReplayPlayer | None
    beatmap: ReplayBeatmap | None


class ScoreStatus(msgspec.Struct, frozen=True):
    """A score and whether it passed: `status` is 0 for a failed one, which has no replay."""

    id: int
    status: int


class NewestScore(msgspec.Struct, frozen=True):
    """The highest id of a score."""

    id: int
