"""Multiplayer matches."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.request.params import NoParams
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.errors import ErrorSpec
from domain.live import Match
from storage.game_server.client import GAME_SERVER_AWAY

NO_MATCH = ErrorSpec(404, "Match not found.")

MatchID = Annotated[int, Meta(ge=0, le=64, description="a match's id, 0 to 63")]


class MatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which match."""

    id: MatchID


class MatchInfo(Success, frozen=True, kw_only=True):
    """A multiplayer match."""

    match: Match


@errors(NO_MATCH, GAME_SERVER_AWAY)
async def get_match(services: Services, params: MatchParams) -> MatchInfo:
    """A multiplayer match that is open now."""
    # The game server takes 64 for an id, and has no place for a match there.
    match = await services.live.match(params.id) if params.id < 64 else None
    if match is None:
        raise NO_MATCH()
    return MatchInfo(match=match)


class Matches(Success, frozen=True, kw_only=True):
    """The multiplayer matches that are open now."""

    matches: list[Match]


@errors(GAME_SERVER_AWAY)
async def get_matches(services: Services, _: NoParams) -> Matches:
    """Every multiplayer match that is open now, by id."""
    return Matches(matches=await services.live.matches())
