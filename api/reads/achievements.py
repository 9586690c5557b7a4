"""Reads of medals."""

from typing import TypeVar

import msgspec
from msgspec import UNSET

from api.services import Services
from domain.achievements import PlayerAchievement
from storage.database.database import Query

A = TypeVar("A", bound=PlayerAchievement)


async def achievements_for(services: Services, query: Query[A], player_id: int) -> list[A]:
    """Return every medal, ordered by id, each with whether the player has it.

    The list is empty if the database has no medals: old game servers and some forks lack the tables.
    """
    return await services.database.all(query, id=player_id)


def achieved_of(medals: list[A]) -> list[A]:
    """Return those that the player has, which do not say so any more."""
    achieved = [medal for medal in medals if medal.achieved]
    for medal in achieved:
        msgspec.structs.force_setattr(medal, "achieved", UNSET)
    return achieved
