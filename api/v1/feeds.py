"""Scores of all players: the ones with the most pp, and the latest ones."""

from typing import Annotated, cast

import msgspec
from msgspec import Meta

from api.reads.replays import set_has_replay
from api.reads.scores import in_order, with_beatmaps
from api.request.params import IncludeFailed, Limit, ModeNumber, TopOffset, WithReplay
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.modes import INVALID_MODE, ruleset_mode
from domain.scores import ServerScore
from storage.database import catalogue


class TopPlaysParams(msgspec.Struct, frozen=True, kw_only=True):
    mode: ModeNumber = 0
    limit: Limit = 50
    offset: TopOffset = 0


class TopPlays(Success, frozen=True, kw_only=True):
    """Scores, each with its player and its beatmap."""

    plays: Annotated[list[ServerScore], Meta(description="The scores, the one with the most pp first.")]


@errors(INVALID_MODE)
async def get_top_plays(services: Services, params: TopPlaysParams) -> TopPlays:
    """The best scores of all players in a mode, on ranked and approved beatmaps, highest pp first.

    Scores of restricted and unverified players are left out. Only the first 1000 are listed. The order may be a
    minute old, and the beatmaps 10 seconds.
    """
    mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
    ids = await services.top_plays.page(mode, offset=params.offset, limit=params.limit)
    if not ids:
        return TopPlays(plays=[])
    visible = services.settings.visible_on_boards
    rows = await services.database.all(catalogue.top_plays_by_id, ids=ids, visible=visible)
    plays = await with_beatmaps(services, in_order(rows, ids))
    # With their beatmaps as JSON, they are encoded as the Struct declares.
    return TopPlays(plays=cast(list[ServerScore], plays))


class RecentScoresParams(msgspec.Struct, frozen=True, kw_only=True):
    """Without `mode`, the scores of all modes are listed."""

    mode: ModeNumber | None = None
    limit: Limit = 50
    include_failed: IncludeFailed = True
    with_replay: WithReplay = False


class RecentScores(Success, frozen=True, kw_only=True):
    """Scores, each with its player and its beatmap."""

    scores: Annotated[list[ServerScore], Meta(description="The scores, the newest first.")]


@errors(INVALID_MODE)
async def get_recent_scores(services: Services, params: RecentScoresParams) -> RecentScores:
    """The latest scores of all players, in one mode or in all, newest first.

    Scores of restricted and unverified players, and scores on beatmaps that the server does not know, are left
    out. The beatmaps may be 10 seconds old.
    """
    query, which = catalogue.latest_scores["all"], {}
    if params.mode is not None:
        mode = ruleset_mode(params.mode, strict=services.settings.strict_modes)
        query, which = catalogue.latest_scores["mode"], {"mode": mode}
    visible = services.settings.visible
    rows = await services.database.all(
        query, include_failed=params.include_failed, limit=params.limit, visible=visible, **which
    )
    if params.with_replay:
        await set_has_replay(services, rows)
    scores = await with_beatmaps(services, rows)
    # With their beatmaps as JSON, they are encoded as the Struct declares.
    return RecentScores(scores=cast(list[ServerScore], scores))
