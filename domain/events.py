"""Live events, in the shapes in which listeners get them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.live import Match, MatchID
from domain.players import ClanOrNull, FoundPlayer
from domain.scores import BeatmapOrNull, ScoreDetails
from domain.units import Country, Int32, Online, PlayerID, PlayerName


class EventPlayer(msgspec.Struct, frozen=True, kw_only=True):
    """The player of a score."""

    id: PlayerID
    name: PlayerName
    country: Country
    clan: ClanOrNull


NewScore = Annotated[ScoreDetails, Meta(description="The new score, as `get_score_info` returns it.")]
ScoringPlayer = Annotated[EventPlayer, Meta(description="Player of the score.")]
PreviousHolder = Annotated[
    FoundPlayer | None,
    Meta(description="Player who held the first place before, possibly the same one; null if nobody did."),
]
MatchChange = Annotated[
    Literal["opened", "changed", "closed"], Meta(description="What has happened to the match.")
]
MatchOrNull = Annotated[
    Match | None, Meta(description="The match, as `get_matches` returns it; null if it was closed.")
]
StartOfStream = Annotated[
    str | None,
    Meta(description="Value of the parameter `last_id` to go on from here; null in a stream without scores."),
]
OnlineCount = Annotated[
    Int32 | None,
    Meta(description="Number of players who are online; null if the game server does not answer."),
]


class ScoreEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A new score with its player and its beatmap."""

    score: NewScore
    beatmap: BeatmapOrNull
    player: ScoringPlayer


class FirstPlaceEvent(ScoreEvent, frozen=True, kw_only=True):
    """A new score that is the first one on the leaderboard of its beatmap, and who held that place before."""

    previous: PreviousHolder


class PlayerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A player who has come online or gone offline."""

    id: PlayerID
    name: PlayerName
    online: Online


class MatchEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplayer match that was opened, changed or closed."""

    id: MatchID
    change: MatchChange
    match: MatchOrNull


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of a stream: where its scores begin, and how many players are online."""

    last_id: StartOfStream
    online: OnlineCount


class Nothing(msgspec.Struct, frozen=True):
    """The data of an event that says everything by its type."""
