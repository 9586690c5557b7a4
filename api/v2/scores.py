"""Scores: lists, of a player, on a beatmap, a single one."""

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from api.reads.players import NO_PLAYER, require_player
from api.reads.replays import set_has_replay
from api.reads.require import NO_BEATMAP, NO_SCORE, require
from api.reads.scores import (
    first_places,
    player_on_beatmap,
    require_scope,
    scores_of_player,
    scores_on_beatmap,
    set_weights,
)
from api.request.params import (
    IncludeFailed,
    IncludeLoved,
    Limit,
    ModsText,
    Offset,
    PlayerScoresScope,
    RulesetMode,
    ScoresScope,
    WithReplay,
    WithWeight,
)
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import META, Item, ListMeta, Page, PageParams, page_of
from api.v2.params import (
    AfterID,
    AnyMode,
    BeatmapHash,
    BeatmapNumber,
    Mods,
    PlayerNumber,
    ScoreNumber,
    ScoreStatus,
)
from domain.modes import INVALID_MODE, ruleset_mode
from domain.mods import ScoreFilter, score_filter
from domain.units import BEST_ON_BOARD, SCORES_ON_BEATMAP, BeatmapRank, BoardSize, ModeID
from domain.v2 import BeatmapScore, PlayedBeatmap, PlayerScore, PlayerScoreRow, Score, ScoreDetails
from storage.database import catalogue


class ScoresParams(PageParams, frozen=True):
    """Scores must match all of the filters that are given."""

    map_md5: BeatmapHash | None = None
    mods: Mods | None = None
    status: ScoreStatus | None = None
    mode: AnyMode | None = None
    user_id: PlayerNumber | None = None
    after: AfterID | None = None


async def get_scores(services: Services, params: ScoresParams) -> Page[Score]:
    """Scores, ordered by ID. With `after`, those with a greater ID, which new ones do not shift between pages.

    Scores of restricted and unverified players are left out.
    """
    request = params.request
    rows, total = await services.pagination.scores(request, **params.filters(), visible=services.settings.visible)
    return page_of(rows, total, request)


class ScoreParams(msgspec.Struct, frozen=True, kw_only=True):
    score_id: ScoreNumber


@errors(NO_SCORE)
async def get_score(services: Services, params: ScoreParams) -> Item[ScoreDetails]:
    """A score with its player and its beatmap.

    Scores of restricted and unverified players, and scores whose beatmap no longer exists, are not found.
    """
    visible = services.settings.visible
    score = await require(services, catalogue.v2_score, NO_SCORE, id=params.score_id, visible=visible)
    if score.beatmap is None:
        raise NO_SCORE()
    await set_has_replay(services, [score])
    return Item(data=score)


class PlayerScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber
    scope: PlayerScoresScope = "best"
    mods: ModsText | None = None
    mode: RulesetMode = 0
    limit: Limit = 25
    include_loved: IncludeLoved = False
    include_failed: IncludeFailed = True
    offset: Offset = 0
    with_replay: WithReplay = False
    with_weight: WithWeight = False


class PlayerScoresMeta(ListMeta, frozen=True, kw_only=True):
    """The number of scores in this response, with `scope=first` on all pages, and which scores they are."""

    scope: PlayerScoresScope
    mode: ModeID


class PlayerScores(Success, frozen=True, kw_only=True):
    """A player's scores, each with its beatmap."""

    data: Annotated[list[PlayerScore], Meta(description="The scores, each with its beatmap.")]
    meta: Annotated[PlayerScoresMeta, META]


@errors(INVALID_MODE, NO_PLAYER)
async def get_player_scores(services: Services, params: PlayerScoresParams) -> PlayerScores:
    """A player's best, most recent or pinned scores, or first places, in a mode, each with its beatmap.

    `best` has the player's best score on each ranked or approved beatmap, highest pp first. `recent` has all
    scores, newest first. `first` has those that `maps/{map_id}/scores` shows first on ranked or approved beatmaps,
    newest first, as of at most 20 seconds ago. `pinned` has those that the player has pinned, highest pp first, if
    the game server has a column for that. Scores on beatmaps that the server does not know are left out. The
    beatmaps may be 10 seconds old.
    """
    await require_scope(services, params.scope)
    where = score_filter(params.mode, params.mods, strict=True)
    player = await require_player(services, catalogue.player, id=params.player_id)
    if where is None:
        return PlayerScores(data=[], meta=PlayerScoresMeta(total=0, scope=params.scope, mode=params.mode))
    rows, total = await _page_of_scores(services, player.id, where, params)
    if params.with_replay:
        await set_has_replay(services, rows)
    if params.with_weight and params.scope == "best":
        set_weights(rows, where, include_loved=params.include_loved, offset=params.offset)
    # With their beatmaps as JSON, they are encoded as the Struct declares.
    scores = cast(list[PlayerScore], rows)
    meta = PlayerScoresMeta(total=total, scope=params.scope, mode=where.mode)
    return PlayerScores(data=scores, meta=meta)


async def _page_of_scores(
    services: Services, player_id: int, where: ScoreFilter, params: PlayerScoresParams
) -> tuple[list[PlayerScoreRow], int]:
    """Return the page that the parameters ask for, and its `total`."""
    page: dict[str, Any] = {"limit": params.limit, "offset": params.offset, "stripped": True}
    if params.scope == "first":
        query = catalogue.v2_player_scores_by_id
        return await first_places(services, query, player_id, where, include_loved=params.include_loved, **page)
    rows, _ = await scores_of_player(
        services,
        catalogue.v2_player_scores,
        player_id,
        where,
        scope=params.scope,
        include_loved=params.include_loved,
        include_failed=params.include_failed,
        **page,
    )
    return rows, len(rows)


class MostPlayedParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber
    mode: RulesetMode = 0
    limit: Limit = 25


class ModeMeta(ListMeta, frozen=True, kw_only=True):
    """The number of rows in this response, and the mode."""

    mode: ModeID


class MostPlayed(Success, frozen=True, kw_only=True):
    """Beatmaps with the number of times the player has played them, the most played first."""

    data: Annotated[list[PlayedBeatmap], Meta(description="The beatmaps, the most played one first.")]
    meta: Annotated[ModeMeta, META]


@errors(INVALID_MODE, NO_PLAYER)
async def get_player_most_played(services: Services, params: MostPlayedParams) -> MostPlayed:
    """The beatmaps a player has played most in a mode, the most played first.

    `plays` is the number of the player's scores on the beatmap, failed ones included.
    """
    mode = ruleset_mode(params.mode, strict=True)
    player = await require_player(services, catalogue.player, id=params.player_id)
    maps = await services.database.all(
        catalogue.v2_player_most_played, id=player.id, mode=mode, limit=params.limit, offset=0
    )
    return MostPlayed(data=maps, meta=ModeMeta(total=len(maps), mode=mode))


class BeatmapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    map_id: BeatmapNumber
    scope: ScoresScope = "best"
    mode: RulesetMode = 0
    limit: Limit = 50
    with_replay: WithReplay = False


class BeatmapScoresMeta(ListMeta, frozen=True, kw_only=True):
    """The number of scores in this response, and which scores they are."""

    scope: ScoresScope
    mode: ModeID


class BeatmapScores(Success, frozen=True, kw_only=True):
    """Scores on a beatmap, each with its player."""

    data: Annotated[list[BeatmapScore], Meta(description="The scores, each with its player.")]
    meta: Annotated[BeatmapScoresMeta, META]


@errors(INVALID_MODE, NO_BEATMAP)
async def get_map_scores(services: Services, params: BeatmapScoresParams) -> BeatmapScores:
    """The players' best scores on a beatmap in a mode, each with its player.

    With `best`, the highest score comes first or, in the modes with Relax and Autopilot, the highest pp. With
    `recent`, the same scores are ordered by time, newest first. Restricted and unverified players are left out.
    """
    mode = ruleset_mode(params.mode, strict=True)
    beatmap = await require(services, catalogue.beatmap_md5, NO_BEATMAP, id=params.map_id, md5=None)
    scores = await scores_on_beatmap(
        services,
        catalogue.v2_beatmap_scores,
        beatmap.md5,
        ScoreFilter(mode),
        scope=params.scope,
        limit=params.limit,
    )
    if params.with_replay:
        await set_has_replay(services, scores)
    return BeatmapScores(data=scores, meta=BeatmapScoresMeta(total=len(scores), scope=params.scope, mode=mode))


class PlayerMapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber
    map_id: BeatmapNumber
    mode: RulesetMode = 0
    mods: ModsText | None = None


class PlayerMapScores(msgspec.Struct, frozen=True, kw_only=True):
    """A player's scores on a beatmap, and the place of the best one on its leaderboard."""

    rank: BeatmapRank
    of: BoardSize
    best: Annotated[Score | None, BEST_ON_BOARD]
    scores: Annotated[list[Score], SCORES_ON_BEATMAP]


@errors(INVALID_MODE, NO_PLAYER, NO_BEATMAP)
async def get_player_map_scores(services: Services, params: PlayerMapScoresParams) -> Item[PlayerMapScores]:
    """A player's scores on a beatmap in a mode, the highest first, and the place of the best one on its board.

    They are ordered as in `maps/{map_id}/scores`, whose order gives the rank: with `mods`, among scores with these
    mods. Failed scores are left out, and there are at most 100.
    """
    where = score_filter(params.mode, params.mods, strict=True)
    player = await require_player(services, catalogue.player, id=params.player_id)
    beatmap = await require(services, catalogue.beatmap_md5, NO_BEATMAP, id=params.map_id, md5=None)
    if where is None:
        return Item(data=PlayerMapScores(rank=None, of=0, best=None, scores=[]))
    found = await player_on_beatmap(services, catalogue.v2_player_beatmap_scores, player.id, beatmap.md5, where)
    return Item(data=PlayerMapScores(rank=found.rank, of=found.total, best=found.best, scores=found.scores))
