"""Players."""

from typing import Annotated

from msgspec import Meta

from api.osu_v1.lookup import player_of
from api.osu_v1.params import UserParams
from api.reads.players import stats_of_player
from api.services import Services
from domain.osu_v1 import OsuUser, osu_user
from storage.database import catalogue


class GetUserParams(UserParams, frozen=True, kw_only=True):
    event_days: Annotated[int, Meta(ge=1, le=31, description="Ignored, because game servers store no events.")] = 1


async def get_user(services: Services, params: GetUserParams) -> list[OsuUser]:
    """A player with the statistics of a mode.

    The list is empty for a player who does not exist, or is restricted or unverified. `count300`, `count100` and
    `count50` are 0, as on Ripple, and so is everything that the player has not done in the mode.
    """
    player = await player_of(services, catalogue.player_details, params)
    if player is None:
        return []
    mode = params.mode(strict=services.settings.strict_modes)
    stats = await stats_of_player(services, catalogue.player_stats, player)
    return [osu_user(player, next((row for row in stats if row.mode == mode), None))]
