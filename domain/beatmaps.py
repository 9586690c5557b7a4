"""Beatmaps."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.units import (
    Artist,
    BeatmapID,
    BeatmapMD5,
    BeatmapSetID,
    Creator,
    Int32,
    RankedStatus,
    Ruleset,
    Title,
    UTCTime,
    Version,
)

Length = Annotated[Int32, Meta(description="Length in seconds.")]
MaxCombo = Annotated[Int32, Meta(description="Highest combo that is possible.")]
Plays = Annotated[Int32, Meta(description="Number of plays by all players, failed ones included.")]
Passes = Annotated[Int32, Meta(description="Number of passed plays by all players.")]
BPM = Annotated[float, Meta(description="Beats per minute.")]
CircleSize = Annotated[float, Meta(description="Circle size (CS); the number of keys in mania.")]
OverallDifficulty = Annotated[float, Meta(description="Overall difficulty (OD).")]
ApproachRate = Annotated[float, Meta(description="Approach rate (AR).")]
HPDrain = Annotated[float, Meta(description="HP drain rate.")]
StarRating = Annotated[float, Meta(description="Star rating without mods.")]
PlaysOfPlayer = Annotated[int, Meta(description="Number of the player's plays in the mode, failed ones included.")]


class Beatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap."""

    md5: BeatmapMD5
    id: BeatmapID
    set_id: BeatmapSetID
    artist: Artist
    title: Title
    version: Version
    creator: Creator
    last_update: UTCTime
    total_length: Length
    max_combo: MaxCombo
    status: RankedStatus
    plays: Plays
    passes: Passes
    mode: Ruleset
    bpm: BPM
    cs: CircleSize
    od: OverallDifficulty
    ar: ApproachRate
    hp: HPDrain
    diff: StarRating


BeatmapsOfSet = Annotated[list[Beatmap], Meta(description="Beatmaps of the set, by ruleset and star rating.")]


class BeatmapSet(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap set: a song with its beatmaps."""

    id: BeatmapSetID
    artist: Artist
    title: Title
    creator: Creator
    status: RankedStatus
    last_update: UTCTime
    maps: BeatmapsOfSet

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


class BeatmapKey(msgspec.Struct, frozen=True, kw_only=True):
    id: int


class BeatmapFile(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a beatmap, and the md5 of its file."""

    id: int
    md5: str


class PlayedBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap that a player has played."""

    md5: BeatmapMD5
    id: BeatmapID
    set_id: BeatmapSetID
    status: RankedStatus
    artist: Artist
    title: Title
    version: Version
    creator: Creator
    plays: PlaysOfPlayer
