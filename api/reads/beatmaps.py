"""Reads of beatmaps."""

from typing import TypeVar

from api.services import Services
from domain.beatmaps import Beatmap
from domain.errors import ErrorSpec
from storage.database.database import Query

NO_BEATMAP = ErrorSpec(404, "Map not found.")

B = TypeVar("B", bound=Beatmap)


async def require_beatmap(
    services: Services, query: Query[B], *, id: int | None = None, md5: str | None = None
) -> B:
    """Return the beatmap with this id or else this md5, in lower case. Raise NO_BEATMAP if there is none."""
    beatmap = await services.database.one(query, id=id, md5=md5)
    if beatmap is None:
        raise NO_BEATMAP()
    return beatmap
