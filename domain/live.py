"""What only the running game server knows."""

from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

# Whatever an answer can carry: what exceeds 64 bits cannot be encoded again.
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class LiveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an online player is doing.

    `login_time` is in unix seconds, `mode` a ruleset mode, `mods` the player's own selection, `map_md5` empty
    when no beatmap is selected.
    """

    login_time: float
    action: int
    info_text: str
    mode: int
    mods: int
    map_md5: str


class NamedPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player as a match or the list of online players names one."""

    id: Number
    name: str


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Who is online, by id."""

    players: list[NamedPlayer]
    bots: list[NamedPlayer]


class MatchMap(msgspec.Struct, frozen=True, kw_only=True):
    """The beatmap of a match; `id` is -1 while the host is picking."""

    id: Number | None
    md5: str | None
    name: str


class MatchSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An occupied slot of a match."""

    loaded: bool
    mods: Number
    player: NamedPlayer
    skipped: bool
    status: Number
    team: Number


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match; `active_slots` maps the occupied slots, 0 to 15, to who sits there.

    Null is what is not known, as in a match that the game server shows on its page alone.
    """

    id: int = -1
    name: str
    mode: Number | None
    mods: Number | None
    seed: Number | None
    host: NamedPlayer | None
    refs: list[NamedPlayer] | None
    in_progress: bool
    is_scrimming: bool | None
    map: MatchMap
    active_slots: dict[str, MatchSlot] | None

    @property
    def named(self) -> list[NamedPlayer]:
        """Everybody whom the match names, some of them more than once."""
        slots = (self.active_slots or {}).values()
        return [*([self.host] if self.host else []), *(self.refs or []), *(slot.player for slot in slots)]

    def shown(self, names: Mapping[int, str]) -> "Match":
        """The match with nobody in it but those in `names`, under their names there."""

        def shown(player: NamedPlayer | None) -> NamedPlayer | None:
            if player is None or player.id not in names:
                return None
            return NamedPlayer(id=player.id, name=names[player.id])

        slots = self.active_slots and {
            number: msgspec.structs.replace(slot, player=player)
            for number, slot in self.active_slots.items()
            if (player := shown(slot.player))
        }
        refs = self.refs and [player for each in self.refs if (player := shown(each))]
        return msgspec.structs.replace(self, host=shown(self.host), refs=refs, active_slots=slots)


class Live(Protocol):
    """The game server's answers. Each method raises Unavailable when it should know but does not answer."""

    async def count(self) -> int:
        """How many players are online, bots and hidden players left out."""

    async def roster(self) -> Roster | None:
        """Who is online, hidden players left out; None when the game server does not tell."""

    async def is_online(self, player_id: int) -> bool:
        """Whether a player is online."""

    async def status(self, player_id: int) -> LiveStatus | None:
        """What a player is doing; None when the player is offline."""

    async def match(self, match_id: int) -> Match | None:
        """A match by its id, 0 to 63, hidden players left out; None when there is none."""

    async def matches(self) -> list[Match]:
        """Every match, by id, hidden players left out."""


class Nobody:
    """A Live without a game server: nobody is online, nobody plays."""

    async def count(self) -> int:
        """Always 0."""
        return 0

    async def roster(self) -> Roster | None:
        """Always empty."""
        return Roster(players=[], bots=[])

    async def is_online(self, player_id: int) -> bool:
        """Never."""
        return False

    async def status(self, player_id: int) -> LiveStatus | None:
        """Always None."""
        return None

    async def match(self, match_id: int) -> Match | None:
        """Always None."""
        return None

    async def matches(self) -> list[Match]:
        """Always none."""
        return []
