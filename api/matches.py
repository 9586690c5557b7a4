"""Multiplayer matches."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.answers import Success
from api.params import NoParams
from api.refusals import refuses
from api.services import Services
from domain.errors import Wording
from domain.live import Match
from storage.gameserver import GAME_SERVER_AWAY

NO_MATCH = Wording(404, "Match not found.")

MatchID = Annotated[int, Meta(ge=0, le=64, description="a match's id, 0 to 63")]


class MatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which match."""

    id: MatchID


class MatchInfo(Success, frozen=True, kw_only=True):
    """A multiplayer match."""

    match: Match


@refuses(NO_MATCH, GAME_SERVER_AWAY)
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


@refuses(GAME_SERVER_AWAY)
async def get_matches(services: Services, _: NoParams) -> Matches:
    """Every multiplayer match that is open now, by id."""
    return Matches(matches=await services.live.matches())
