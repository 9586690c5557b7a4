"""Replays as responses."""

from datetime import datetime
from typing import TypeVar

from api.reads.scores import NO_SCORE
from api.services import Services
from domain.replays import ReplayScore
from replays.body import OsrEnvelope
from replays.errors import NO_REPLAY, REPLAYS_AWAY, NoReplay
from replays.filename import file_name
from replays.osr import Replay
from replays.response import ReplayResponse
from storage.database import catalogue

REPLAY_ERRORS = (NO_REPLAY, NO_SCORE, REPLAYS_AWAY)

R = TypeVar("R", bound=ReplayResponse)


def replay_response(services: Services, score_id: int, kind: type[R], *, whole: bool = True) -> R:
    """Return a response of that class with the replay of a score: a whole .osr file, or the bare frames.

    Calling the response raises NO_REPLAY if there is none or its player is hidden, NO_SCORE if there is a
    replay but no score, player or beatmap to make a whole file from, and Unavailable.
    """

    async def find_envelope() -> OsrEnvelope | None:
        score = await services.database.one(catalogue.replay_score, id=score_id, visible=services.settings.visible)
        if score and score.player and not score.player.visible:
            raise NoReplay
        return _envelope(score) if whole else None

    location = services.settings.nginx_replays
    return kind(services.replays, score_id, find_envelope, nginx_location=location)


def _envelope(score: ReplayScore | None) -> OsrEnvelope:
    if score is None or score.player is None or score.beatmap is None:
        raise NO_SCORE()
    # The earliest time stands for none, as in the format itself.
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
