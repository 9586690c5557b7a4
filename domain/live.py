"""Live state: what only the running game server knows."""

from collections.abc import Mapping

import msgspec

from domain.units import Int64, SlotStatus, Team


class LiveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an online player is doing.

    `login_time` is in unix seconds, `mode` 0 to 8, `mods` the bitmask of the player's own selection. The selected
    beatmap is known by its id as the game client sent it, which is 0 or negative for none or an unknown one, or,
    where `map_id` is None, by its md5, which is empty for none.
    """

    login_time: float
    action: int
    info_text: str
    mode: int
    mods: int
    map_id: int | None = None
    map_md5: str = ""


class NamedPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """A player in a match or on the list of online players."""

    id: Int64
    name: str


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """The online players and bots, sorted by id."""

    players: list[NamedPlayer]
    bots: list[NamedPlayer]


class MatchMap(msgspec.Struct, frozen=True, kw_only=True):
    """The beatmap of a match. `id` is -1 while the host is selecting one."""

    id: Int64 | None
    md5: str | None
    name: str


class MatchSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An occupied slot of a match; `mods` are the player's own."""

    loaded: bool
    mods: Int64
    player: NamedPlayer
    skipped: bool
    status: SlotStatus
    team: Team


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match. `active_slots` are the occupied slots by their number, 0 to 15.

    `host` is null if that player is hidden. What the game server does not tell is null: of some matches it shows
    only the name, the host, the beatmap's name, and whether they are in progress.
    """

    id: int = -1
    name: str
    mode: Int64 | None
    mods: Int64 | None
    seed: Int64 | None
    host: NamedPlayer | None
    refs: list[NamedPlayer] | None
    in_progress: bool
    is_scrimming: bool | None
    map: MatchMap
    active_slots: dict[str, MatchSlot] | None

    @property
    def named(self) -> list[NamedPlayer]:
        """The host, the referees and the players in slots; one player may be in it more than once."""
        slots = (self.active_slots or {}).values()
        return [*([self.host] if self.host else []), *(self.refs or []), *(slot.player for slot in slots)]

    def shown(self, names: Mapping[int, str]) -> "Match":
        """Return the match with only the players in `names`, under the names they have there."""

        def shown(player: NamedPlayer | None) -> NamedPlayer | None:
            if player is None or player.id not in names:
                return None
            return NamedPlayer(id=player.id, name=names[player.id])

        slots = self.active_slots and {
            number: msgspec.structs.replace(slot, player=player)
            for number, slot in self.active_slots.items()
            if (player := shown(slot.player))
        }
        refs = self.refs and [player for ref in self.refs if (player := shown(ref))]
        return msgspec.structs.replace(self, host=shown(self.host), refs=refs, active_slots=slots)


class Live:
    """Live state without a game server: nobody is online, and there are no matches.

    A subclass that has a game server raises Unavailable from each method if it runs but does not respond.
    """

    async def count(self) -> int:
        """Return the number of online players, without bots and hidden players."""
        return 0

    async def roster(self) -> Roster | None:
        """Return who is online, without hidden players, or None if the game server has no such list."""
        return Roster(players=[], bots=[])

    async def is_online(self, player_id: int) -> bool:
        """Return whether the player is online."""
        return False

    async def status(self, player_id: int) -> LiveStatus | None:
        """Return what the player is doing, or None if the player is offline."""
        return None

    async def match(self, match_id: int) -> Match | None:
        """Return the match with an id from 0 to 63, without hidden players, or None if there is none."""
        return None

    async def matches(self) -> list[Match]:
        """Return all matches, sorted by id, without hidden players."""
        return []
