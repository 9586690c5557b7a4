"""Scores: of a player, on a beatmap."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from api.osu_v1.lookup import player_of
from api.osu_v1.params import BeatmapNumber, ExactMods, UserParams
from api.reads.scores import scores_of_player, scores_on_beatmap
from api.request.params import Limit, ScoresScope
from api.services import Services
from domain.mods import ScoreFilter, exact_bitmask
from domain.osu_v1 import (
    OsuBeatmapScore,
    OsuBestScore,
    OsuRecentScore,
    PlayerScoreRow,
    ScoreRow,
    beatmap_score,
    best_score,
    recent_score,
)
from storage.database import catalogue


class UserBestParams(UserParams, frozen=True, kw_only=True):
    limit: Limit = 10


async def get_user_best(services: Services, params: UserBestParams) -> list[OsuBestScore]:
    """A player's best scores in a mode, highest pp first.

    They are those of `/v1/get_player_scores?scope=best`: the best one on each ranked or approved beatmap. The list
    is empty for a player who does not exist, or is restricted or unverified.
    """
    found = await _scores_of_player(services, params, "best", params.limit)
    stored = await services.stored_replays.of(score.id for score, _ in found)
    zone = services.settings.zone
    return [best_score(score, beatmap_id, stored[score.id] is not False, zone) for score, beatmap_id in found]


class UserRecentParams(UserParams, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=50, description="Maximum number of rows (1 to 50).")] = 10


async def get_user_recent(services: Services, params: UserRecentParams) -> list[OsuRecentScore]:
    """A player's most recent scores in a mode, failed ones included, newest first.

    They are those of `/v1/get_player_scores?scope=recent`. Unlike those of the official API, they may be
    older than 24 hours. The list is empty for a player who does not exist, or is restricted or unverified.
    """
    found = await _scores_of_player(services, params, "recent", params.limit)
    return [recent_score(score, beatmap_id, services.settings.zone) for score, beatmap_id in found]


class BeatmapID(msgspec.Struct, frozen=True):
    id: int


_beatmap_id = msgspec.json.Decoder(BeatmapID)


async def _scores_of_player(
    services: Services, params: UserParams, scope: ScoresScope, limit: int
) -> list[tuple[PlayerScoreRow, int]]:
    """Return the scores of the player that the parameters name, each with the id of its beatmap."""
    player = await player_of(services, catalogue.player, params)
    if player is None:
        return []
    scores, _ = await scores_of_player(
        services,
        catalogue.osu_v1_player_scores,
        player.id,
        ScoreFilter(params.mode(strict=services.settings.strict_modes)),
        scope=scope,
        include_loved=False,
        include_failed=True,
        limit=limit,
    )
    return [(score, _beatmap_id.decode(score.beatmap).id) for score in scores]


class ScoresParams(UserParams, frozen=True, kw_only=True):
    b: BeatmapNumber = 0
    mods: ExactMods | None = None
    limit: Limit = 50


async def get_scores(services: Services, params: ScoresParams) -> list[OsuBeatmapScore]:
    """The players' best scores on a beatmap in a mode, or the one of a player.

    They are those of `/v1/get_map_scores?scope=best`: the highest score comes first or, in the modes with Relax
    and Autopilot, the highest pp. The list is empty for a beatmap or player that does not exist.
    """
    scores = await best_on_beatmap(services, params, params.b, params.mods, params.limit)
    stored = await services.stored_replays.of(score.id for score in scores)
    zone = services.settings.zone
    return [beatmap_score(score, stored[score.id] is not False, zone) for score in scores]


async def best_on_beatmap(
    services: Services, params: UserParams, beatmap_id: int, mods: str | None, limit: int
) -> Sequence[ScoreRow]:
    """Return the best scores on a beatmap, those of the player alone if the parameters name one.

    With `mods`, they are those with exactly these mods.
    """
    if not beatmap_id:
        return []
    beatmap = await services.database.one(catalogue.beatmap_md5, id=beatmap_id, md5=None)
    player = await player_of(services, catalogue.player, params)
    if beatmap is None or (player is None and params.u is not None):
        return []
    return await scores_on_beatmap(
        services,
        catalogue.osu_v1_beatmap_scores,
        beatmap.md5,
        ScoreFilter(params.mode(strict=services.settings.strict_modes)),
        scope="best",
        limit=limit,
        exact_mods=None if mods is None else exact_bitmask(mods),
        player_id=player.id if player else None,
    )
