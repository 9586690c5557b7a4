"""Clans and their members."""

import msgspec

from domain.units import Country, MemberAverage, MemberCount, MemberSum


class Clan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a player."""

    id: int
    name: str
    tag: str


class ClanMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a clan; `rank` is Member, Officer or Owner."""

    id: int
    name: str
    country: Country
    rank: str


class ClanDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A clan and its owner: None if that player does not exist or is hidden."""

    id: int
    name: str
    tag: str
    owner_member: ClanMember | None


class ClanLeaderboardEntry(Clan, frozen=True, kw_only=True):
    """A clan on a leaderboard, with what its visible members have achieved together in the mode."""

    total_tscore: MemberSum
    total_rscore: MemberSum
    total_pp: MemberSum
    avg_acc: MemberAverage
    total_plays: MemberSum
    total_playtime: MemberSum
    member_count: MemberCount
