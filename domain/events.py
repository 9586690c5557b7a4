"""Live events, in the shapes in which listeners get them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.beatmaps import Beatmap
from domain.clans import Clan
from domain.live import Match
from domain.players import FoundPlayer
from domain.scores import ScoreDetails
from domain.units import Country


class EventPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a score. `clan` is null for a player without a clan."""

    id: int
    name: str
    country: Country
    clan: Clan | None


class ScoreEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A new score, as `get_score_info` has it, with its beatmap, which is null if it is not known."""

    score: ScoreDetails
    beatmap: Beatmap | None
    player: EventPlayer


class FirstPlaceEvent(ScoreEvent, frozen=True, kw_only=True):
    """A new score that is the first one on the leaderboard of its beatmap, and who held that place before.

    `previous` may be the same player, and is null if nobody held it.
    """

    previous: FoundPlayer | None


class PlayerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A player who has come online or gone offline."""

    id: int
    name: str
    online: bool


class MatchEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match that was opened, changed or closed, as `get_matches` has it; null if it was closed."""

    id: int
    change: Literal["opened", "changed", "closed"]
    match: Match | None


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of a stream: where its scores begin, and how many players are online.

    `last_id` is null in a stream without scores, `online` if the game server does not answer.
    """

    last_id: Annotated[str | None, Meta(description="What `last_id` takes to go on from here.")]
    online: int | None


class Nothing(msgspec.Struct, frozen=True):
    """The data of an event that says everything by its type."""
