"""Reads new scores from the database, and makes events of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from domain.clans import Clan
from domain.events import EventPlayer, NewScoreRow
from storage.cache.beatmaps import BeatmapCache
from storage.database import catalogue
from storage.database.database import Database
from storage.events.cursor import MAX_OPEN, Cursor
from storage.events.event import Event, encode

# How many scores one statement reads.
PAGE = 100
# How many ids.
IDS = 500


class FoundScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of a visible player: what filters look at, and the data of its event as JSON."""

    id: int
    player: int
    mode: int
    status: int
    map_md5: str
    data: msgspec.Raw

    def event(self, cursor: Cursor) -> Event:
        """Return the event. With it, a listener has the scores that the cursor has."""
        return Event(
            type="score",
            data=bytes(self.data),
            cursor=str(cursor),
            id=self.id,
            player=self.player,
            mode=self.mode,
            status=self.status,
            map_md5=self.map_md5,
        )


class ScoreReader:
    """Reads scores by their ids. The methods raise Unavailable if the database does not answer."""

    def __init__(self, database: Database, beatmaps: BeatmapCache, *, visible: int) -> None:
        """`visible` are the privilege bits of players whose scores are shown."""
        self._database = database
        self._beatmaps = beatmaps
        self._visible = visible

    async def latest(self, limit: int) -> list[int]:
        """Return the highest ids, the lowest of them first."""
        rows = await self._database.all(catalogue.latest_score_ids, limit=limit)
        return [row.id for row in reversed(rows)]

    async def ids_from(self, first: int, limit: int = IDS) -> list[int]:
        """Return the lowest ids from `first` on, those of hidden players too."""
        return [row.id for row in await self._database.all(catalogue.score_ids, first=first, limit=limit)]

    async def find(self, ids: Sequence[int]) -> list[FoundScore]:
        """Return those of the scores that exist and whose players are visible, ordered by id."""
        found: list[FoundScore] = []
        for start in range(0, len(ids), PAGE):
            part = tuple(ids[start : start + PAGE])
            rows = await self._database.all(catalogue.new_scores, ids=part, visible=self._visible, limit=len(part))
            beatmaps = await self._beatmaps.of(row.beatmap for row in rows if row.beatmap)
            found += [_found(row, beatmaps.get(row.beatmap or "")) for row in rows]
        return found


def _found(row: NewScoreRow, beatmap: msgspec.Raw | None) -> FoundScore:
    clan = None
    if row.clan_id is not None:
        clan = Clan(id=row.clan_id, name=row.clan_name or "", tag=row.clan_tag or "")
    player = EventPlayer(id=row.userid, name=row.player_name, country=row.player_country, clan=clan)
    map_md5 = row.beatmap or ""
    # In place, because copying the row would copy two dozen fields.
    msgspec.structs.force_setattr(row, "beatmap", beatmap)
    data: dict[str, Any] = {"score": row, "beatmap": beatmap, "player": player}
    return FoundScore(
        id=row.id,
        player=row.userid,
        mode=row.mode,
        status=row.status,
        map_md5=map_md5,
        data=msgspec.Raw(encode(data)),
    )


async def next_page(reader: ScoreReader, seen: Cursor, until: Cursor) -> tuple[list[Event], Cursor]:
    """Return the next events of the scores that `until` has and `seen` has not, and what is seen with them.

    Scores of `seen` that were open and exist now come first. The cursor returned is `until` at the end.
    """
    late = sorted(id for id in seen.open if id in until)
    if late:
        still_open = set(seen.open)
        events = []
        for score in await reader.find(late):
            still_open.discard(score.id)
            events.append(score.event(Cursor(seen.newest, frozenset(still_open))))
        return events, Cursor(seen.newest, seen.open.difference(late))
    ids = [id for id in await reader.ids_from(seen.newest + 1, PAGE) if id <= until.newest]
    if not ids or seen.newest >= until.newest:
        return [], until
    scores = await reader.find([id for id in ids if id in until])
    return [score.event(_below(until, score.id)) for score in scores], _below(until, ids[-1])


def _below(until: Cursor, id: int) -> Cursor:
    """Return which scores of `until` there are up to this id."""
    return Cursor(id, frozenset(missing for missing in until.open if missing < id))


def missing(ids: Iterable[int]) -> list[int]:
    """Return the ids between these, which are in order, that are not among them: the highest MAX_OPEN of them."""
    ids = list(ids)
    present = set(ids)
    return [id for id in range(max(ids[0], ids[-1] - MAX_OPEN), ids[-1]) if id not in present] if ids else []
