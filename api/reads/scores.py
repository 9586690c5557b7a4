"""Reads of scores."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from api.request.params import ScoresScope
from api.services import Services
from domain.mods import ScoreFilter
from domain.scores import PlayerScoreRow, Score
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
    flag = {"include_loved": include_loved} if scope == "best" else {"include_failed": include_failed}
    filters = msgspec.structs.asdict(where)
    rows = await services.database.all(queries[scope], id=player_id, limit=limit, offset=offset, **filters, **flag)
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
