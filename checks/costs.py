"""What it costs in this database that a recommended index is missing."""

import time
from collections.abc import Iterable
from contextlib import suppress

from checks.expected import Recommended
from domain.errors import Unavailable
from domain.modes import Mode
from storage.cache import leaderboards
from storage.database import catalogue
from storage.database.database import Database, Query
from storage.database.statement import Value

# Seconds after which no other statement is measured.
BUDGET = 5.0
# The values of a usual request; those of the player and the beatmap with the most data are added.
VALUES: dict[str, Value] = {
    **{"limit": 50, "offset": 0, "mask": 0, "weak": 0, "include_loved": 0, "include_failed": 1, "visible": 1},
    "last": leaderboards.SEGMENT + leaderboards.PAGE - 1,
    "modes": tuple(Mode),
}


async def of(database: Database, missing: Iterable[Recommended]) -> dict[str, str]:
    """Return how long the statement of each index takes, and what the index would take, by the index's name."""
    rows = {row.table_name: row.total for row in await database.all(catalogue.table_rows)}
    player = beatmap = None
    # Columns may be missing, which is another finding.
    with suppress(Unavailable):
        player = await database.one(catalogue.most_active_player)
        beatmap = await database.one(catalogue.most_played_beatmap)
    queries = {name: query for name, query in catalogue.statements() if isinstance(query, Query)}
    costs: dict[str, str] = {}
    until = time.monotonic() + BUDGET
    for index in missing:
        size = f"about {max(1, round(rows.get(index.table, 0) * index.bytes / 1e6))} MB"
        costs[index.name] = f"which costs time; it would need {size}"
        if player is None or beatmap is None or time.monotonic() > until:
            continue
        values = {**VALUES, "md5": beatmap.md5, "mode": _mode(index, player.mode, beatmap.mode)}
        values["id"] = None if index.query.startswith("beatmap") else player.id
        values["ids"] = (player.id,)
        duration = await _duration(database, queries[index.query], values)
        costs[index.name] = f"which takes {duration} here; it would need {size}"
    return costs


def _mode(index: Recommended, of_player: int, of_beatmap: int) -> int:
    if index.query == "beatmap_scores pp":
        return Mode.RX_STD
    return of_beatmap if index.query.startswith("beatmap_scores") else of_player


async def _duration(database: Database, query: Query[object], values: dict[str, Value]) -> str:
    begin = time.perf_counter()
    try:
        await database.all(query, **{name: values[name] for name in query.values})
    except Unavailable:
        return "more time than a statement has"
    return f"up to {max(1, round((time.perf_counter() - begin) * 1000))} ms"
