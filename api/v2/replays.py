"""Replays."""

from api.reads.replays import REPLAY_ERRORS, replay_response
from api.request.params import INT64
from api.response.errors import V2_PREFIXES, errors, failure
from api.services import Services
from api.v2.scores import ScoreParams
from replays.errors import NoReplay
from replays.response import ReplayResponse


class OsuReplay(ReplayResponse):
    """An .osr file, with the media type and the errors of version 2."""

    media_type = "application/x-osu-replay"

    @staticmethod
    def failure(text: str) -> dict[str, str]:
        return failure(V2_PREFIXES[0], text)


@errors(*REPLAY_ERRORS)
async def get_replay(services: Services, params: ScoreParams) -> OsuReplay:
    """The replay of a score as an `.osr` file.

    Only passed scores have replays. Requests for one range of bytes and conditional requests are supported.
    """
    if not 0 <= params.score_id <= INT64:
        raise NoReplay
    return replay_response(services, params.score_id, OsuReplay)
