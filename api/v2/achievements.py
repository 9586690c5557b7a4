"""Medals."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.achievements import achieved_of, achievements_for
from api.reads.players import NO_PLAYER, require_player
from api.request.params import AllMedals
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v2.envelope import META, ListMeta, Page, PageParams, read_page
from api.v2.params import PlayerNumber
from domain.v2 import Achievement, PlayerAchievement
from storage.database import catalogue


async def get_achievements(services: Services, params: PageParams) -> Page[Achievement]:
    """Medals, ordered by ID.

    The list is empty if the game server has none.
    """
    return await read_page(services, catalogue.achievements, catalogue.count_achievements, params)


class PlayerAchievementsParams(msgspec.Struct, frozen=True, kw_only=True):
    player_id: PlayerNumber
    all: AllMedals = False


class PlayerAchievements(Success, frozen=True, kw_only=True):
    """A player's medals."""

    data: Annotated[list[PlayerAchievement], Meta(description="The medals, ordered by ID.")]
    meta: Annotated[ListMeta, META]


@errors(NO_PLAYER)
async def get_player_achievements(services: Services, params: PlayerAchievementsParams) -> PlayerAchievements:
    """A player's medals, ordered by ID.

    When a medal was earned is not known. The list is empty if the game server has no medals.
    """
    player = await require_player(services, catalogue.player, id=params.player_id)
    medals = await achievements_for(services, catalogue.v2_player_achievements, player.id)
    data = medals if params.all else achieved_of(medals)
    return PlayerAchievements(data=data, meta=ListMeta(total=len(data)))
