"""The server as a whole."""

import msgspec

from api.request.params import NoParams
from api.response.errors import errors
from api.services import Services
from api.v1 import players
from api.v2.envelope import Item
from storage.game_server.client import GAME_SERVER_AWAY


class ServerStats(msgspec.Struct, frozen=True, kw_only=True):
    """Players, the bot left out: online now, and registered."""

    online_players: int
    total_players: int


@errors(GAME_SERVER_AWAY)
async def get_stats(services: Services, params: NoParams) -> Item[ServerStats]:
    """How many players are online, and how many are registered."""
    counts = (await players.get_player_count(services, params)).counts
    return Item(data=ServerStats(online_players=counts.online, total_players=counts.total))
