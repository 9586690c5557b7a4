"""The query plan and the execution time of every statement in the catalogue, for the heaviest ids."""

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pymysql.cursors import Cursor, DictCursor

from bench.ids import Ids
from bench.results import QueryPlan
from bench.worlds import STATEMENT_TIMEOUT, World
from domain.accounts import ProfileFields
from storage.cache import leaderboards, top_plays
from storage.database import catalogue, session
from storage.database.database import Query
from storage.database.statement import Statement, Value, with_lists
from tests.support import mariadbd

TIMES = 3
PART = leaderboards.SEGMENT + leaderboards.PAGE
BLOCK = 10_000  # scores that storage/cache/pagination.py counts, and check-replays reads, at a time
SLOW = 2.0  # seconds; a statement that takes longer is executed only once

# The values of parameters, unless the statement has its own in `values_for`.
VALUES: dict[str, Value] = {
    "limit": 50,
    "offset": 0,
    "mode": 0,
    "visible": 3,
    "mask": 0,
    "weak": 0,
    "include_loved": 0,
    "include_failed": 1,
    "with_bot": 0,
    "pattern": "%ren%",
    "first": 0,
    "after": 0,
    "counted": 0,
    "key": "00000000-0000-0000-0000-000000000000",
}
# Filters and changes that are not used.
UNUSED: dict[str, Value] = {
    **dict.fromkeys(("artist", "country", "creator", "filename", "frozen", "server", "set_id", "status")),
    **dict.fromkeys(("clan_id", "clan_priv", "last", "mods", "play_style", "preferred_mode", "priv", "user_id")),
    **dict.fromkeys(("after", "exact_mods", "player_id", "since")),
    **dict.fromkeys(("custom_badge_icon", "custom_badge_name", "userpage_content")),
}
CHANGES: dict[str, Value] = dict.fromkeys((f"set_{name}" for name in ProfileFields.__struct_fields__), 0)
# Lists of version 2, here of all modes.
ALL_MODES = ("scores", "score_blocks", "hidden_score_blocks", "beatmaps", "count_beatmaps")


def statements() -> Iterator[tuple[str, Statement]]:
    """Yield every statement with its name in the catalogue. Queries with the same SQL are yielded once.

    Those that read a column that only forks have are left out, since the worlds lack it.
    """
    seen: set[str] = set()
    for name, statement in catalogue.statements():
        if statement.mysql.startswith("SHOW "):
            continue
        if statement.mysql not in seen and not name.endswith("pinned"):
            seen.add(statement.mysql)
            yield name, statement


def values_for(statement: Statement, ids: Ids) -> dict[str, Value]:
    """Return heavy values for the parameters of a statement. Raise LookupError for an unknown parameter."""
    player, beatmap, clan = (
        int((selection.heavy + selection.typical)[0]) for selection in (ids.players, ids.beatmaps, ids.clans)
    )
    md5, name, score = ids.md5s.heavy[0], ids.names.heavy[0], int(ids.scores.typical[-1])
    players = tuple(map(int, (ids.players.heavy + ids.players.typical)[:50]))
    beatmaps = tuple(map(int, ids.beatmaps.heavy))
    values = {
        **VALUES,
        **UNUSED,
        **CHANGES,
        "id": player,
        "md5": md5,
        "map_md5": None,
        "safe_name": name,
        "score_id": score,
    }
    specific: dict[str, dict[str, Value]] = {
        "player": {"safe_name": None},
        "beatmap": {"id": beatmap, "md5": None},
        "beatmap_rating": {"id": beatmap},
        "beatmap_files": {"ids": beatmaps},
        "beatmaps_by_id": {"ids": beatmaps, "md5s": ()},
        "set_beatmaps": {"set_id": int(ids.sets.heavy[0])},
        "players_named": {"ids": players},
        "player_details": {"safe_name": None, "ids": players},
        "player_stats": {"ids": players},
        "player_ranks": {"modes": (0, 1, 2, 3, 4, 5, 6, 8)},
        "rank_steps": {
            "least": 100,
            "pps": tuple(range(100, 5100, 100)),
            "keys": tuple(range(10**11, 6 * 10**11, 10**10)),
            "countries": tuple((ids.countries.heavy + ids.countries.typical)[:50]),
        },
        "beatmaps_by_md5": {"md5s": tuple(ids.md5s.heavy)},
        "beatmap_counted": {"id": beatmap, "md5": None},
        "beatmap_ratings": {"md5s": tuple(ids.md5s.heavy)},
        "beatmaps_by_set": {"id": None, "md5": None, "mode": None, "limit": 500},
        "set_favourites": {"set_ids": beatmaps},
        "known_players": {"ids": tuple(ids.online)},
        "score": {"id": score, "ids": tuple(map(int, ids.scores.typical[:50]))},
        "new_first_places": {"ids": tuple(map(int, ids.scores.typical[:50]))},
        "first_place_before": {"id": score, "map_md5": md5, "player": player},
        "replay_score": {"id": score},
        "player_scores_by_id": {"ids": tuple(map(int, ids.scores.typical[:50]))},
        "top_plays": {"limit": top_plays.LENGTH},
        "top_plays_by_id": {"ids": tuple(map(int, ids.scores.typical[:50]))},
        "score_blocks": {"last": BLOCK},
        "score_statuses": {"limit": BLOCK},
        "count_scores": {"user_id": player},
        "clan": {"id": clan},
        "clan_members": {"id": clan},
        "clan_leaderboard": {"ids": tuple(map(int, ids.clans.heavy + ids.clans.typical))[:50]},
        "server_totals": {"counted": score},
        # Of a country. For the whole world, fewer rows are read, thanks to the minimum from leaderboard_least.
        "leaderboard_order": {
            "least": 0,
            "country": (ids.countries.heavy + ids.countries.typical)[0],
            "limit": PART,
        },
        "leaderboard": {"ids": tuple(map(int, ids.players.heavy + ids.players.typical))[:50]},
        "leaderboard_least": {"last": PART - 1},
        "pool": {"id": 1},
        "pool_beatmaps": {"id": 1},
    }
    if statement.name in ALL_MODES:
        values["mode"] = None
    values |= specific.get(statement.name, {})
    if unknown := statement.values - values.keys():
        raise LookupError(
            f"add {', '.join(sorted(unknown))} of sql/{statement.name}.sql to VALUES in bench/explain.py"
        )
    return {name: values[name] for name in statement.values}


def query_plans(world: World, ids: Ids, *, indexes: bool) -> list[QueryPlan]:
    """Explain and execute every statement, in a session like those of the service."""
    plans = []
    with closing(mariadbd.connect(world.database, timeout=STATEMENT_TIMEOUT)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            [(version,)] = cursor.fetchall()
            cursor.execute(session.statements(version, 60)[0])
        for name, statement in statements():
            sql, values = with_lists(statement.mysql, values_for(statement, ids))
            with connection.cursor(DictCursor) as cursor:
                cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}", values)
                steps = [_step(row) for row in cursor.fetchall()]
            with connection.cursor() as cursor:
                ms = _time(cursor, sql, values) if isinstance(statement, Query) else None
            plans.append(QueryPlan(statement=name, indexes=indexes, steps=steps, ms=ms))
    return plans


def _step(row: dict[str, Any]) -> str:
    """Return the table, the access type, the index and the expected number of rows of a step."""
    if row["table"] is None:
        return str(row["Extra"])
    key = f" {row['key']}({row['key_len']})" if row["key"] else ""
    extra = f"; {row['Extra']}" if row["Extra"] else ""
    return f"{row['table']}: {row['type']}{key}, {row['rows']} rows{extra}"


def _time(cursor: Cursor, sql: str, values: dict[str, Value]) -> float:
    """Return the median execution time in ms."""
    times: list[float] = []
    while len(times) < TIMES and sum(times) < SLOW * 1000:
        began = time.perf_counter()
        cursor.execute(sql, values)
        cursor.fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 2)
