"""The server as a whole."""

import msgspec

from api.reads.players import count_players
from api.request.params import NoParams
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import Item
from storage.game_server.client import GAME_SERVER_AWAY


class ServerStats(msgspec.Struct, frozen=True, kw_only=True):
    """How many players are online, and how many are registered, without the bot."""

    online_players: int
    total_players: int


@errors(GAME_SERVER_AWAY)
async def get_stats(services: Services, _: NoParams) -> Item[ServerStats]:
    """How many players are online and registered.

    The bot is not counted, and players who are hidden are not counted as online. `total_players` may be a few
    seconds old.
    """
    online, registered = await count_players(services)
    return Item(data=ServerStats(online_players=online, total_players=registered))
