"""Scores: of a player, on a beatmap, a single one."""

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from api.reads.players import NO_PLAYER, require_player
from api.reads.replays import set_has_replay
from api.reads.require import NO_BEATMAP, NO_SCORE, require
from api.reads.scores import (
    count_scores_of_player,
    first_places,
    in_order,
    player_on_beatmap,
    require_scope,
    scores_of_player,
    scores_on_beatmap,
    set_weights,
)
from api.reads.totals import if_counted
from api.request.params import (
    BeatmapID,
    BeatmapMD5,
    IncludeFailed,
    IncludeLoved,
    Limit,
    ModeNumber,
    ModsText,
    Offset,
    PlayerID,
    PlayerName,
    PlayerScoresScope,
    ScoreID,
    ScoreIDs,
    ScoresScope,
    WithReplay,
    WithWeight,
)
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import BEATMAP_ERRORS, PLAYER_ERRORS, beatmap_by_id_or_md5, player_by_id_or_name
from domain.beatmaps import PlayedBeatmap
from domain.errors import ErrorSpec
from domain.modes import INVALID_MODE, ruleset_mode
from domain.mods import ScoreFilter, score_filter
from domain.players import PlayerCard
from domain.scores import (
    BeatmapScore,
    MonthlyPlays,
    PlayerScore,
    PlayerScoreRow,
    Score,
    ScoreDetails,
)
from domain.units import BEST_ON_BOARD, SCORES_ON_BEATMAP, BeatmapRank, BoardSize, TotalOrNull
from storage.database import catalogue

# Clients know other words from this endpoint than from the others.
MOST_PLAYED_ID_OR_NAME = ErrorSpec(400, "Must provide either id or name.")
MAP_ID_OR_MD5 = ErrorSpec(400, "Must provide either map_id or md5!")


class PlayerScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required."""

    scope: PlayerScoresScope
    id: PlayerID | None = None
    name: PlayerName | None = None
    mods: ModsText | None = None
    mode: ModeNumber = 0
    limit: Limit = 25
    include_loved: IncludeLoved = False
    include_failed: IncludeFailed = True
    offset: Offset = 0
    with_replay: WithReplay = False
    with_weight: WithWeight = False


class PlayerScores(Success, frozen=True, kw_only=True):
    """A player's scores, each with its beatmap, and the player."""

    total: TotalOrNull
    scores: Annotated[list[PlayerScore], Meta(description="The scores, each with its beatmap.")]
    player: Annotated[PlayerCard, Meta(description="Player of the scores.")]


@errors(INVALID_MODE, *PLAYER_ERRORS)
async def get_player_scores(services: Services, params: PlayerScoresParams) -> PlayerScores:
    """A player's best, most recent or pinned scores, or first places, in a mode, each with its beatmap.

    `best` has the player's best score on each ranked or approved beatmap, highest pp first. `recent` has all
    scores, newest first. `first` has those that `get_map_scores` with `scope=best` shows first on ranked or
    approved beatmaps, newest first, as of at most 20 seconds ago. `pinned` has those that the player has pinned,
    highest pp first, if the game server has a column for that. Scores on beatmaps that the server does not know
    are left out. The beatmaps may be 10 seconds old, and `total` a minute.
    """
    await require_scope(services, params.scope)
    where = score_filter(params.mode, params.mods, strict=services.settings.strict_modes)
    player = await player_by_id_or_name(services, catalogue.player, params.id, params.name)
    card = PlayerCard(id=player.id, name=player.name, clan=player.clan)
    if where is None:
        return PlayerScores(total=0, scores=[], player=card)
    rows, total = await _page_of_scores(services, player.id, where, params)
    if params.with_replay:
        await set_has_replay(services, rows)
    if params.with_weight and params.scope == "best":
        set_weights(rows, where, include_loved=params.include_loved, offset=params.offset)
    # With their beatmaps as JSON, they are encoded as the Struct declares.
    return PlayerScores(total=total, scores=cast(list[PlayerScore], rows), player=card)


async def _page_of_scores(
    services: Services, player_id: int, where: ScoreFilter, params: PlayerScoresParams
) -> tuple[list[PlayerScoreRow], int | None]:
    """Return the page that the parameters ask for, and how many scores there are on all pages, None if unknown."""
    page: dict[str, Any] = {"limit": params.limit, "offset": params.offset}
    if params.scope == "first":
        query = catalogue.player_scores_by_id
        return await first_places(services, query, player_id, where, include_loved=params.include_loved, **page)
    kind: dict[str, Any] = {
        "scope": params.scope,
        "include_loved": params.include_loved,
        "include_failed": params.include_failed,
    }
    rows, found = await scores_of_player(services, catalogue.player_scores, player_id, where, **kind, **page)
    if found < params.limit and (found or not params.offset):
        return rows, params.offset + found
    return rows, await if_counted(count_scores_of_player(services, player_id, where, **kind))


class MostPlayedParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required; `id` wins if both are given."""

    id: PlayerID | None = None
    name: PlayerName | None = None
    mode: ModeNumber = 0
    limit: Limit = 25
    offset: Offset = 0


class MostPlayed(Success, frozen=True, kw_only=True):
    """Beatmaps with the number of times the player has played them, the most played first."""

    maps: Annotated[list[PlayedBeatmap], Meta(description="The beatmaps, the most played one first.")]


@errors(INVALID_MODE, MOST_PLAYED_ID_OR_NAME, NO_PLAYER)
async def get_player_most_played(services: Services, params: MostPlayedParams) -> MostPlayed:
    """The beatmaps a player has played most in a mode, the most played first.

    `plays` is the number of the player's scores on the beatmap, failed ones included.
    """
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    if params.id is None and params.name is None:
        raise MOST_PLAYED_ID_OR_NAME()
    name = params.name if params.id is None else None
    player = await require_player(services, catalogue.player, id=params.id, name=name)
    maps = await services.database.all(
        catalogue.player_most_played, id=player.id, mode=mode, limit=params.limit, offset=params.offset
    )
    return MostPlayed(maps=maps)


class PlayerPlaysParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required."""

    id: PlayerID | None = None
    name: PlayerName | None = None
    mode: ModeNumber = 0


class PlayerPlays(Success, frozen=True, kw_only=True):
    """How often a player has played in each month, the first month first. Months without plays are left out."""

    plays: Annotated[list[MonthlyPlays], Meta(description="The months with plays, the first one first.")]


@errors(INVALID_MODE, *PLAYER_ERRORS)
async def get_player_plays(services: Services, params: PlayerPlaysParams) -> PlayerPlays:
    """How often a player has played in each month in a mode.

    `plays` counts the scores that the server has stored, failed ones included, `passes` those that are not failed.
    A month begins and ends in the game server's time zone. Months without plays are left out.
    """
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    player = await player_by_id_or_name(services, catalogue.player, params.id, params.name)
    return PlayerPlays(plays=await services.database.all(catalogue.player_plays, id=player.id, mode=mode))


class BeatmapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `md5` is required; `id` wins if both are given."""

    scope: ScoresScope
    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None
    mods: ModsText | None = None
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0
    with_replay: WithReplay = False


class BeatmapScores(Success, frozen=True, kw_only=True):
    """Scores on a beatmap, each with its player."""

    scores: Annotated[list[BeatmapScore], Meta(description="The scores, each with its player.")]


@errors(INVALID_MODE, *BEATMAP_ERRORS)
async def get_map_scores(services: Services, params: BeatmapScoresParams) -> BeatmapScores:
    """The players' best scores on a beatmap in a mode, each with its player.

    With `best`, the highest score comes first or, in the modes with Relax and Autopilot, the highest pp. With
    `recent`, the same scores are ordered by time, newest first. Restricted and unverified players are left out.
    """
    where = score_filter(params.mode, params.mods, strict=services.settings.strict_modes)
    beatmap = await beatmap_by_id_or_md5(services, catalogue.beatmap_md5, params.id, params.md5)
    if where is None:
        return BeatmapScores(scores=[])
    scores = await scores_on_beatmap(
        services,
        catalogue.beatmap_scores,
        beatmap.md5,
        where,
        scope=params.scope,
        limit=params.limit,
        offset=params.offset,
    )
    if params.with_replay:
        await set_has_replay(services, scores)
    return BeatmapScores(scores=scores)


class PlayerMapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name`, and either `map_id` or `md5`, are required; `map_id` wins over `md5`."""

    id: PlayerID | None = None
    name: PlayerName | None = None
    map_id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None
    mode: ModeNumber = 0
    mods: ModsText | None = None


class PlayerMapScores(Success, frozen=True, kw_only=True):
    """A player's scores on a beatmap, and the place of the best one on its leaderboard."""

    rank: BeatmapRank
    of: BoardSize
    best: Annotated[Score | None, BEST_ON_BOARD]
    scores: Annotated[list[Score], SCORES_ON_BEATMAP]


@errors(INVALID_MODE, *PLAYER_ERRORS, MAP_ID_OR_MD5, NO_BEATMAP)
async def get_player_map_scores(services: Services, params: PlayerMapScoresParams) -> PlayerMapScores:
    """A player's scores on a beatmap in a mode, the highest first, and the place of the best one on its board.

    They are ordered as in `get_map_scores` with `scope=best`, whose order gives the rank: with `mods`, among
    scores with these mods. Failed scores are left out, and there are at most 100.
    """
    where = score_filter(params.mode, params.mods, strict=services.settings.strict_modes)
    if params.map_id is None and params.md5 is None:
        raise MAP_ID_OR_MD5()
    player = await player_by_id_or_name(services, catalogue.player, params.id, params.name)
    beatmap = await beatmap_by_id_or_md5(services, catalogue.beatmap_md5, params.map_id, params.md5)
    if where is None:
        return PlayerMapScores(rank=None, of=0, best=None, scores=[])
    found = await player_on_beatmap(services, catalogue.player_beatmap_scores, player.id, beatmap.md5, where)
    return PlayerMapScores(rank=found.rank, of=found.total, best=found.best, scores=found.scores)


class ScoreParams(msgspec.Struct, frozen=True, kw_only=True):
    id: ScoreID


class ScoreInfo(Success, frozen=True, kw_only=True):
    """A score with its player and its beatmap."""

    score: Annotated[ScoreDetails, Meta(description="The score.")]


@errors(NO_SCORE)
async def get_score_info(services: Services, params: ScoreParams) -> ScoreInfo:
    """A score with its player and its beatmap.

    Scores of restricted and unverified players are not found.
    """
    score = await require(services, catalogue.score, NO_SCORE, id=params.id, visible=services.settings.visible)
    if not services.settings.show_client_flags:
        score.remove_anticheat()
    await set_has_replay(services, [score])
    return ScoreInfo(score=score)


class ScoresInfoParams(msgspec.Struct, frozen=True, kw_only=True):
    id: ScoreIDs


class ScoresInfo(Success, frozen=True, kw_only=True):
    """Scores with their players and beatmaps, in the order of the request."""

    scores: Annotated[list[ScoreDetails], Meta(description="The scores.")]


async def get_scores_info(services: Services, params: ScoresInfoParams) -> ScoresInfo:
    """Several scores, each as `get_score_info` returns it.

    They are in the order of the request. Scores that do not exist, and those of restricted and unverified players,
    are left out. A score that is named twice is returned once.
    """
    ids = tuple(dict.fromkeys(params.id))
    rows = await services.database.all(catalogue.some_scores, ids=ids, visible=services.settings.visible)
    # Of several beatmaps with one md5, the one with the lowest id counts.
    scores = in_order(rows, ids)
    if not services.settings.show_client_flags:
        for score in scores:
            score.remove_anticheat()
    await set_has_replay(services, scores)
    return ScoresInfo(scores=scores)
