"""Reads of scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from api.request.params import ListedScope, PlayerScoresScope, ScoresScope, StockScope, unserved
from api.services import Services
from domain import osu_v1
from domain.mods import ScoreFilter
from domain.scores import PlayerScoreRow, Score
from storage.database import catalogue
from storage.database.database import Query
from storage.database.statement import Value

S = TypeVar("S", bound=Score | osu_v1.ScoreRow)
R = TypeVar("R", bound=PlayerScoreRow | osu_v1.PlayerScoreRow)

# The status of a score that is on the board of its beatmap.
BEST = 2
# How much less each of a player's best scores counts than the one before it, as the game server adds them up.
WEIGHT_STEP = 0.95


async def scores_of_player(
    services: Services,
    queries: Mapping[str, Query[R]],
    player_id: int,
    where: ScoreFilter,
    *,
    scope: ListedScope,
    include_loved: bool,
    include_failed: bool,
    limit: int,
    offset: int = 0,
    stripped: bool = False,
) -> tuple[list[R], int]:
    """Return a player's best or pinned scores, highest pp first, or the most recent ones, and how many were found.

    `queries` are by scope. Each score has its beatmap as JSON, with `stripped` texts. Those on beatmaps that are
    not known any more are left out, but are among those that were found.
    """
    filters = _filters(player_id, where, scope, include_loved=include_loved, include_failed=include_failed)
    rows = await services.database.all(queries[scope], limit=limit, offset=offset, **filters)
    return await with_beatmaps(services, rows, stripped=stripped), len(rows)


async def count_scores_of_player(
    services: Services,
    player_id: int,
    where: ScoreFilter,
    *,
    scope: ListedScope,
    include_loved: bool,
    include_failed: bool,
) -> int:
    """Return how many scores `scores_of_player` finds on all pages, as of at most a minute ago."""
    filters = _filters(player_id, where, scope, include_loved=include_loved, include_failed=include_failed)
    return await services.pagination.total(catalogue.count_player_scores[scope], **filters)


def _filters(
    player_id: int, where: ScoreFilter, scope: ListedScope, *, include_loved: bool, include_failed: bool
) -> dict[str, Any]:
    flags = {"best": {"include_loved": include_loved}, "recent": {"include_failed": include_failed}}
    return {"id": player_id, **msgspec.structs.asdict(where), **flags.get(scope, {})}


async def require_scope(services: Services, scope: PlayerScoresScope) -> None:
    """Raise Unserved if the database lacks the column for this list of a player's scores."""
    if scope == "pinned" and not await services.fork_columns.has("scores", "pinned"):
        raise unserved("scope", scope, StockScope)


def set_weights(scores: Sequence[PlayerScoreRow], where: ScoreFilter, *, include_loved: bool, offset: int) -> None:
    """Set `weight` and `weighted_pp` of a page of a player's best scores, which begins at `offset`.

    The best score counts in full for the player's pp, and each other 0.95 times as much as the one before it. In a
    list that leaves some out, or has some on loved beatmaps, which do not count, their places are not known.
    """
    for n, score in enumerate(scores, start=offset):
        weight = None if where.mask or include_loved else WEIGHT_STEP**n
        weighted = None if weight is None else round(score.pp * weight, 3)
        msgspec.structs.force_setattr(score, "weight", weight)
        msgspec.structs.force_setattr(score, "weighted_pp", weighted)


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
    return await with_beatmaps(services, in_order(rows, page), stripped=stripped), len(ids)


def in_order(rows: Iterable[S], ids: Iterable[int]) -> list[S]:
    """Return the rows in the order of `ids`, which are different; of several rows with one id, the first."""
    by_id: dict[int, S] = {}
    for row in rows:
        by_id.setdefault(row.id, row)
    return [by_id[id] for id in ids if id in by_id]


async def with_beatmaps(services: Services, rows: list[R], *, stripped: bool = False) -> list[R]:
    """Return the rows with the JSON of their beatmaps, without those whose beatmap is not known.

    `stripped`: its texts have no white space at their ends, as in version 2.
    """
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
    return await services.database.all(
        queries[where.mode.board_sort if scope == "best" else "play_time"],
        md5=md5,
        visible=services.settings.visible_on_boards,
        limit=limit,
        offset=offset,
        **msgspec.structs.asdict(where),
        **filters,
    )


class PlayerOnBeatmap(NamedTuple, Generic[S]):
    """A player's scores on a beatmap, and the place of the best one on the beatmap's board, of `total` scores.

    `best` is the one on the board. It and its rank, from 1, are None if there is none.
    """

    scores: list[S]
    best: S | None
    rank: int | None
    total: int


async def player_on_beatmap(
    services: Services, queries: Mapping[str, Query[S]], player_id: int, md5: str, where: ScoreFilter
) -> PlayerOnBeatmap[S]:
    """Return a player's passed scores on a beatmap, the highest one first, and their place on its board.

    Scores and board are sorted and filtered as by `scores_on_beatmap`. `queries` are by the column they sort by.
    """
    sort = where.mode.board_sort
    filters = {"md5": md5, **msgspec.structs.asdict(where)}
    scores = await services.database.all(queries[sort], id=player_id, **filters)
    best = next((score for score in scores if score.status == BEST), None)
    # The best one by pp need not be the one with the highest score.
    scores.sort(key=lambda score: (-getattr(score, sort), score.id))
    place = await services.database.one(
        catalogue.beatmap_place[sort],
        score_id=best.id if best else None,
        visible=services.settings.visible_on_boards,
        **filters,
    )
    assert place is not None
    listed = best if place.listed else None
    return PlayerOnBeatmap(scores, listed, place.ahead + 1 if listed else None, place.total)
