"""Scores: all of them, a player's, a beatmap's, a single one."""

from typing import cast

import msgspec

from api.request.params import IncludeFailed, IncludeLoved, Limit, PageNumber, PageSize, RulesetMode, ScoresScope
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1 import scores
from api.v1.lookup import NO_BEATMAP, NO_PLAYER, find_beatmap, find_player
from api.v1.scores import NO_SCORE
from api.v2.envelope import Item, ListMeta, Page, page_of
from api.v2.params import AnyMode, BeatmapHash, BeatmapNumber, Mods, PlayerNumber, ScoreNumber, ScoreStatus
from domain.modes import INVALID_MODE, ruleset_mode
from domain.mods import ScoreFilter
from domain.v2 import BeatmapScore, PlayedBeatmap, PlayerScore, Score, ScoreDetails
from storage.cache.pagination import PageRequest
from storage.database import catalogue


class ScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """What the scores have in common, and which page of them."""

    map_md5: BeatmapHash | None = None
    mods: Mods | None = None
    status: ScoreStatus | None = None
    mode: AnyMode | None = None
    user_id: PlayerNumber | None = None
    page: PageNumber = 1
    page_size: PageSize = 50


async def get_scores(services: Services, params: ScoresParams) -> Page[Score]:
    """The scores."""
    place = PageRequest(params.page, params.page_size)
    rows, total = await services.pagination.scores(
        place,
        map_md5=params.map_md5,
        user_id=params.user_id,
        mods=params.mods,
        status=params.status,
        mode=params.mode,
        visible=services.settings.visible,
    )
    return page_of(rows, total, place)


class ScoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which score."""

    score_id: ScoreNumber


@errors(NO_SCORE)
async def get_score(services: Services, params: ScoreParams) -> Item[ScoreDetails]:
    """A score with its player and its beatmap."""
    score = await services.database.one(catalogue.v2_score, id=params.score_id, visible=services.settings.visible)
    if score is None or score.beatmap is None:
        raise NO_SCORE()
    return Item(data=score)


class PlayerScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which scores, and whose."""

    player_id: PlayerNumber
    scope: ScoresScope = "best"
    mode: RulesetMode = 0
    limit: Limit = 25
    include_loved: IncludeLoved = False
    include_failed: IncludeFailed = True


class PlayerScoresMeta(ListMeta, frozen=True, kw_only=True):
    """Which scores these are."""

    scope: ScoresScope
    mode: int


class PlayerScores(Success, frozen=True, kw_only=True):
    """A player's scores, each with its beatmap."""

    data: list[PlayerScore]
    meta: PlayerScoresMeta


@errors(INVALID_MODE, NO_PLAYER)
async def get_player_scores(services: Services, params: PlayerScoresParams) -> PlayerScores:
    """A player's best scores by pp, or the last ones by time."""
    mode = ruleset_mode(params.mode, strict=True)
    player = await find_player(services, params.player_id, None, catalogue.player)
    asked = scores.PlayerScoresParams(
        scope=params.scope,
        limit=params.limit,
        include_loved=params.include_loved,
        include_failed=params.include_failed,
    )
    rows = await scores.scores_of_player(services, catalogue.v2_player_scores, player.id, ScoreFilter(mode), asked)
    # Encoded, they are what the Struct says.
    found = cast(list[PlayerScore], await scores.with_beatmaps(rows, services.beatmaps, stripped=True))
    return PlayerScores(data=found, meta=PlayerScoresMeta(total=len(found), scope=params.scope, mode=mode))


class MostPlayedParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whose beatmaps."""

    player_id: PlayerNumber
    mode: RulesetMode = 0
    limit: Limit = 25


class ModeMeta(ListMeta, frozen=True, kw_only=True):
    """Which mode this is about."""

    mode: int


class MostPlayed(Success, frozen=True, kw_only=True):
    """The beatmaps a player has played most."""

    data: list[PlayedBeatmap]
    meta: ModeMeta


@errors(INVALID_MODE, NO_PLAYER)
async def get_player_most_played(services: Services, params: MostPlayedParams) -> MostPlayed:
    """The beatmaps a player has played most in a mode, with how often."""
    mode = ruleset_mode(params.mode, strict=True)
    player = await find_player(services, params.player_id, None, catalogue.player)
    maps = await services.database.all(
        catalogue.v2_player_most_played, id=player.id, mode=mode, limit=params.limit, offset=0
    )
    return MostPlayed(data=maps, meta=ModeMeta(total=len(maps), mode=mode))


class BeatmapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a beatmap's scores."""

    map_id: BeatmapNumber
    scope: ScoresScope = "best"
    mode: RulesetMode = 0
    limit: Limit = 50


class BeatmapScores(Success, frozen=True, kw_only=True):
    """The scores on a beatmap, each with its player."""

    data: list[BeatmapScore]
    meta: PlayerScoresMeta


@errors(INVALID_MODE, NO_BEATMAP)
async def get_map_scores(services: Services, params: BeatmapScoresParams) -> BeatmapScores:
    """The players' best scores on a beatmap: by score, or by pp for Relax and Autopilot; or the last ones."""
    mode = ruleset_mode(params.mode, strict=True)
    beatmap = await find_beatmap(services, params.map_id, None, catalogue.beatmap)
    asked = scores.BeatmapScoresParams(scope=params.scope, limit=params.limit)
    found = await scores.scores_on_beatmap(
        services, catalogue.v2_beatmap_scores, beatmap.md5, ScoreFilter(mode), asked
    )
    return BeatmapScores(data=found, meta=PlayerScoresMeta(total=len(found), scope=params.scope, mode=mode))
