"""Types of fields with their descriptions, which /openapi.json takes from here.

`neutral` is what stands for a value that is missing in the database, where it is not 0 or an empty text. A field
that only one Struct has is described beside it.
"""

from datetime import datetime
from typing import Annotated, get_args

from msgspec import Meta


def description_of(kind: object) -> str:
    """Return the description of one of these types, for another type with the same meaning."""
    return next(meta.description for meta in get_args(kind) if isinstance(meta, Meta) and meta.description)


# Any integer that JSON can carry: msgspec does not encode those beyond 64 bits.
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# An integer whose column has 32 bits and a sign. msgspec does not check it, because forks have wider columns.
Int32 = Annotated[int, Meta(extra_json_schema={"format": "int32"})]

# Times and durations.
UTCTime = Annotated[datetime | None, Meta(description="Time of the last update in UTC; null if unknown.")]
CreationTime = Annotated[
    datetime | None,
    Meta(description="Time of creation in the game server's time zone; null if unknown."),
]
LastActivity = Annotated[
    Int32, Meta(description="Time when the player was last active in the game, as Unix time in seconds.")
]

# Modes, mods and beatmaps.
Ruleset = Annotated[Int32, Meta(description="Ruleset: 0 osu!, 1 taiko, 2 catch, 3 mania.")]
MODE_CODES = "0 osu!, 1 taiko, 2 catch, 3 mania; 4 osu!, 5 taiko and 6 catch with Relax; 8 osu! with Autopilot"
ModeID = Annotated[Int32, Meta(description=f"Game mode: {MODE_CODES}.")]
ModsMask = Annotated[
    Int32,
    Meta(
        description="Mods as a bitmask, in the bits of the .osr format: 1 NF, 2 EZ, 4 TD, 8 HD, 16 HR, 32 SD, 64"
        " DT, 128 RX, 256 HT, 512 NC (set with DT), 1024 FL, 2048 AU, 4096 SO, 8192 AP, 16384 PF (set with SD);"
        " higher bits are mostly those of mania."
    ),
]
BeatmapID = Annotated[Int32, Meta(description="ID of the beatmap.")]
BeatmapSetID = Annotated[Int32, Meta(description="ID of the beatmap set.")]
BeatmapMD5 = Annotated[str, Meta(description="MD5 of the beatmap's .osu file, in hexadecimal.")]
Artist = Annotated[str, Meta(description="Artist of the song.")]
Title = Annotated[str, Meta(description="Title of the song.")]
Version = Annotated[str, Meta(description="Name of the difficulty.")]
Creator = Annotated[str, Meta(description="Name of the beatmap's creator.")]
RankedStatus = Annotated[
    Int32,
    Meta(
        description="Ranked status: -1 not submitted, 0 pending, 1 update available, 2 ranked, 3 approved, 4"
        " qualified, 5 loved."
    ),
]

# Players.
PlayerID = Annotated[Int32, Meta(description="ID of the player.")]
PlayerName = Annotated[str, Meta(description="Name of the player.")]
SafeName = Annotated[
    str, Meta(description="Name in lower case with `_` for each space. No two players have the same one.")
]
Country = Annotated[
    str,
    Meta(
        description="Country of the player: two lower-case letters (ISO 3166), `xx` if unknown.",
        extra={"neutral": "xx"},
    ),
]
Privileges = Annotated[
    Int32,
    Meta(
        description="Privileges as a bitmask: 1 unrestricted, 2 verified by a login in the game, 4 whitelisted,"
        " 16 supporter, 32 premium, 128 alumni, 1024 tournament manager, 2048 nominator, 4096 moderator, 8192"
        " administrator, 16384 developer."
    ),
]
Online = Annotated[bool, Meta(description="Whether the player is online.")]
ActionText = Annotated[
    str, Meta(description="What the game shows beside the action, such as the name of the beatmap.")
]
ACTIONS = (
    "0 idle, 1 away, 2 playing, 3 editing, 4 modding, 5 in a multiplayer room, 6 watching, 7 unknown, 8 testing,"
    " 9 submitting, 10 paused, 11 in the multiplayer lobby, 12 playing in multiplayer, 13 in osu!direct"
)
Action = Annotated[Int32, Meta(description=f"What the player is doing: {ACTIONS}.")]
SelectedMods = Annotated[Int32, Meta(description="The player's own mods, as a bitmask like `mods` of a score.")]

# Clans. The fields of a clan beside those of a player are null for a player without one.
ClanID = Annotated[Int32, Meta(description="ID of the clan.")]
ClanName = Annotated[str, Meta(description="Name of the clan.")]
ClanTag = Annotated[
    str, Meta(description="Tag of the clan, a short text that is shown before its members' names.")
]
ClanIDOrZero = Annotated[Int32, Meta(description="ID of the player's clan; 0 without a clan.")]
ClanIDOrNull = Annotated[Int32 | None, Meta(description="ID of the player's clan; null without a clan.")]
ClanNameOrNull = Annotated[str | None, Meta(description="Name of the player's clan; null without a clan.")]
ClanTagOrNull = Annotated[str | None, Meta(description="Tag of the player's clan; null without a clan.")]

# Statistics of a player. The columns of numbers have no sign, so they are wider than Int32.
TotalScore = Annotated[int, Meta(description="Sum of all scores of the player in the mode.")]
RankedScore = Annotated[
    int, Meta(description="Sum of the player's best scores on ranked and approved beatmaps in the mode.")
]
PlayCount = Annotated[int, Meta(description="Number of plays in the mode, failed ones included.")]
Playtime = Annotated[int, Meta(description="Time spent playing in the mode, in seconds.")]
AverageAccuracy = Annotated[float, Meta(description="Accuracy in the mode in percent, 0 to 100.")]
HighestCombo = Annotated[int, Meta(description="Highest combo in the mode.")]
PlayerPP = Annotated[int, Meta(description="Performance points (pp) in the mode.")]
XHCount = Annotated[int, Meta(description="Number of best scores with the grade XH (silver SS).")]
XCount = Annotated[int, Meta(description="Number of best scores with the grade X (SS).")]
SHCount = Annotated[int, Meta(description="Number of best scores with the grade SH (silver S).")]
SCount = Annotated[int, Meta(description="Number of best scores with the grade S.")]
ACount = Annotated[int, Meta(description="Number of best scores with the grade A.")]

# Scores.
ScoreID = Annotated[int, Meta(description="ID of the score.")]
Points = Annotated[int, Meta(description="Points of the score.")]
ScorePP = Annotated[float, Meta(description="Performance points (pp) of the score.")]
Accuracy = Annotated[float, Meta(description="Accuracy in percent, 0 to 100.")]
Combo = Annotated[Int32, Meta(description="Highest combo of the play.")]
Hits300 = Annotated[Int32, Meta(description="Number of 300s: greats in taiko, caught fruits in catch.")]
Hits100 = Annotated[Int32, Meta(description="Number of 100s: goods in taiko, caught drops in catch.")]
Hits50 = Annotated[Int32, Meta(description="Number of 50s: caught droplets in catch.")]
Misses = Annotated[Int32, Meta(description="Number of misses.")]
Gekis = Annotated[Int32, Meta(description="Number of gekis: MAX (320) in mania.")]
Katus = Annotated[Int32, Meta(description="Number of katus: 200s in mania, missed droplets in catch.")]
Grade = Annotated[
    str,
    Meta(
        description="Grade: XH, X, SH, S, A, B, C, D or F, where X is SS and H is silver (with Hidden or"
        " Flashlight); N without a grade.",
        extra={"neutral": "N"},
    ),
]
BeatmapRank = Annotated[
    int | None, Meta(description="Place of `best` on the leaderboard of the beatmap, from 1; null without one.")
]
BoardSize = Annotated[int, Meta(description="Number of scores on the leaderboard of the beatmap.")]
# Of fields whose types differ between the versions.
BEST_ON_BOARD = Meta(description="Score of the player on the leaderboard of the beatmap; null without one.")
SCORES_ON_BEATMAP = Meta(description="The player's scores on the beatmap, the highest first; at most 100.")
PlayTime = Annotated[
    datetime | None,
    Meta(description="Time of the play in the game server's time zone; null if unknown."),
]

# Lists.
TotalOrNull = Annotated[
    int | None,
    Meta(
        description="Number of rows on all pages, counted at most once a minute; null if they are not counted in"
        " time."
    ),
]
PageTotal = Annotated[int, Meta(description="Number of rows on all pages, counted at most once a minute.")]
InResponse = Annotated[int, Meta(description="Number of rows in this response.")]
