"""Beatmaps."""

from datetime import datetime

import msgspec


class Beatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap: the MAP object of the contract.

    `total_length` is in seconds, `status` the ranked status (-1 not submitted to 5 loved), `mode` a vanilla
    ruleset (0 to 3), `diff` the star rating, `last_update` UTC, null where the row has none.
    """

    md5: str
    id: int
    set_id: int
    artist: str
    title: str
    version: str
    creator: str
    last_update: datetime | None
    total_length: int
    max_combo: int
    status: int
    plays: int
    passes: int
    mode: int
    bpm: float
    cs: float
    od: float
    ar: float
    hp: float
    diff: float


class BeatmapFile(msgspec.Struct, frozen=True, kw_only=True):
    """Which file is a beatmap's."""

    id: int
    md5: str


class PlayedBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap a player has played; `plays` counts that player's scores on it, failed ones too."""

    md5: str
    id: int
    set_id: int
    status: int
    artist: str
    title: str
    version: str
    creator: str
    plays: int
