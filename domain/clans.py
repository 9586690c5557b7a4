"""Clans and their members."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.units import Country


class Clan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a player."""

    id: int
    name: str
    tag: str


class ClanMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a clan."""

    id: int
    name: str
    country: Country
    rank: Annotated[str, Meta(description="Member, Officer or Owner")]


class ClanDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A clan and its owner: None if that player does not exist or is hidden."""

    id: int
    name: str
    tag: str
    owner_member: ClanMember | None
