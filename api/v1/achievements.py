"""Medals."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.reads.achievements import achieved_of, achievements_for
from api.request.params import AllMedals, PlayerID, PlayerName
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from api.v1.lookup import PLAYER_ERRORS, player_by_id_or_name
from domain.achievements import PlayerAchievement
from domain.players import PlayerCard
from domain.units import Int32
from storage.database import catalogue


class PlayerAchievementsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Either `id` or `name` is required."""

    id: PlayerID | None = None
    name: PlayerName | None = None
    all: AllMedals = False


class PlayerAchievements(Success, frozen=True, kw_only=True):
    """A player's medals, and the player."""

    total: Annotated[Int32, Meta(description="Number of medals that exist.")]
    count: Annotated[Int32, Meta(description="Number of medals that the player has.")]
    achievements: Annotated[list[PlayerAchievement], Meta(description="The medals, ordered by ID.")]
    player: Annotated[PlayerCard, Meta(description="The player.")]


@errors(*PLAYER_ERRORS)
async def get_player_achievements(services: Services, params: PlayerAchievementsParams) -> PlayerAchievements:
    """A player's medals, ordered by ID.

    When a medal was earned is not known. The list is empty if the game server has no medals.
    """
    player = await player_by_id_or_name(services, catalogue.player, params.id, params.name)
    medals = await achievements_for(services, catalogue.player_achievements, player.id)
    count = sum(medal.achieved is True for medal in medals)
    return PlayerAchievements(
        total=len(medals),
        count=count,
        achievements=medals if params.all else achieved_of(medals),
        player=PlayerCard(id=player.id, name=player.name, clan=player.clan),
    )
