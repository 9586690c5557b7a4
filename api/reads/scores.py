"""Reads of scores."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from api.request.params import ScoresScope
from api.services import Services
from domain.mods import ScoreFilter
from domain.scores import PlayerScoreRow, Score
from storage.database import catalogue
from storage.database.database import Query
from storage.database.statement import Value

S = TypeVar("S", bound=Score)
R = TypeVar("R", bound=PlayerScoreRow)


async def scores_of_player(
    services: Services,
    queries: Mapping[str, Query[R]],
    player_id: int,
    where: ScoreFilter,
    *,
    scope: ScoresScope,
    include_loved: bool,
    include_failed: bool,
    limit: int,
    offset: int = 0,
    stripped: bool = False,
) -> list[R]:
    """Return a player's best scores, highest pp first, or the most recent ones; `queries` are by scope.

    Each has its beatmap as JSON, with `stripped` texts. Scores on unknown beatmaps are left out.
    """
    filters = _filters(player_id, where, scope, include_loved=include_loved, include_failed=include_failed)
    rows = await services.database.all(queries[scope], limit=limit, offset=offset, **filters)
    return await _with_beatmaps(services, rows, stripped=stripped)


async def count_scores_of_player(
    services: Services,
    player_id: int,
    where: ScoreFilter,
    *,
    scope: ScoresScope,
    include_loved: bool,
    include_failed: bool,
) -> int:
    """Return how many scores `scores_of_player` finds on all pages, as of at most a minute ago."""
    filters = _filters(player_id, where, scope, include_loved=include_loved, include_failed=include_failed)
    return await services.pagination.total(catalogue.count_player_scores[scope], **filters)


def _filters(
    player_id: int, where: ScoreFilter, scope: ScoresScope, *, include_loved: bool, include_failed: bool
) -> dict[str, Any]:
    flag = {"include_loved": include_loved} if scope == "best" else {"include_failed": include_failed}
    return {"id": player_id, **msgspec.structs.asdict(where), **flag}


async def first_places(
    services: Services,
    query: Query[R],
    player_id: int,
    where: ScoreFilter,
    *,
    include_loved: bool,
    limit: int,
    offset: int = 0,
    stripped: bool = False,
) -> tuple[list[R], int]:
    """Return a player's scores that are first on their beatmap's board, the latest first, and how many there are.

    `where` filters them, not the boards. Each has its beatmap as `scores_of_player` returns it.
    """
    places = await services.first_places.of(player_id, where.mode, include_loved=include_loved)
    ids = [place.id for place in places if where.matches(place.mods)]
    page = tuple(ids[offset : offset + limit])
    rows = await services.database.all(query, id=player_id, ids=page) if page else []
    rows.sort(key=lambda row: page.index(row.id))
    return await _with_beatmaps(services, rows, stripped=stripped), len(ids)


async def _with_beatmaps(services: Services, rows: list[R], *, stripped: bool) -> list[R]:
    """Return the rows with the JSON of their beatmaps, without those whose beatmap is not known."""
    json_by_md5 = await services.beatmaps.of((row.beatmap for row in rows), stripped=stripped)
    known = [row for row in rows if row.beatmap in json_by_md5]
    for row in known:
        # A hundred copies of a row with two dozen fields would take as long as reading the rows did.
        msgspec.structs.force_setattr(row, "beatmap", json_by_md5[row.beatmap])
    return known


async def scores_on_beatmap(
    services: Services,
    queries: Mapping[str, Query[S]],
    md5: str,
    where: ScoreFilter,
    *,
    scope: ScoresScope,
    limit: int,
    offset: int = 0,
    **filters: Value,
) -> list[S]:
    """Return the players' best scores on a beatmap, the highest or the most recent ones first.

    The highest ones are by score or, with Relax and Autopilot, by pp. `queries` are by the column they sort by;
    `filters` are the values of those that only they have.
    """
    best = "pp" if where.mode.pp_board else "score"
    return await services.database.all(
        queries[best if scope == "best" else "play_time"],
        md5=md5,
        visible=services.settings.visible_on_boards,
        limit=limit,
        offset=offset,
        **msgspec.structs.asdict(where),
        **filters,
    )
