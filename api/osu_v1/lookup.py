"""How the osu! API v1 names a player: by id or name in one parameter."""

from typing import TypeVar

from api.osu_v1.params import UserParams
from api.reads.players import find_player
from api.services import Services
from domain.players import Player, PlayerDetails
from storage.database.database import Query

P = TypeVar("P", bound=Player | PlayerDetails)


async def player_of(services: Services, query: Query[P], params: UserParams) -> P | None:
    """Return the player that the parameters name, None if there is none or the player is hidden."""
    text = params.u
    if text is None:
        return None
    player = None
    if params.type != "string" and text.isascii() and text.isdigit():
        player = await find_player(services, query, id=int(text))
    if player is None and params.type != "id":
        player = await find_player(services, query, name=text)
    return player
