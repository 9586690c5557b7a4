"""Tournament map pools."""

from collections.abc import Iterator
from random import Random

from demo.beatmaps import Beatmap
from demo.clock import datetime_text, moment
from demo.load import Row
from demo.mods import DT, HD, HR
from demo.players import VERIFIED, Player

ROUNDS = (
    "Qualifiers", "RO64", "RO32", "RO16", "QF", "SF", "Finals", "Grand Finals", "Test & <b>", "Solo",
    "Big", "Empty",
)  # fmt: skip
MODS = ((0, 6), (HD, 3), (HR, 3), (DT, 3), (HD | HR, 2))  # mods and the number of their slots
BIG, EMPTY = 11, 12  # ids of a pool with more than 50 beatmaps, and of one with none
UNKNOWN_MAP = 2_000_000_000


def pool_rows(players: list[Player]) -> Iterator[Row]:
    """Yield rows of `tourney_pools`. The creator of the third does not exist, that of the fourth is restricted."""
    restricted = next((player.id for player in players if player.priv == VERIFIED), players[-1].id)
    creators = {3: players[-1].id + 1001, 4: restricted, 5: 1}
    for number, name in enumerate(ROUNDS):
        creator = creators.get(number + 1, players[number % len(players)].id)
        yield number + 1, name, datetime_text(moment(number, len(ROUNDS))), creator


def pool_map_rows(seed: int, beatmaps: list[Beatmap]) -> Iterator[Row]:
    """Yield rows of `tourney_pool_maps`. The second pool has beatmaps that are not in `maps`."""
    rng = Random(f"{seed}/pools")
    for pool_id in range(1, len(ROUNDS) + 1):
        slots = [] if pool_id == EMPTY else _slots(4 if pool_id == BIG else 1)
        chosen = [beatmap.id for beatmap in rng.sample(beatmaps, min(len(slots), len(beatmaps)))]
        if pool_id == 2:
            chosen[2:4] = [UNKNOWN_MAP, UNKNOWN_MAP + 1]
        for map_id, (mods, slot) in zip(chosen, slots, strict=False):
            yield map_id, pool_id, mods, slot


def _slots(times: int) -> list[tuple[int, int]]:
    """Return (mods, slot number) in the order of a pool."""
    return [(mods, slot) for mods, slots in MODS for slot in range(1, slots * times + 1)]
