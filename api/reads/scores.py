"""Reads of scores."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from api.request.params import ScoresScope
from api.services import Services
from domain.errors import ErrorSpec
from domain.mods import ScoreFilter
from domain.scores import PlayerScoreRow, Score
from storage.cache.beatmaps import BeatmapCache
from storage.database.database import Query

NO_SCORE = ErrorSpec(404, "Score not found.")

S = TypeVar("S", bound=Score)
R = TypeVar("R", bound=PlayerScoreRow)


async def require_score(services: Services, query: Query[S], score_id: int) -> S:
    """Return the score with this id. Raise NO_SCORE if there is none, or its player is hidden."""
    score = await services.database.one(query, id=score_id, visible=services.settings.visible)
    if score is None:
        raise NO_SCORE()
    return score


async def scores_of_player(
    services: Services,
    queries: Mapping[str, Query[S]],
    player_id: int,
    where: ScoreFilter,
    *,
    scope: ScoresScope,
    include_loved: bool,
    include_failed: bool,
    limit: int,
    offset: int = 0,
) -> list[S]:
    """Return a player's best scores, highest pp first, or the most recent ones; `queries` are by scope."""
    flag = {"include_loved": include_loved} if scope == "best" else {"include_failed": include_failed}
    return await services.database.all(
        queries[scope],
        id=player_id,
        mode=where.mode,
        mask=where.mask,
        weak=where.weak,
        limit=limit,
        offset=offset,
        **flag,
    )


async def scores_on_beatmap(
    services: Services,
    queries: Mapping[str, Query[S]],
    md5: str,
    where: ScoreFilter,
    *,
    scope: ScoresScope,
    limit: int,
    offset: int = 0,
) -> list[S]:
    """Return the players' best scores on a beatmap, the highest or the most recent ones first.

    The highest ones are by score or, with Relax and Autopilot, by pp. `queries` are by the column they sort by.
    """
    best = "pp" if where.mode.pp_board else "score"
    return await services.database.all(
        queries[best if scope == "best" else "play_time"],
        md5=md5,
        mode=where.mode,
        mask=where.mask,
        weak=where.weak,
        visible=services.settings.visible_on_boards,
        limit=limit,
        offset=offset,
    )


async def with_beatmaps(rows: list[R], beatmaps: BeatmapCache, *, stripped: bool = False) -> list[R]:
    """Return the scores with the JSON of their beatmaps in place of the md5s. Those without one are left out."""
    json_by_md5 = await beatmaps.of((row.beatmap for row in rows), stripped=stripped)
    known = [row for row in rows if row.beatmap in json_by_md5]
    for row in known:
        # A hundred copies of a row with two dozen fields would take as long as reading the rows did.
        msgspec.structs.force_setattr(row, "beatmap", json_by_md5[row.beatmap])
    return known
