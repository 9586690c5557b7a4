"""Types of parameters that only version 2 has. IDs have no bounds, since an ID that nobody has is not found."""

from typing import Annotated, Literal

from msgspec import Meta

from api.request.params import INT64, MODES
from domain import scores, units, v2
from domain.units import description_of

PlayerNumber = Annotated[int, Meta(description="Player ID.")]
BeatmapNumber = Annotated[int, Meta(description="Beatmap ID.")]
BeatmapSetNumber = Annotated[int, Meta(description="Beatmap set ID.")]
AfterID = Annotated[
    int,
    Meta(
        ge=0,
        le=INT64 - 1,
        description="ID of the last row that the client has. Only rows with a greater ID are listed.",
    ),
]
ScoreNumber = Annotated[int, Meta(description="Score ID.")]
ClanNumber = Annotated[int, Meta(description="Clan ID.")]
PlayerKey = Annotated[
    str,
    Meta(
        description="Player ID or name. Digits are an ID and anything else is a name, unless `key` says otherwise."
    ),
]
PlayerClan = Annotated[int, Meta(description="ID of a clan, to list its members; 0 lists players without a clan.")]
Privileges = Annotated[
    int, Meta(description="Privileges as a bitmask. Only players with exactly these are listed.")
]
ClanRank = Annotated[int, Meta(description="Rank in the clan: 0 none, 1 member, 2 officer, 3 owner.")]
PlayStyle = Annotated[
    int, Meta(description="Input devices as a bitmask. Only players with exactly these are listed.")
]
CountryCode = Annotated[str, Meta(description="Two-letter country code.")]
AnyMode = Annotated[int, Meta(description=f"{MODES}.")]
BeatmapMode = Annotated[int, Meta(description=description_of(units.Ruleset))]
BeatmapStatus = Annotated[int, Meta(description=description_of(units.RankedStatus))]
BeatmapServer = Annotated[str, Meta(description=description_of(v2.BeatmapServer))]
Artist = Annotated[str, Meta(description="Name of the artist. Parts of it find nothing.")]
Creator = Annotated[str, Meta(description="Name of the beatmap's creator. Parts of it find nothing.")]
FileName = Annotated[str, Meta(description="Name of the `.osu` file. Parts of it find nothing.")]
Frozen = Annotated[bool, Meta(description="Whether the beatmap keeps its ranked status when osu! changes it.")]
BeatmapSort = Annotated[
    Literal["plays", "passes", "last_update", "diff", "bpm", "total_length"],
    Meta(
        description="What the beatmaps are ordered by: number of plays or passes, time of the last update, star"
        " rating, beats per minute or length."
    ),
]
SortOrder = Annotated[
    Literal["asc", "desc"],
    Meta(description="Order with `sort`: the lowest first (`asc`) or the highest first (`desc`)."),
]
BeatmapHash = Annotated[str, Meta(description="MD5 of the beatmap's `.osu` file, in hexadecimal.")]
Mods = Annotated[int, Meta(description="Mods as a bitmask. Only scores with exactly these are listed.")]
ScoreStatus = Annotated[int, Meta(description=description_of(scores.PassStatus))]
