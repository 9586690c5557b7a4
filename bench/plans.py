"""How the database goes about every statement of the catalogue, asked about the heaviest there is."""

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pymysql.cursors import Cursor, DictCursor

from bench.ids import Ids
from bench.results import Plan
from bench.worlds import PATIENCE, World
from domain.accounts import ProfileFields
from storage.cache import leaderboards
from storage.database import catalogue
from storage.database.database import Query
from storage.database.drivers import SESSION
from storage.database.statement import Statement, Value, with_lists
from tests.support import mariadbd

TIMES = 3
PART = leaderboards.SEGMENT + leaderboards.PAGE
BLOCKS = 10_000  # rows that such a statement is asked for at a time
SLOW = 2.0  # seconds after which once is enough

# What is bound to a name wherever it stands, unless there is something heavier below.
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
    "key": "00000000-0000-0000-0000-000000000000",
}
# Filters and changes that are left out.
NOTHING: dict[str, Value] = {
    **dict.fromkeys(("artist", "country", "creator", "filename", "frozen", "server", "set_id", "status")),
    **dict.fromkeys(("clan_id", "clan_priv", "last", "mods", "play_style", "preferred_mode", "priv", "user_id")),
    **dict.fromkeys(("custom_badge_icon", "custom_badge_name", "userpage_content")),
}
CHANGES: dict[str, Value] = dict.fromkeys((f"set_{name}" for name in ProfileFields.__struct_fields__), 0)
# Lists of the second version, of all modes.
ALL_MODES = ("scores", "score_blocks", "hidden_score_blocks", "beatmaps", "count_beatmaps")


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement, by the name it has in the catalogue; the shapes of the second version ask the same."""
    seen: set[str] = set()
    for name, value in vars(catalogue).items():
        several = value if isinstance(value, dict) and not name.startswith("__") else {"": value}
        for key, statement in several.items():
            if isinstance(statement, Statement) and statement.mysql not in seen:
                seen.add(statement.mysql)
                yield f"{name} {key}".strip(), statement


def values_for(statement: Statement, ids: Ids) -> dict[str, Value]:
    """Heavy values for all that the statement binds. Raises LookupError when one is not known here."""
    player, beatmap, clan = (
        int((some.heavy + some.typical)[0]) for some in (ids.players, ids.beatmaps, ids.clans)
    )
    md5, name, score = ids.md5s.heavy[0], ids.names.heavy[0], int(ids.scores.typical[-1])
    beatmaps = tuple(map(int, ids.beatmaps.heavy))
    usual = {**VALUES, **NOTHING, **CHANGES, "id": player, "md5": md5, "map_md5": None, "safe_name": name}
    about: dict[str, dict[str, Value]] = {
        "player": {"safe_name": None},
        "player_details": {"safe_name": None},
        "beatmap": {"id": beatmap, "md5": None},
        "beatmap_rating": {"id": beatmap},
        "beatmap_files": {"ids": beatmaps},
        "beatmaps_by_md5": {"md5s": tuple(ids.md5s.heavy)},
        "known_players": {"ids": tuple(ids.online)},
        "score": {"id": score},
        "replay_score": {"id": score},
        "score_blocks": {"limit": BLOCKS},
        "score_statuses": {"limit": BLOCKS},
        "count_scores": {"user_id": player},
        "clan": {"id": clan},
        "clan_members": {"id": clan},
        # Of a country: of the world's only those are read who have enough, which is what leaderboard_least tells.
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
        usual["mode"] = None
    usual |= about.get(statement.name, {})
    if unknown := statement.values - usual.keys():
        raise LookupError(f"bench/plans.py has no value for {', '.join(sorted(unknown))} of {statement.name}")
    return {each: usual[each] for each in statement.values}


def plans(world: World, ids: Ids, *, indexes: bool) -> list[Plan]:
    """Of every statement, in a session like those of the service."""
    found = []
    with closing(mariadbd.connect(world.database, timeout=PATIENCE)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(SESSION.format(seconds=60, milliseconds=60_000))
        for name, statement in statements():
            sql, values = with_lists(statement.mysql, values_for(statement, ids))
            with connection.cursor(DictCursor) as cursor:
                cursor.execute(f"EXPLAIN {sql}", values)
                steps = [_step(row) for row in cursor.fetchall()]
            with connection.cursor() as cursor:
                ms = _time(cursor, sql, values) if isinstance(statement, Query) else None
            found.append(Plan(statement=name, indexes=indexes, steps=steps, ms=ms))
    return found


def _step(row: dict[str, Any]) -> str:
    """A table: how its rows are found, by which index, and how many are expected."""
    if row["table"] is None:
        return str(row["Extra"])
    key = f" {row['key']}({row['key_len']})" if row["key"] else ""
    extra = f"; {row['Extra']}" if row["Extra"] else ""
    return f"{row['table']}: {row['type']}{key}, {row['rows']} rows{extra}"


def _time(cursor: Cursor, sql: str, values: dict[str, Value]) -> float:
    taken: list[float] = []
    while len(taken) < TIMES and sum(taken) < SLOW * 1000:
        began = time.perf_counter()
        cursor.execute(sql, values)
        cursor.fetchall()
        taken.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(taken), 2)
