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

MATCHES = 64
# The game server accepts 64 too, though it has no such match.
MatchID = Annotated[
    int, Meta(ge=0, le=MATCHES, description="Match ID (0 to 63). 64 is accepted, but no match has it.")
]


class MatchParams(msgspec.Struct, frozen=True, kw_only=True):
    id: MatchID


class MatchInfo(Success, frozen=True, kw_only=True):
    """A multiplayer match."""

    match: Annotated[Match, Meta(description="The match.")]


@errors(NO_MATCH, GAME_SERVER_AWAY)
async def get_match(services: Services, params: MatchParams) -> MatchInfo:
    """A multiplayer match that is open now.

    Restricted and unverified players are left out of the slots, the referees and the host.
    """
    match = await services.live.match(params.id) if params.id < MATCHES else None
    if match is None:
        raise NO_MATCH()
    return MatchInfo(match=match)


class MatchList(Success, frozen=True, kw_only=True):
    """Multiplayer matches, ordered by ID."""

    matches: Annotated[list[Match], Meta(description="The matches, ordered by ID.")]


@errors(GAME_SERVER_AWAY)
async def get_matches(services: Services, _: NoParams) -> MatchList:
    """All multiplayer matches that are open now, ordered by ID.

    Restricted and unverified players are left out of the slots, the referees and the host.
    """
    return MatchList(matches=await services.live.matches())
