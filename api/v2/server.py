"""The server as a whole."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.players import count_players
from api.reads.totals import if_counted
from api.request.params import NoParams
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item
from domain.units import Int32
from storage.game_server.client import GAME_SERVER_AWAY


class ServerStats(msgspec.Struct, frozen=True, kw_only=True):
    """How many players, scores, beatmaps and clans the server has."""

    online_players: Annotated[
        Int32, Meta(description="Number of players who are online, without the bot and hidden players.")
    ]
    total_players: Annotated[Int32, Meta(description="Number of players who are registered, without the bot.")]
    total_scores: Annotated[
        int | None,
        Meta(description="Number of scores, failed ones included; null if they are not counted in time."),
    ]
    total_maps: Annotated[
        int | None, Meta(description="Number of beatmaps; null if they are not counted in time.")
    ]
    total_clans: Annotated[int | None, Meta(description="Number of clans; null if they are not counted in time.")]


@errors(GAME_SERVER_AWAY)
async def get_stats(services: Services, _: NoParams) -> Item[ServerStats]:
    """How many players are online and registered, and how many scores, beatmaps and clans the server has.

    The bot is not counted, and players who are hidden are not counted as online. `total_players` may be a few
    seconds old, the other totals a minute; `total_scores` includes failed scores.
    """
    online, registered = await count_players(services)
    totals = await if_counted(services.server_totals.get())
    return Item(
        data=ServerStats(
            online_players=online,
            total_players=registered,
            total_scores=totals.scores if totals else None,
            total_maps=totals.maps if totals else None,
            total_clans=totals.clans if totals else None,
        )
    )
