"""Replays."""

from starlette.responses import Response

from api import replays
from api.params import INT64
from api.services import Services
from api.v2.scores import ScoreParams
from replays.errors import NoReplay


async def get_replay(services: Services, params: ScoreParams) -> Response:
    """The replay of a score as an .osr file."""
    if not 0 <= params.score_id <= INT64:
        raise NoReplay
    return replays.replay(services, replays.ReplayParams(id=params.score_id), "application/x-osu-replay")
