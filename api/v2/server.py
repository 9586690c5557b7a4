"""The server as a whole."""

import msgspec

from api.reads.players import count_players
from api.reads.totals import if_counted
from api.request.params import NoParams
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item
from storage.game_server.client import GAME_SERVER_AWAY


class ServerStats(msgspec.Struct, frozen=True, kw_only=True):
    """How many players are online and registered, without the bot, and what the server has of the rest.

    `total_scores`, `total_maps` and `total_clans` are null if the database does not count them in time.
    """

    online_players: int
    total_players: int
    total_scores: int | None
    total_maps: int | None
    total_clans: int | None


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
