"""Replays: the files that the game client wrote, as anybody's client reads them."""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from api.request.params import ScoreID
from api.response.errors import errors
from api.services import Services
from api.v1.scores import NO_SCORE
from domain.replays import ReplayScore
from replays.body import OsrEnvelope
from replays.errors import NO_REPLAY, REPLAYS_AWAY, NoReplay
from replays.filename import file_name
from replays.osr import Replay
from replays.response import ReplayResponse
from storage.database import catalogue

R = TypeVar("R", bound=ReplayResponse)


class ReplayParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whose replay; without headers it is the bare frames."""

    id: ScoreID
    include_headers: Annotated[bool, Meta(description="an .osr file, or the bare frames")] = True


@errors(NO_REPLAY, NO_SCORE, REPLAYS_AWAY)
async def get_replay(services: Services, params: ReplayParams) -> ReplayResponse:
    """The replay of a score: an .osr file, or the frames alone as the game client sent them."""
    return replay(services, params, ReplayResponse)


def replay(services: Services, params: ReplayParams, kind: type[R]) -> R:
    """What `params` ask for, as a response of that kind."""

    async def find_envelope() -> OsrEnvelope | None:
        score = await services.database.one(
            catalogue.replay_score, id=params.id, visible=services.settings.visible
        )
        if score and score.player and not score.player.visible:
            raise NoReplay
        return _wrapping(score) if params.include_headers else None

    location = services.settings.nginx_replays
    return kind(services.replays, params.id, find_envelope, nginx_location=location)


def _wrapping(score: ReplayScore | None) -> OsrEnvelope:
    if score is None or score.player is None or score.beatmap is None:
        raise NO_SCORE()
    # As the format has it where there is no time.
    played_at = score.play_time or datetime.min
    replay = Replay.of(
        score_id=score.id,
        mode=score.mode,
        beatmap_md5=score.beatmap.md5,
        player_name=score.player.name,
        n300=score.n300,
        n100=score.n100,
        n50=score.n50,
        ngeki=score.ngeki,
        nkatu=score.nkatu,
        nmiss=score.nmiss,
        score=score.score,
        max_combo=score.max_combo,
        perfect=score.perfect,
        mods=score.mods,
        grade=score.grade,
        played_at=played_at,
    )
    name = file_name(
        player=score.player.name,
        artist=score.beatmap.artist,
        title=score.beatmap.title,
        version=score.beatmap.version,
        day=played_at,
    )
    return OsrEnvelope(replay=replay, name=name)
