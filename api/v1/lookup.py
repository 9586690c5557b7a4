"""Finding the player or the beatmap that a request names."""

from typing import TypeVar

from api.services import Services
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from domain.players import Player, PlayerDetails, safe_name
from storage.database.database import Query

ONE_OF_ID_AND_NAME = ErrorSpec(400, "Must provide either id OR name!")
NO_PLAYER = ErrorSpec(404, "Player not found.")
ID_OR_MD5 = ErrorSpec(400, "Must provide either id or md5!")
NO_BEATMAP = ErrorSpec(404, "Map not found.")
# What the two functions below refuse a request with.
PLAYER = (ONE_OF_ID_AND_NAME, NO_PLAYER)
BEATMAP = (ID_OR_MD5, NO_BEATMAP)

P = TypeVar("P", bound=Player | PlayerDetails)
B = TypeVar("B", bound=Beatmap)


async def find_player(services: Services, id: int | None, name: str | None, query: Query[P]) -> P:
    """The player with that `id` or `name`.

    Raises APIError when both are given, or none, or when there is no such player to be seen.
    """
    if (id is None) == (name is None):
        raise ONE_OF_ID_AND_NAME()
    player = await services.database.one(
        query, id=id, safe_name=None if name is None else safe_name(name), visible=services.settings.visible
    )
    if player is None:
        raise NO_PLAYER()
    return player


async def find_beatmap(services: Services, id: int | None, md5: str | None, query: Query[B]) -> B:
    """The beatmap with that `id`, or else that `md5`. Raises APIError when none is given, or none is known."""
    if id is None and md5 is None:
        raise ID_OR_MD5()
    # An id wins over an md5 beside it.
    md5 = md5.lower() if id is None and md5 is not None else None
    beatmap = await services.database.one(query, id=id, md5=md5)
    if beatmap is None:
        raise NO_BEATMAP()
    return beatmap
