"""Reads new scores from the database, and makes events of them."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.clans import Clan
from domain.events import EventPlayer, ScoreEvent
from domain.modes import Mode
from domain.players import FoundPlayer
from domain.scores import ScoreDetails
from storage.database import catalogue
from storage.database.database import Database
from storage.events.cursor import MAX_OPEN, Cursor
from storage.events.event import Event, encode

# How many scores are sent at a time.
PAGE = 100
# How many ids one statement reads, and of how many it looks for the scores.
IDS = 500
MOST = 1_000
_MODES = frozenset(Mode)


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

    def first_place(self, cursor: Cursor, previous: FoundPlayer | None) -> Event:
        """Return the event that the score is the first on its leaderboard, where `previous` was before."""
        event = self.event(cursor)
        # The data of a FirstPlaceEvent: that of a ScoreEvent and one field more.
        data = b'%b,"previous":%b}' % (event.data[:-1], encode(previous))
        return event.copy(type="first_place", data=data)


class ScoreReader:
    """Reads scores by their ids. The methods raise Unavailable if the database does not answer."""

    def __init__(self, database: Database, *, visible: int, visible_on_boards: int) -> None:
        """`visible` are the privilege bits of players whose scores are shown, and of those on leaderboards."""
        self._database = database
        self._visible = visible
        self._visible_on_boards = visible_on_boards

    async def latest(self, limit: int) -> list[int]:
        """Return the highest ids, the lowest of them first."""
        rows = await self._database.all(catalogue.latest_score_ids, limit=limit)
        return [row.id for row in reversed(rows)]

    async def ids_from(self, first: int, limit: int = IDS) -> list[int]:
        """Return the lowest ids from `first` on, those of hidden players too."""
        rows = await self._database.all(catalogue.score_ids, first=first, limit=limit, offset=0)
        return [row.id for row in rows]

    async def has_more(self, newest: int, most: int) -> bool:
        """Return whether there are more than so many scores with higher ids, those of hidden players too."""
        return bool(await self._database.all(catalogue.score_ids, first=newest + 1, limit=1, offset=most))

    async def can_catch_up(self, seen: Cursor, most: int) -> bool:
        """Return whether at most `most` scores come after those of `seen`, which must still exist.

        If the highest id is lower now, scores were wiped.
        """
        return not await self.has_more(seen.newest, most) and max(await self.latest(1), default=0) >= seen.newest

    async def find(self, ids: Sequence[int]) -> list[FoundScore]:
        """Return those of the scores that exist and whose players are visible, ordered by id."""
        found: dict[int, FoundScore] = {}
        for start in range(0, len(ids), MOST):
            part = tuple(ids[start : start + MOST])
            for row in await self._database.all(catalogue.new_scores, ids=part, visible=self._visible):
                # Of several beatmaps with one md5, the first counts.
                if row.id not in found:
                    found[row.id] = _found(row)
        return list(found.values())

    async def first_places(self, scores: Iterable[FoundScore]) -> dict[int, FoundPlayer | None]:
        """Return those of the scores that are the first on their leaderboard by id, and who was first before.

        It is the first row of what `get_map_scores` returns for a ranked or approved beatmap.
        """
        best: dict[str, dict[int, FoundScore]] = {sort: {} for sort in catalogue.BOARD_SORTS}
        for score in scores:
            if score.status == 2:
                sort = Mode(score.mode).board_sort if score.mode in _MODES else "score"
                best[sort][score.id] = score
        first: dict[int, FoundPlayer | None] = {}
        for sort, by_id in best.items():
            if not by_id:
                continue
            visible = self._visible_on_boards
            query = catalogue.new_first_places[sort]
            for row in await self._database.all(query, ids=tuple(by_id), visible=visible, limit=len(by_id)):
                score = by_id[row.id]
                before: FoundPlayer | None = await self._database.one(
                    catalogue.first_place_before[sort],
                    id=row.id,
                    map_md5=score.map_md5,
                    mode=score.mode,
                    player=score.player,
                    visible=visible,
                )
                first[row.id] = before
        return first


def _found(row: ScoreDetails) -> FoundScore:
    row.remove_anticheat()
    clan = None
    if row.clan_id is not None:
        clan = Clan(id=row.clan_id, name=row.clan_name or "", tag=row.clan_tag or "")
    player = EventPlayer(id=row.userid, name=row.player_name, country=row.player_country, clan=clan)
    data = encode(ScoreEvent(score=row, beatmap=row.beatmap, player=player))
    return FoundScore(
        id=row.id,
        player=row.userid,
        mode=row.mode,
        status=row.status,
        map_md5=row.map_md5,
        data=msgspec.Raw(data),
    )


async def next_page(
    reader: ScoreReader, seen: Cursor, until: Cursor, *, first_places: bool
) -> tuple[list[Event], Cursor]:
    """Return the next events of the scores that `until` has and `seen` has not, and the cursor after them.

    Scores of `seen` that were open and exist now come first. The cursor returned is `until` at the end. Events of
    first places are among them if asked for.
    """
    late = sorted(id for id in seen.open if id in until)
    if late:
        scores = await reader.find(late)
        cursors = [Cursor(seen.newest, seen.open.difference(late[: late.index(score.id) + 1])) for score in scores]
        after = Cursor(seen.newest, seen.open.difference(late))
    elif seen.newest >= until.newest:
        return [], until
    else:
        ids = [id for id in await reader.ids_from(seen.newest + 1, PAGE) if id <= until.newest]
        if not ids:
            return [], until
        scores = await reader.find([id for id in ids if id in until])
        cursors = [_below(until, score.id) for score in scores]
        after = _below(until, ids[-1])
    first = await reader.first_places(scores) if first_places else {}
    return events_of(scores, cursors, first, seen), after


def events_of(
    scores: Sequence[FoundScore],
    cursors: Sequence[Cursor],
    first: Mapping[int, FoundPlayer | None],
    before: Cursor,
) -> list[Event]:
    """Return the events of scores, each with its cursor; `first` are those on first places.

    A score that is followed by its first place has the cursor before it, which is `before` at the beginning: a
    client that gets only the first of the two gets both again.
    """
    events = []
    for score, cursor in zip(scores, cursors, strict=True):
        event = score.event(cursor)
        if score.id in first:
            events.append(event.copy(cursor=str(before), alone=event))
            events.append(score.first_place(cursor, first[score.id]))
        else:
            events.append(event)
        before = cursor
    return events


def _below(until: Cursor, id: int) -> Cursor:
    """Return which scores of `until` there are up to this id."""
    return Cursor(id, frozenset(missing for missing in until.open if missing < id))


def missing(ids: Iterable[int]) -> list[int]:
    """Return the ids between these, which are in order, that are not among them: the highest MAX_OPEN of them."""
    ids = list(ids)
    present = set(ids)
    return [id for id in range(max(ids[0], ids[-1] - MAX_OPEN), ids[-1]) if id not in present] if ids else []
