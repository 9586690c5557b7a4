"""Beatmaps."""

import msgspec

from domain.units import RankedStatus, Ruleset, Seconds, StarRating, UTCTime


class Beatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap. `plays` and `passes` are those of all players."""

    md5: str
    id: int
    set_id: int
    artist: str
    title: str
    version: str
    creator: str
    last_update: UTCTime
    total_length: Seconds
    max_combo: int
    status: RankedStatus
    plays: int
    passes: int
    mode: Ruleset
    bpm: float
    cs: float
    od: float
    ar: float
    hp: float
    diff: StarRating


class BeatmapSet(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap set: a song with its beatmaps."""

    id: int
    artist: str
    title: str
    creator: str
    status: RankedStatus
    last_update: UTCTime
    maps: list[Beatmap]

    @classmethod
    def of(cls, maps: list[Beatmap]) -> "BeatmapSet":
        """Return the set that consists of these beatmaps, of which there is at least one."""
        first = min(maps, key=lambda beatmap: beatmap.id)
        return cls(
            id=first.set_id,
            artist=first.artist,
            title=first.title,
            creator=first.creator,
            status=first.status,
            last_update=max((each.last_update for each in maps if each.last_update), default=None),
            maps=maps,
        )


class SearchedBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """What a beatmap is found by, and sorted by."""

    id: int
    server: str
    set_id: int
    artist: str
    title: str
    version: str
    creator: str
    status: int
    mode: int
    frozen: bool
    last_update: UTCTime
    plays: int
    passes: int
    diff: float
    bpm: float
    total_length: int


class BeatmapID(msgspec.Struct, frozen=True, kw_only=True):
    id: int


class BeatmapFile(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a beatmap, and the md5 that its file must have."""

    id: int
    md5: str


class PlayedBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap that a player has played; `plays` are those of that player in the mode, failed ones included."""

    md5: str
    id: int
    set_id: int
    status: RankedStatus
    artist: str
    title: str
    version: str
    creator: str
    plays: int
