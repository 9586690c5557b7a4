"""Clans and their members."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.units import ClanID, ClanName, ClanTag, Country, Int32, PlayerID, PlayerName

ClanPrivileges = Annotated[
    Int32, Meta(description="Rank in the clan: 0 without a clan, 1 member, 2 officer, 3 owner.")
]
ClanRank = Annotated[str, Meta(description="Rank in the clan: `Member`, `Officer` or `Owner`.")]
MembersTotalScore = Annotated[int, Meta(description="Sum of the visible members' total scores in the mode.")]
MembersRankedScore = Annotated[int, Meta(description="Sum of the visible members' ranked scores in the mode.")]
MembersPP = Annotated[int, Meta(description="Sum of the visible members' performance points (pp) in the mode.")]
MembersAccuracy = Annotated[
    float,
    Meta(
        description="Average accuracy in percent of the visible members who have played in the mode; 0 if"
        " none has."
    ),
]
MembersPlays = Annotated[int, Meta(description="Number of the visible members' plays in the mode.")]
MembersPlaytime = Annotated[
    int, Meta(description="Time that the visible members have played in the mode, in seconds.")
]
MemberCount = Annotated[
    Int32, Meta(description="Number of the clan's visible members, also those who have not played.")
]


class Clan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a player."""

    id: ClanID
    name: ClanName
    tag: ClanTag


class ClanMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a clan."""

    id: PlayerID
    name: PlayerName
    country: Country
    rank: ClanRank


class ClanDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A clan and its owner: None if that player does not exist or is hidden."""

    id: ClanID
    name: ClanName
    tag: ClanTag
    owner_member: ClanMember | None


class ClanLeaderboardEntry(Clan, frozen=True, kw_only=True):
    """A clan on a leaderboard, with what its visible members have achieved together in the mode."""

    total_tscore: MembersTotalScore
    total_rscore: MembersRankedScore
    total_pp: MembersPP
    avg_acc: MembersAccuracy
    total_plays: MembersPlays
    total_playtime: MembersPlaytime
    member_count: MemberCount
