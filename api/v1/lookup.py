"""How version 1 names a player or a beatmap: by one of two parameters."""

from typing import TypeVar

from api.reads.players import NO_PLAYER, require_player
from api.reads.require import NO_BEATMAP, require
from api.services import Services
from domain.beatmaps import Beatmap, BeatmapFile
from domain.errors import ErrorSpec
from domain.players import Player, PlayerDetails
from storage.database.database import Query

ID_OR_NAME = ErrorSpec(400, "Must provide either id OR name!")
ID_OR_MD5 = ErrorSpec(400, "Must provide either id or md5!")
# What the two functions below raise.
PLAYER_ERRORS = (ID_OR_NAME, NO_PLAYER)
BEATMAP_ERRORS = (ID_OR_MD5, NO_BEATMAP)

P = TypeVar("P", bound=Player | PlayerDetails)
B = TypeVar("B", bound=Beatmap | BeatmapFile)


async def player_by_id_or_name(services: Services, query: Query[P], id: int | None, name: str | None) -> P:
    """Return the player with this id or this name. Raise APIError unless exactly one of them is given."""
    if (id is None) == (name is None):
        raise ID_OR_NAME()
    return await require_player(services, query, id=id, name=name)


async def beatmap_by_id_or_md5(services: Services, query: Query[B], id: int | None, md5: str | None) -> B:
    """Return the beatmap with this id or else this md5. Raise APIError if neither is given."""
    if id is None and md5 is None:
        raise ID_OR_MD5()
    # The database need not be able to store an md5 beside an id.
    md5 = md5.lower() if id is None and md5 else None
    return await require(services, query, NO_BEATMAP, id=id, md5=md5)
