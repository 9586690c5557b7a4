"""Live events."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.request.fields import IN_ONE_VALUE
from api.request.params import ModeNumber, PlayerID
from api.response.errors import errors
from api.response.event_stream import EventStream
from api.services import Services
from domain.modes import INVALID_MODE, ruleset_mode
from storage.events.cursor import PATTERN, Cursor
from storage.events.event import EventType, Filter
from storage.events.hub import ALL_STREAMS_TAKEN, TOO_MANY_STREAMS

Types = Annotated[
    tuple[EventType, ...],
    Meta(max_length=4, description="Types of events to send, separated by commas.", **IN_ONE_VALUE),
]
Players = Annotated[
    tuple[PlayerID, ...],
    Meta(
        max_length=50,
        description="Up to 50 player IDs, separated by commas. Only scores and player events of these are sent.",
        **IN_ONE_VALUE,
    ),
]
Modes = Annotated[
    tuple[ModeNumber, ...],
    Meta(
        max_length=12,
        description="Game modes, separated by commas. Only scores in these are sent.",
        **IN_ONE_VALUE,
    ),
]
IncludeFailed = Annotated[bool, Meta(description="Whether failed scores are sent.")]
BeatmapOfScores = Annotated[
    str,
    Meta(
        min_length=32,
        max_length=32,
        description="MD5 of a beatmap's `.osu` file, in hexadecimal. Only scores on this beatmap are sent.",
    ),
]
LastID = Annotated[
    str,
    Meta(
        pattern=rf"^{PATTERN}$",
        description="ID of the last event that the client has received. The scores since then are sent first."
        " The header `Last-Event-ID`, which browsers send, takes precedence.",
    ),
]


class EventsParams(msgspec.Struct, frozen=True, kw_only=True):
    types: Types = ("score",)
    id: Players = ()
    mode: Modes = ()
    include_failed: IncludeFailed = False
    map: BeatmapOfScores | None = None
    last_id: LastID | None = None


@errors(INVALID_MODE, TOO_MANY_STREAMS, ALL_STREAMS_TAKEN)
async def events(services: Services, params: EventsParams) -> EventStream:
    """Live events, as server-sent events.

    The stream begins with `hello`. `score` is a new score, `first_place` one that is the first on the leaderboard
    of its beatmap, `player` a player who has come online or gone offline, `match` a multiplayer match that was
    opened, changed or closed. It ends with `bye` when the service stops; browsers connect again by themselves.
    """
    modes = (ruleset_mode(mode, strict=services.settings.strict_modes) for mode in params.mode)
    filter = Filter(
        types=frozenset(params.types),
        players=frozenset(params.id),
        modes=frozenset(modes),
        map_md5=params.map,
        include_failed=params.include_failed,
    )
    return EventStream(services.events, filter, Cursor.parse(params.last_id) if params.last_id else None)
