"""Replays as responses."""

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import TypeVar

import msgspec

from api.reads.require import NO_SCORE
from api.services import Services
from domain.replays import ReplayScore
from domain.scores import Score
from replays.body import OsrEnvelope
from replays.errors import NO_REPLAY, REPLAYS_AWAY, NoReplay
from replays.filename import file_name
from replays.osr import header_and_trailer
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
        return _envelope(score, services.settings.zone) if whole else None

    location = services.settings.nginx_replays
    return kind(services.replays, score_id, find_envelope, nginx_location=location)


async def set_has_replay(services: Services, scores: Sequence[Score]) -> None:
    """Set `has_replay` of these scores, at most a hundred, as of some seconds ago.

    It is None if it is not known.
    """
    passed = [score.id for score in scores if score.status]
    stored: dict[int, bool | None] = {}
    if services.replays.knows_stored:
        stored = await services.stored_replays.of(passed)
    for score in scores:
        has_replay = stored.get(score.id) if score.status else False
        # In place, because copying the score would copy two dozen fields.
        msgspec.structs.force_setattr(score, "has_replay", has_replay)


def _envelope(score: ReplayScore | None, zone: tzinfo | None) -> OsrEnvelope:
    if score is None or score.player is None or score.beatmap is None:
        raise NO_SCORE()
    header, trailer = header_and_trailer(score, score.player.name, score.beatmap.md5, zone)
    name = file_name(
        player=score.player.name,
        artist=score.beatmap.artist,
        title=score.beatmap.title,
        version=score.beatmap.version,
        day=score.play_time or date.min,
    )
    return OsrEnvelope(header=header, trailer=trailer, name=name)
