"""Replays."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.replays import REPLAY_ERRORS, replay_response
from api.request.params import ScoreID
from api.response.errors import errors
from api.services import Services
from replays.response import ReplayResponse


class ReplayParams(msgspec.Struct, frozen=True, kw_only=True):
    id: ScoreID
    include_headers: Annotated[
        bool,
        Meta(description="Whether the response is a complete `.osr` file, or only its compressed frames."),
    ] = True


@errors(*REPLAY_ERRORS)
async def get_replay(services: Services, params: ReplayParams) -> ReplayResponse:
    """The replay of a score: an `.osr` file, or the frames alone as the game client uploaded them.

    Only passed scores have replays. Requests for one range of bytes and conditional requests are supported.
    """
    return replay_response(services, params.id, ReplayResponse, whole=params.include_headers)
