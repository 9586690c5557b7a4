"""Replays."""

from api.request.params import INT64
from api.response.errors import V2_PREFIXES, errors, failure
from api.services import Services
from api.v1 import replays
from api.v1.scores import NO_SCORE
from api.v2.scores import ScoreParams
from replays.errors import NO_REPLAY, REPLAYS_AWAY, NoReplay
from replays.response import ReplayResponse


class OsuReplay(ReplayResponse):
    """An .osr file."""

    media_type = "application/x-osu-replay"

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        """As everywhere in this version."""
        return failure(V2_PREFIXES[0], text)


@errors(NO_REPLAY, NO_SCORE, REPLAYS_AWAY)
async def get_replay(services: Services, params: ScoreParams) -> OsuReplay:
    """The replay of a score as an .osr file."""
    if not 0 <= params.score_id <= INT64:
        raise NoReplay
    return replays.replay(services, replays.ReplayParams(id=params.score_id), OsuReplay)
