"""Reads of beatmaps."""

from collections.abc import Iterable
from typing import TypeVar

from api.services import Services
from domain.beatmaps import Beatmap
from storage.cache.beatmap_search import BeatmapQuery
from storage.database import catalogue
from storage.database.database import Query

B = TypeVar("B", bound=Beatmap)


async def beatmaps_by_id_or_md5(services: Services, ids: Iterable[int], md5s: Iterable[str]) -> list[Beatmap]:
    """Return the beatmaps with these ids, then those with these md5s, in their order and each of them once.

    Unknown ones are left out.
    """
    wanted_ids = tuple(dict.fromkeys(ids))
    # One that is not ASCII, which no md5 is, might not be comparable with the column.
    wanted_md5s = tuple(dict.fromkeys(md5.lower() for md5 in md5s if md5.isascii()))
    by_id: dict[int, Beatmap] = {}
    by_md5: dict[str, Beatmap] = {}
    for row in await services.database.all(catalogue.beatmaps_by_id, ids=wanted_ids, md5s=wanted_md5s):
        # Without the unique keys, the first one counts: they are ordered by id.
        by_id.setdefault(row.id, row)
        by_md5.setdefault(row.md5.strip().lower(), row)
    found = [by_id.get(id) for id in wanted_ids] + [by_md5.get(md5) for md5 in wanted_md5s]
    return list({row.id: row for row in found if row}.values())


async def search_beatmaps(
    services: Services, query: Query[B], what: BeatmapQuery, *, offset: int, limit: int
) -> tuple[list[B], int]:
    """Return a page of the beatmaps that are searched for, and the number of them on all pages.

    Raise Unavailable if the texts of the beatmaps have not been read yet.
    """

    async def read(ids: tuple[int, ...]) -> list[B]:
        return await services.database.all(query, ids=ids, md5s=())

    return await services.beatmap_search.page(what, read, offset=offset, limit=limit)
