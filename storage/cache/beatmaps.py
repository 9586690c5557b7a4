"""Beatmaps as lists show them: encoded once, and kept for some seconds by the md5 of their file."""

import asyncio
import time
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from domain.beatmaps import Beatmap
from storage.database.database import Database, Query

# The game server counts a play on every score: who looks at a list sees it after as many seconds at the most.
SECONDS = 10.0
# The 100 best of two hundred players: 14 MiB, measured.
SIZE = 20_000

B = TypeVar("B", bound=Beatmap)

encode = msgspec.json.Encoder().encode


class CachedJSON(NamedTuple):
    """A beatmap's JSON, and until when on the monotonic clock it is good."""

    until: float
    json: msgspec.Raw


class Beatmaps(Generic[B]):
    """The JSON of beatmaps: what many lists mention at once is asked once, whichever lists they are.

    They are kept whatever CACHE says, since what is kept are parts, and no answers.
    """

    def __init__(self, database: Database, query: Query[B], *, seconds: float = SECONDS, size: int = SIZE) -> None:
        """`query` finds beatmaps by `md5s`. Each is kept for `seconds`, and `size` of them at the most."""
        self._database = database
        self._query = query
        self._seconds = seconds
        self._size = size
        self._kept: dict[str, CachedJSON] = {}
        self._flights: dict[str, asyncio.Task[dict[str, msgspec.Raw]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def of(self, md5s: Iterable[str]) -> dict[str, msgspec.Raw]:
        """The JSON of beatmaps by their md5, written as the table has it; without those that are gone.

        Raises Unavailable when the database does not answer.
        """
        now = time.monotonic()
        found: dict[str, msgspec.Raw] = {}
        missing: list[str] = []
        for md5 in md5s:
            kept = self._kept.get(md5)
            if kept is not None and kept.until > now:
                found[md5] = kept.json
            else:
                missing.append(md5)
        if missing:
            for flight in self._flights_for(missing, now):
                # Others wait for the same beatmaps, so one who leaves does not end it.
                fetched = await asyncio.shield(flight)
                found |= fetched
        return found

    def _flights_for(self, missing: Iterable[str], now: float) -> set[asyncio.Task[dict[str, msgspec.Raw]]]:
        """What brings those beatmaps: what is under way already, and one more for all others."""
        unasked = tuple(dict.fromkeys(md5 for md5 in missing if md5 not in self._flights))
        flights = {self._flights[md5] for md5 in missing if md5 in self._flights}
        if unasked:
            flight = asyncio.create_task(self._fly(unasked, now))
            flight.add_done_callback(lambda flight: self._landed(flight, unasked))
            self._flights |= dict.fromkeys(unasked, flight)
            flights.add(flight)
        return flights

    def _landed(self, flight: asyncio.Task[dict[str, msgspec.Raw]], md5s: Iterable[str]) -> None:
        for md5 in md5s:
            del self._flights[md5]
        if not flight.cancelled():
            # Where all who waited have left, nobody else looks at it.
            flight.exception()

    async def _fly(self, md5s: tuple[str, ...], now: float) -> dict[str, msgspec.Raw]:
        rows = await self._database.all(self._query, md5s=md5s)
        # Its age counts from when it was asked: what the database says may be as old.
        until = now + self._seconds
        fetched = {row.md5: msgspec.Raw(encode(row)) for row in rows}
        for md5, json in fetched.items():
            # Back in its place as the youngest: the oldest make room.
            self._kept.pop(md5, None)
            self._kept[md5] = CachedJSON(until, json)
        while len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]
        return fetched

    async def close(self) -> None:
        """End what is still being asked."""
        flights = set(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
