"""Map pools of tournaments."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.clans import MemberCount
from domain.mods import acronyms
from domain.units import ClanID, ClanName, ClanTag, Country, CreationTime, Int32, PlayerID, PlayerName

PoolID = Annotated[Int32, Meta(description="ID of the map pool.")]
PoolName = Annotated[str, Meta(description="Name of the map pool.")]
OnlineOrNull = Annotated[
    bool | None,
    Meta(description="Whether the player is online; null while the game server does not say."),
]


class PoolClan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a map pool's creator."""

    id: ClanID
    name: ClanName
    tag: ClanTag
    members: MemberCount


ClanOrNull = Annotated[PoolClan | None, Meta(description="Clan of the player; null without a clan.")]


class PoolCreator(msgspec.Struct, frozen=True, kw_only=True):
    """The creator of a map pool."""

    id: PlayerID
    name: PlayerName
    country: Country
    clan: ClanOrNull
    online: OnlineOrNull = False


CreatorOrNull = Annotated[
    PoolCreator | None,
    Meta(description="Creator of the map pool; null if that player is hidden or does not exist."),
]


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A map pool."""

    id: PoolID
    name: PoolName
    created_at: CreationTime
    created_by: CreatorOrNull


class PoolBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap in a map pool; `beatmap` is its md5."""

    mods: int
    slot: int
    beatmap: str

    @property
    def key(self) -> str:
        """The name of the pick, such as `NM1` or `HDHR2`."""
        return f"{acronyms(self.mods)}{self.slot}"
