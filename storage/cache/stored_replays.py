"""Which scores have a replay that is stored."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from storage.cache.bounded import BoundedMap

# The game server stores a replay just after its score: for so long it may seem to have none.
FRESH_SECONDS = 10.0
SIZE = 20_000


class _Known(NamedTuple):
    is_stored: bool
    expires: float


class StoredReplays:
    """Whether replays are stored, as of some seconds ago. Each look at the storage takes a thread."""

    def __init__(self, look: Callable[[Sequence[int]], Awaitable[set[int]]]) -> None:
        """`look` returns those scores, out of at most a hundred, whose replay is stored."""
        self._look = look
        self._known: BoundedMap[int, _Known] = BoundedMap(SIZE)

    async def of(self, score_ids: Iterable[int]) -> set[int]:
        """Return those of these scores, at most a hundred, whose replay is stored."""
        now = time.monotonic()
        stored, unknown = set[int](), list[int]()
        for id in score_ids:
            known = self._known.get(id)
            if known is None or known.expires < now:
                unknown.append(id)
            elif known.is_stored:
                stored.add(id)
        if unknown:
            found = await self._look(unknown)
            for id in unknown:
                self._known.put(id, _Known(id in found, now + FRESH_SECONDS))
            stored |= found
        return stored
