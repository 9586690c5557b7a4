"""Types of fields with a unit or with codes, which /openapi.json takes from here.

`neutral` is what stands for a value that is missing in the database, where it is not 0 or an empty text.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# Any integer that JSON can carry: msgspec does not encode those beyond 64 bits.
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

UnixTime = Annotated[int, Meta(description="unix seconds")]
Seconds = Annotated[int, Meta(description="seconds")]
Milliseconds = Annotated[int, Meta(description="milliseconds")]
PlayTimeUnix = Annotated[
    int | None, Meta(description="`play_time` in unix seconds; null where the row has no time")
]
UTCTime = Annotated[datetime | None, Meta(description="UTC; null where the row has no time")]
LocalTime = Annotated[
    datetime | None, Meta(description="in the game server's time zone; null where the row has no time")
]
Month = Annotated[str, Meta(description="year and month, such as 2026-01, in the game server's time zone")]
Percent = Annotated[float, Meta(description="percent")]
Country = Annotated[str, Meta(description="two lower-case letters", extra={"neutral": "xx"})]

Ruleset = Annotated[int, Meta(description="0 osu!, 1 taiko, 2 catch, 3 mania")]
ModeID = Annotated[
    int,
    Meta(
        description="0 osu!, 1 taiko, 2 catch, 3 mania; 4 to 6 the first three with Relax; 8 osu! with Autopilot"
    ),
]
ModsMask = Annotated[int, Meta(description="a bitmask; bits as in the .osr format")]
ModsText = Annotated[
    str, Meta(description="the acronyms of `mods`, such as HDDT; NC and PF without DT and SD; NM for none")
]
StarRating = Annotated[float, Meta(description="star rating")]
RankedStatus = Annotated[
    int,
    Meta(
        description="-1 not submitted, 0 pending, 1 update available, 2 ranked, 3 approved, 4 qualified, 5 loved"
    ),
]
PassStatus = Annotated[
    int, Meta(description="0 failed, 1 passed, 2 passed, and the player's best by pp on the beatmap")
]
FullCombo = Annotated[int, Meta(description="1 for a full combo, else 0")]
HasReplay = Annotated[
    bool | None,
    Meta(description="whether its replay is stored; null where the storage would have to be asked for each score"),
]
Weight = Annotated[
    float | None,
    Meta(description="the share of its pp that counts for the player; null in a list that is filtered"),
]
WeightedPP = Annotated[float | None, Meta(description="`pp` times `weight`")]
Pinned = Annotated[int, Meta(description="always 1, in a list of pinned scores")]
Grade = Annotated[
    str, Meta(description="XH, X, SH, S, A, B, C, D or F; N without a grade", extra={"neutral": "N"})
]

PlayersID = Annotated[int, Meta(description="the player's id")]
Level = Annotated[float, Meta(description="by the total score, with the progress to the next level as a fraction")]
TotalScore = Annotated[int, Meta(description="the sum of all scores")]
RankedScore = Annotated[int, Meta(description="the sum of the best scores on ranked beatmaps")]
MemberSum = Annotated[int, Meta(description="the sum over the clan's visible members")]
MemberAverage = Annotated[
    float,
    Meta(description="percent; the average over the visible members who have played in the mode, 0 if none has"),
]
MemberCount = Annotated[int, Meta(description="the clan's visible members, also those who have not played")]
RankOrNull = Annotated[int | None, Meta(description="by pp, from 1; null for unranked")]
RankOrZero = Annotated[int, Meta(description="by pp, from 1; 0 for unranked")]
Privileges = Annotated[
    int,
    Meta(
        description="bits: 1 unrestricted, 2 verified by a login in the game, 4 whitelisted, 16 supporter,"
        " 32 premium, 128 alumni, 1024 tournament manager, 2048 nominator, 4096 moderator, 8192 administrator,"
        " 16384 developer"
    ),
]
ClanID = Annotated[int, Meta(description="0 without a clan")]
ClanPrivileges = Annotated[int, Meta(description="0 without a clan, 1 member, 2 officer, 3 owner")]

Action = Annotated[
    int,
    Meta(
        description="0 idle, 1 away, 2 playing, 3 editing, 4 modding, 5 multiplayer, 6 watching, 7 unknown,"
        " 8 testing, 9 submitting, 10 paused, 11 in the lobby, 12 playing multiplayer, 13 osu!direct"
    ),
]
SlotStatus = Annotated[
    Int64,
    Meta(description="2 locked, 4 not ready, 8 ready, 16 without the beatmap, 32 playing, 64 complete, 128 quit"),
]
Team = Annotated[Int64, Meta(description="0 neutral, 1 blue, 2 red")]
