"""Parameters of the second version: ids of any size, since those of nobody are not found, and filters."""

from typing import Annotated

from msgspec import Meta

PlayerNumber = Annotated[int, Meta(description="a player's id")]
BeatmapNumber = Annotated[int, Meta(description="a beatmap's id")]
BeatmapSetNumber = Annotated[int, Meta(description="the id of a set of beatmaps")]
ScoreNumber = Annotated[int, Meta(description="a score's id")]
ClanNumber = Annotated[int, Meta(description="a clan's id; of players 0: none")]
PlayerKey = Annotated[str, Meta(description="a player's id or name; digits are an id")]
Privileges = Annotated[int, Meta(description="privilege bits, exactly these")]
ClanRank = Annotated[int, Meta(description="rank in the clan: 1 member, 2 officer, 3 owner")]
PlayStyle = Annotated[int, Meta(description="what they play with, as bits, exactly these")]
CountryCode = Annotated[str, Meta(description="two letters")]
AnyMode = Annotated[int, Meta(description="0-3 vanilla, 4-6 Relax, 8 Autopilot")]
BeatmapMode = Annotated[int, Meta(description="the ruleset, 0 to 3")]
BeatmapStatus = Annotated[int, Meta(description="the ranked status, -1 not submitted to 5 loved")]
BeatmapServer = Annotated[str, Meta(description="where it is from: osu! or private")]
Artist = Annotated[str, Meta(description="the whole name of its artist")]
Creator = Annotated[str, Meta(description="the whole name of its creator")]
FileName = Annotated[str, Meta(description="the whole name of its file")]
Frozen = Annotated[bool, Meta(description="whether it keeps its ranked status")]
BeatmapHash = Annotated[str, Meta(description="the md5 of a beatmap's file")]
Mods = Annotated[int, Meta(description="a bitmask, exactly these mods")]
ScoreStatus = Annotated[int, Meta(description="0 failed, 1 passed, 2 the player's best")]
