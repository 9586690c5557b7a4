"""Tournament map pools."""

from datetime import datetime

import msgspec

from domain.mods import readable


class PoolClan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a pool's creator; `members` counts the visible ones."""

    id: int
    name: str
    tag: str
    members: int


class PoolCreator(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a pool."""

    id: int
    name: str
    country: str
    clan: PoolClan | None
    online: bool = False


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A map pool; no creator when that player is gone or hidden."""

    id: int
    name: str
    created_at: datetime | None
    created_by: PoolCreator | None


class PoolBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap's place in a pool; `beatmap` is its md5."""

    mods: int
    slot: int
    beatmap: str

    @property
    def key(self) -> str:
        """The pick as players call it: `NM1`, `HDHR2`."""
        return f"{readable(self.mods)}{self.slot}"
