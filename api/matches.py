"""Multiplayer matches."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.answers import Success
from api.params import NoParams
from api.services import Services
from domain.errors import Refusal
from domain.live import Match

MatchID = Annotated[int, Meta(ge=0, le=64, description="a match's id, 0 to 63")]


class MatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Which match."""

    id: MatchID


class MatchInfo(Success, frozen=True, kw_only=True):
    """A multiplayer match."""

    match: Match


async def get_match(services: Services, params: MatchParams) -> MatchInfo:
    """A multiplayer match that is open now."""
    # The game server takes 64 for an id, and has no place for a match there.
    match = await services.live.match(params.id) if params.id < 64 else None
    if match is None:
        raise Refusal(404, "Match not found.")
    return MatchInfo(match=match)


class Matches(Success, frozen=True, kw_only=True):
    """The multiplayer matches that are open now."""

    matches: list[Match]


async def get_matches(services: Services, _: NoParams) -> Matches:
    """Every multiplayer match that is open now, by id."""
    return Matches(matches=await services.live.matches())
