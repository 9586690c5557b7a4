"""Live state: what only the running game server knows."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.units import Int32, Int64, PlayerName

LivePlayerID = Annotated[Int64, Meta(description="ID of the player or bot.")]
MatchID = Annotated[Int32, Meta(description="ID of the match, 0 to 63.")]
MatchName = Annotated[str, Meta(description="Name of the match.")]
MatchMode = Annotated[
    Int64 | None,
    Meta(description="Ruleset: 0 osu!, 1 taiko, 2 catch, 3 mania; null if the game server does not say."),
]
MatchMods = Annotated[
    Int64 | None,
    Meta(description="Mods of all players, as a bitmask; null if the game server does not say."),
]
MatchSeed = Annotated[
    Int64 | None, Meta(description="Seed of the mod Random in mania; null if the game server does not say.")
]
InProgress = Annotated[bool, Meta(description="Whether the beatmap is being played now.")]
IsScrimming = Annotated[
    bool | None,
    Meta(description="Whether the server counts points for a scrim; null if the game server does not say."),
]
MatchMapID = Annotated[
    Int64 | None,
    Meta(description="ID of the beatmap, -1 while the host selects one; null if the game server does not say."),
]
MatchMapMD5 = Annotated[
    str | None,
    Meta(
        description="MD5 of the beatmap's .osu file, in hexadecimal, empty while the host selects one; null if the"
        " game server does not say."
    ),
]
MatchMapName = Annotated[str, Meta(description="Artist, title and difficulty name of the beatmap.")]
Loaded = Annotated[bool, Meta(description="Whether the player has loaded the beatmap.")]
SlotMods = Annotated[Int64, Meta(description="The player's own mods, as a bitmask, if each player chooses some.")]
Skipped = Annotated[bool, Meta(description="Whether the player has asked to skip the beginning of the beatmap.")]
SlotStatus = Annotated[
    Int64,
    Meta(
        description="Status of the slot: 2 locked, 4 not ready, 8 ready, 16 without the beatmap, 32 playing,"
        " 64 complete, 128 quit."
    ),
]
Team = Annotated[Int64, Meta(description="Team of the player: 0 neutral, 1 blue, 2 red.")]


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

    id: LivePlayerID
    name: PlayerName


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """The online players and bots, sorted by id."""

    players: list[NamedPlayer]
    bots: list[NamedPlayer]


class MatchMap(msgspec.Struct, frozen=True, kw_only=True):
    """The beatmap of a match."""

    id: MatchMapID
    md5: MatchMapMD5
    name: MatchMapName


SlotPlayer = Annotated[NamedPlayer, Meta(description="Player in the slot.")]


class MatchSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An occupied slot of a match."""

    loaded: Loaded
    mods: SlotMods
    player: SlotPlayer
    skipped: Skipped
    status: SlotStatus
    team: Team


HostOrNull = Annotated[NamedPlayer | None, Meta(description="Host of the match; null if that player is hidden.")]
Referees = Annotated[
    list[NamedPlayer] | None, Meta(description="Referees of the match; null if the game server does not say.")
]
MapOfMatch = Annotated[MatchMap, Meta(description="Beatmap of the match.")]
ActiveSlots = Annotated[
    dict[str, MatchSlot] | None,
    Meta(description="Occupied slots by their number, 0 to 15; null if the game server does not say."),
]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match.

    Of some matches, the game server says only the name, the host, the beatmap's name, and whether they are in
    progress.
    """

    id: MatchID = -1
    name: MatchName
    mode: MatchMode
    mods: MatchMods
    seed: MatchSeed
    host: HostOrNull
    refs: Referees
    in_progress: InProgress
    is_scrimming: IsScrimming
    map: MapOfMatch
    active_slots: ActiveSlots

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
