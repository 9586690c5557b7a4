"""Map pools of tournaments."""

import msgspec

from domain.mods import acronyms
from domain.units import Country, LocalTime


class PoolClan(msgspec.Struct, frozen=True, kw_only=True):
    """The clan of a map pool's creator; `members` leaves hidden players out."""

    id: int
    name: str
    tag: str
    members: int


class PoolCreator(msgspec.Struct, frozen=True, kw_only=True):
    """The creator of a map pool.

    `online` is whether that player is in the game now, or null while the game server does not say.
    """

    id: int
    name: str
    country: Country
    clan: PoolClan | None
    online: bool | None = False


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A map pool. `created_by` is None if that player does not exist or is hidden."""

    id: int
    name: str
    created_at: LocalTime
    created_by: PoolCreator | None


class PoolBeatmap(msgspec.Struct, frozen=True, kw_only=True):
    """A beatmap in a map pool; `beatmap` is its md5."""

    mods: int
    slot: int
    beatmap: str

    @property
    def key(self) -> str:
        """The name of the pick, such as `NM1` or `HDHR2`."""
        return f"{acronyms(self.mods)}{self.slot}"
