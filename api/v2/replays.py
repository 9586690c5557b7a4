"""Replays."""

from api import answers, replays
from api.answers import V2_PREFIXES
from api.params import INT64
from api.refusals import refuses
from api.scores import NO_SCORE
from api.services import Services
from api.v2.scores import ScoreParams
from replays.errors import NO_REPLAY, REPLAYS_AWAY, NoReplay
from replays.response import ReplayResponse


class OsuReplay(ReplayResponse):
    """An .osr file."""

    media_type = "application/x-osu-replay"

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        """As everywhere in this version."""
        return answers.failure(V2_PREFIXES[0], text)


@refuses(NO_REPLAY, NO_SCORE, REPLAYS_AWAY)
async def get_replay(services: Services, params: ScoreParams) -> OsuReplay:
    """The replay of a score as an .osr file."""
    if not 0 <= params.score_id <= INT64:
        raise NoReplay
    return replays.replay(services, replays.ReplayParams(id=params.score_id), OsuReplay)
