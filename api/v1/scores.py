"""Scores: a player's, a beatmap's, a single one."""

from collections.abc import Mapping
from typing import TypeVar, cast

import msgspec
from msgspec import UNSET

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
    ScoreID,
    ScoresScope,
)
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import BEATMAP, NO_PLAYER, PLAYER, find_beatmap, find_player
from domain.beatmaps import PlayedBeatmap
from domain.errors import ErrorSpec
from domain.modes import INVALID_MODE, ruleset_mode
from domain.mods import ScoreFilter, score_filter
from domain.players import PlayerCard
from domain.scores import BeatmapScore, PlayerScore, PlayerScoreRow, Score, ScoreDetails
from storage.cache.beatmaps import BeatmapCache
from storage.database import catalogue
from storage.database.database import Query

# One endpoint has always said it in other words than the others.
ID_OR_NAME = ErrorSpec(400, "Must provide either id or name.")
NO_SCORE = ErrorSpec(404, "Score not found.")
ANTICHEAT = ("client_flags", "online_checksum")

S = TypeVar("S", bound=Score)
R = TypeVar("R", bound=PlayerScoreRow)


class PlayerScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which scores, and whose; one of `id` and `name`."""

    scope: ScoresScope
    id: PlayerID | None = None
    name: PlayerName | None = None
    mods: ModsText | None = None
    mode: ModeNumber = 0
    limit: Limit = 25
    include_loved: IncludeLoved = False
    include_failed: IncludeFailed = True
    offset: Offset = 0


class PlayerScores(Success, frozen=True, kw_only=True):
    """A player's scores, each with its beatmap."""

    scores: list[PlayerScore]
    player: PlayerCard


@errors(INVALID_MODE, *PLAYER)
async def get_player_scores(services: Services, params: PlayerScoresParams) -> PlayerScores:
    """A player's best scores by pp, or the last ones by time."""
    where = score_filter(params.mode, params.mods, strict=services.settings.strict_modes)
    player = await find_player(services, params.id, params.name, catalogue.player)
    card = PlayerCard(id=player.id, name=player.name, clan=player.clan)
    if where is None:
        return PlayerScores(scores=[], player=card)
    rows = await scores_of_player(services, catalogue.player_scores, player.id, where, params)
    scores = await with_beatmaps(rows, services.beatmaps)
    # Encoded, they are what the Struct says.
    return PlayerScores(scores=cast(list[PlayerScore], scores), player=card)


async def scores_of_player(
    services: Services,
    queries: Mapping[str, Query[S]],
    player_id: int,
    where: ScoreFilter,
    params: PlayerScoresParams,
) -> list[S]:
    """What `params` ask of a player's scores on a score_filter; `queries` by scope."""
    flag = (
        {"include_loved": params.include_loved}
        if params.scope == "best"
        else {"include_failed": params.include_failed}
    )
    return await services.database.all(
        queries[params.scope],
        id=player_id,
        mode=where.mode,
        mask=where.mask,
        weak=where.weak,
        limit=params.limit,
        offset=params.offset,
        **flag,
    )


async def with_beatmaps(rows: list[R], beatmaps: BeatmapCache, *, stripped: bool = False) -> list[R]:
    """The scores with the JSON of their beatmaps in place; those whose beatmap is gone by now are left out."""
    found = await beatmaps.of((row.beatmap for row in rows), stripped=stripped)
    there = [row for row in rows if row.beatmap in found]
    for row in there:
        # A hundred copies of a row with two dozen fields would take as long as reading the rows did.
        msgspec.structs.force_setattr(row, "beatmap", found[row.beatmap])
    return there


class MostPlayedParams(msgspec.Struct, frozen=True, kw_only=True):
    """One of `id` and `name`; `id` wins."""

    id: PlayerID | None = None
    name: PlayerName | None = None
    mode: ModeNumber = 0
    limit: Limit = 25
    offset: Offset = 0


class MostPlayed(Success, frozen=True, kw_only=True):
    """The beatmaps a player has played most."""

    maps: list[PlayedBeatmap]


@errors(INVALID_MODE, ID_OR_NAME, NO_PLAYER)
async def get_player_most_played(services: Services, params: MostPlayedParams) -> MostPlayed:
    """The beatmaps a player has played most in a mode, with how often."""
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    if params.id is None and params.name is None:
        raise ID_OR_NAME()
    name = params.name if params.id is None else None
    player = await find_player(services, params.id, name, catalogue.player)
    maps = await services.database.all(
        catalogue.player_most_played, id=player.id, mode=mode, limit=params.limit, offset=params.offset
    )
    return MostPlayed(maps=maps)


class BeatmapScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """One of `id` and `md5`; `id` wins."""

    scope: ScoresScope
    id: BeatmapID | None = None
    md5: BeatmapMD5 | None = None
    mods: ModsText | None = None
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: Offset = 0


class BeatmapScores(Success, frozen=True, kw_only=True):
    """The scores on a beatmap, each with its player."""

    scores: list[BeatmapScore]


@errors(INVALID_MODE, *BEATMAP)
async def get_map_scores(services: Services, params: BeatmapScoresParams) -> BeatmapScores:
    """The players' best scores on a beatmap: by score, or by pp for Relax and Autopilot; or the last ones."""
    where = score_filter(params.mode, params.mods, strict=services.settings.strict_modes)
    beatmap = await find_beatmap(services, params.id, params.md5, catalogue.beatmap)
    if where is None:
        return BeatmapScores(scores=[])
    return BeatmapScores(
        scores=await scores_on_beatmap(services, catalogue.beatmap_scores, beatmap.md5, where, params)
    )


async def scores_on_beatmap(
    services: Services, queries: Mapping[str, Query[S]], md5: str, where: ScoreFilter, params: BeatmapScoresParams
) -> list[S]:
    """What `params` ask of a beatmap's score_filter; `queries` by what they sort by."""
    best = "pp" if where.mode.pp_board else "score"
    return await services.database.all(
        queries[best if params.scope == "best" else "play_time"],
        md5=md5,
        mode=where.mode,
        mask=where.mask,
        weak=where.weak,
        visible=services.settings.visible_on_boards,
        limit=params.limit,
        offset=params.offset,
    )


class ScoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which score."""

    id: ScoreID


class ScoreInfo(Success, frozen=True, kw_only=True):
    """A single score."""

    score: ScoreDetails


@errors(NO_SCORE)
async def get_score_info(services: Services, params: ScoreParams) -> ScoreInfo:
    """A single score, with its beatmap."""
    score = await services.database.one(catalogue.score, id=params.id, visible=services.settings.visible)
    if score is None:
        raise NO_SCORE()
    if not services.settings.show_client_flags:
        # In place: a copy would go over all fields once more.
        for field in ANTICHEAT:
            msgspec.structs.force_setattr(score, field, UNSET)
    return ScoreInfo(score=score)
