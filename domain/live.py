"""What only the running game server knows."""

from typing import Protocol

import msgspec


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
    """A player as a match names one."""

    id: int
    name: str


class MatchMap(msgspec.Struct, frozen=True, kw_only=True):
    """The beatmap of a match; `id` is -1 while the host is picking."""

    id: int
    md5: str
    name: str


class MatchSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An occupied slot of a match."""

    loaded: bool
    mods: int
    player: NamedPlayer
    skipped: bool
    status: int
    team: int


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match; `active_slots` maps the occupied slots, 0 to 15, to who sits there."""

    name: str
    mode: int
    mods: int
    seed: int
    host: NamedPlayer | None
    refs: list[NamedPlayer]
    in_progress: bool
    is_scrimming: bool
    map: MatchMap
    active_slots: dict[str, MatchSlot]


class Live(Protocol):
    """The game server's answers. Each method raises Unavailable when it should know but does not answer."""

    async def count(self) -> int:
        """How many players are online, bots and hidden players left out."""

    async def status(self, player_id: int) -> LiveStatus | None:
        """What a player is doing; None when the player is offline."""

    async def match(self, match_id: int) -> Match | None:
        """A match by its id, 0 to 63; None when there is none."""


class Nobody:
    """A Live without a game server: nobody is online, nobody plays."""

    async def count(self) -> int:
        """Always 0."""
        return 0

    async def status(self, player_id: int) -> LiveStatus | None:
        """Always None."""
        return None

    async def match(self, match_id: int) -> Match | None:
        """Always None."""
        return None
