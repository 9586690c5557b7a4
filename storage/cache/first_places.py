"""The first places of players: the scores with which they lead the boards of beatmaps."""

from typing import NamedTuple

from domain.modes import Mode
from domain.scores import FirstPlace
from storage.cache.cache import SingleFlightCache
from storage.cache.turns import Turns
from storage.database import catalogue
from storage.database.database import Database

# For how many seconds a player's first places are used.
FRESH_SECONDS = 20.0
# How many players' first places are read at a time: each of a player's best scores is compared with a board.
CONCURRENT = 2
# First places of all players together: some MiB. Each list counts for some more, since an empty one takes memory.
SIZE, LIST_OVERHEAD = 200_000, 10


class FirstPlacesKey(NamedTuple):
    """Whose first places: the player, the mode, and whether those on loved beatmaps are included."""

    player_id: int
    mode: Mode
    include_loved: bool


class FirstPlaces:
    """The scores with which players lead the boards of beatmaps, as of some seconds ago.

    A board is that of `scores_on_beatmap` in api/reads/scores.py: of equal scores, the first one is ahead.
    """

    def __init__(self, database: Database, *, visible: int, wait: float) -> None:
        """`visible` are the privilege bits that a player needs to be on a board.

        `wait` is for how many seconds a read waits for others to end.
        """
        self._database = database
        self._visible = visible
        self._turns = Turns(CONCURRENT, wait=wait)
        self._lists = SingleFlightCache(
            self._read,
            fresh=FRESH_SECONDS,
            renew=True,
            stale=FRESH_SECONDS,
            size=SIZE,
            overhead=LIST_OVERHEAD,
            weigh=len,
        )

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._lists.close()

    async def of(self, player_id: int, mode: Mode, *, include_loved: bool = False) -> tuple[FirstPlace, ...]:
        """Return the player's first places in a mode, the latest one first.

        They are on ranked and approved beatmaps and, with `include_loved`, on loved ones. Raise Unavailable if the
        database cannot be reached, or too many others are being read.
        """
        return await self._lists.get(FirstPlacesKey(player_id, mode, include_loved))

    async def _read(self, key: FirstPlacesKey) -> tuple[FirstPlace, ...]:
        async with self._turns.take():
            rows = await self._database.all(
                catalogue.first_places[key.mode.board_sort],
                id=key.player_id,
                mode=key.mode,
                include_loved=key.include_loved,
                visible=self._visible,
            )
        return tuple(rows)
