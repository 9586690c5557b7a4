"""Clans and who is in them."""

import msgspec


class Clan(msgspec.Struct, frozen=True, kw_only=True):
    """A clan as other answers mention it."""

    id: int
    name: str
    tag: str


class ClanMember(msgspec.Struct, frozen=True, kw_only=True):
    """A player in a clan; `rank` is Member, Officer or Owner, `country` two lower-case letters."""

    id: int
    name: str
    country: str
    rank: str


class ClanDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A clan and its owner; no owner when that player is gone or hidden."""

    id: int
    name: str
    tag: str
    owner_member: ClanMember | None
