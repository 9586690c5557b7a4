"""The beatmaps that lists of scores and map pools mention, encoded and cached by the md5 of their file."""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from domain.v2 import Beatmap as StrippedBeatmap
from domain.v2 import is_stripped
from storage.cache.bounded import BoundedMap
from storage.cache.cache import SingleFlight
from storage.database import catalogue
from storage.database.database import Database

# The game server counts a play with every score: the count in a list is at most this old.
TTL_SECONDS = 10.0
# The 100 best scores of two hundred players: 14 MiB, measured.
SIZE = 20_000

encode = msgspec.json.Encoder().encode


class CachedJSON(NamedTuple):
    """A beatmap's JSON, which expires at a time of the monotonic clock.

    `stripped` is the same with its texts stripped of white space at both ends, as v2 shows them: the same object
    if that changes nothing.
    """

    expires: float
    json: msgspec.Raw
    stripped: msgspec.Raw


class BeatmapCache:
    """Serves the JSON of beatmaps. Lists that mention the same beatmaps at once share the statements for them.

    It works with CACHE off too, since what it caches are parts of responses.
    """

    def __init__(self, database: Database, *, ttl: float = TTL_SECONDS, size: int = SIZE) -> None:
        """Cache at most `size` beatmaps, each for `ttl` seconds."""
        self._database = database
        self._ttl = ttl
        self._entries: BoundedMap[str, CachedJSON] = BoundedMap(size)
        self._batches: SingleFlight[str, dict[str, CachedJSON]] = SingleFlight()

    def __len__(self) -> int:
        return len(self._entries)

    async def of(self, md5s: Iterable[str], *, stripped: bool = False) -> dict[str, msgspec.Raw]:
        """Return the JSON of beatmaps by their md5, without those that are not in the database.

        Others that were read along with them may be in it. Raise Unavailable if the database cannot be reached.
        """
        now = time.monotonic()
        entries: dict[str, CachedJSON] = {}
        missing: list[str] = []
        for md5 in md5s:
            entry = self._entries.get(md5)
            if entry is not None and entry.expires > now:
                entries[md5] = entry
            else:
                missing.append(md5)
        if missing:
            for batch in self._batches_of(missing, now):
                entries |= await asyncio.shield(batch)
        return {md5: entry.stripped if stripped else entry.json for md5, entry in entries.items()}

    def _batches_of(self, md5s: list[str], now: float) -> set[asyncio.Task[dict[str, CachedJSON]]]:
        """Return the running tasks that read some of these beatmaps, and a new one that reads all others."""
        running = {md5: batch for md5 in md5s if (batch := self._batches.get(md5))}
        others = tuple(dict.fromkeys(md5 for md5 in md5s if md5 not in running))
        batches = set(running.values())
        if others:
            batches.add(self._batches.start(self._read(others, now), *others))
        return batches

    async def _read(self, md5s: tuple[str, ...], now: float) -> dict[str, CachedJSON]:
        rows = await self._database.all(catalogue.beatmaps_by_md5, md5s=md5s)
        # Counted from before the statement: the rows may be as old as that.
        expires = now + self._ttl
        found: dict[str, CachedJSON] = {}
        # Of several beatmaps with one md5, the one with the lowest id counts.
        for row in sorted(rows, key=lambda row: row.id, reverse=True):
            json = msgspec.Raw(encode(row))
            # Nearly every beatmap has the same JSON in both versions, which is then encoded once.
            stripped = json
            if not is_stripped(row):
                stripped = msgspec.Raw(encode(StrippedBeatmap(**msgspec.structs.asdict(row))))
            found[_folded(row.md5)] = CachedJSON(expires, json, stripped)
        entries = {md5: entry for md5 in md5s if (entry := found.get(_folded(md5)))}
        for md5, entry in entries.items():
            self._entries.put(md5, entry)
        return entries

    async def close(self) -> None:
        """Cancel the statements that are running."""
        await self._batches.close()


def _folded(md5: str) -> str:
    """Return the form of an md5 that is the same for all spellings that the database takes for equal."""
    return md5.strip().lower()
