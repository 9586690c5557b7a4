"""Multiplayer matches."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.osu_v1.params import MAX_TEXT
from api.services import Services
from domain.osu_v1 import OsuMatch


class MatchParams(msgspec.Struct, frozen=True, kw_only=True):
    """Without `mp`, or with an `id` that is not empty, the request is one for `/v1/get_match`."""

    mp: Annotated[str, Meta(max_length=MAX_TEXT, description="Match ID. No match is found, whatever it is.")]


async def get_match(services: Services, params: MatchParams) -> OsuMatch:
    """A multiplayer match that has ended. Game servers do not store any, so none is known."""
    return OsuMatch()
