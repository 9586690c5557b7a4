"""The plans of the statements that need the recommended indexes, on each kind of server: nothing is sorted."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from pymysql.cursors import DictCursor

from bench.explain import UNUSED, VALUES
from checks import expected
from demo.schema import statements
from storage.database import catalogue, session
from storage.database.database import Query
from storage.database.statement import Value, with_lists
from tests.support import mariadbd, mysqld, servers

KINDS = {"MariaDB 10.11": None, "MariaDB 11.8": mysqld.MARIADB, "MySQL 9": mysqld.MYSQL}
# The player and the beatmap with most scores, and how many there are of each.
PLAYER, MD5 = 7, f"{8:032}"
PLAYERS, BEATMAPS, SCORES = 3_000, 1_000, 30_000

NUMBERS = (
    "CREATE TABLE numbers (i int PRIMARY KEY)",
    f"INSERT INTO numbers VALUES {', '.join(f'({i})' for i in range(1000))}",
    f"""INSERT INTO numbers SELECT a.i + 1000 * b.i FROM numbers a, numbers b
    WHERE b.i BETWEEN 1 AND {SCORES // 1000}""",
)
# One in fifty players is hidden. One player has a fifth of all scores, one beatmap an eighth; many are equal.
ROWS = (
    f"""INSERT INTO users (id, name, safe_name, email, pw_bcrypt, priv, country, api_key)
    SELECT i, i, i, i, '', CASE WHEN i % 50 = 0 THEN 2 ELSE 3 END, ELT(1 + i % 3, 'de', 'us', 'jp'), i
    FROM numbers WHERE i BETWEEN 1 AND {PLAYERS}""",
    f"""INSERT INTO maps (id, set_id, status, md5, artist, title, version, creator, filename, last_update,
    total_length, max_combo)
    SELECT i, i, 2, LPAD(i, 32, '0'), '', '', '', '', i, '2020-01-01', 1, 1
    FROM numbers WHERE i BETWEEN 1 AND {BEATMAPS}""",
    f"""INSERT INTO scores (map_md5, score, pp, acc, max_combo, mods, n300, n100, n50, nmiss, ngeki, nkatu, status,
    mode, play_time, time_elapsed, client_flags, userid, perfect, online_checksum)
    SELECT LPAD(CASE WHEN i % 8 = 1 THEN 8 ELSE 1 + i * 17 % {BEATMAPS} END, 32, '0'), 1000 * (i * 7919 % 500),
    i * 31 % 700, 99, 1, 64 * (i % 2), 1, 1, 1, 1, 1, 1, ELT(1 + i % 4, 2, 2, 1, 0), 4 * (i % 3 = 0),
    '2020-01-01' + INTERVAL i % 900 HOUR, 1, 0, CASE WHEN i % 10 < 2 THEN {PLAYER} ELSE 1 + i * 31 % {PLAYERS} END,
    0, '' FROM numbers WHERE i BETWEEN 1 AND {SCORES}""",
    f"""INSERT INTO stats (id, mode, tscore, rscore, pp, plays, playtime, acc)
    SELECT p.i, m.i, p.i * 7 % 3000, p.i * 11 % 3000, p.i * 13 % 3000, p.i * 17 % 3000, p.i * 19 % 3000,
    50 + p.i * 23 % 3000 / 60
    FROM numbers p, numbers m WHERE p.i BETWEEN 1 AND {PLAYERS} AND m.i IN (0, 1, 4)""",
    f"""INSERT INTO ratings (userid, map_md5, rating)
    SELECT i % {PLAYERS}, LPAD(CASE WHEN i < 2000 THEN 8 ELSE 1 + i * 17 % {BEATMAPS} END, 32, '0'), 1 + i % 10
    FROM numbers WHERE i < 10000 ON DUPLICATE KEY UPDATE rating = 1""",
    "INSERT INTO clans SELECT i, i, i, i, '2020-01-01' FROM numbers WHERE i BETWEEN 1 AND 120",
    "UPDATE users SET clan_id = 1 + id % 100 WHERE id % 5 < 2",
    "INSERT INTO achievements SELECT i, i, i, i, '' FROM numbers WHERE i BETWEEN 1 AND 83",
    f"INSERT INTO user_achievements SELECT {PLAYER}, i FROM numbers WHERE i BETWEEN 1 AND 50",
    f"""INSERT IGNORE INTO favourites (userid, setid)
    SELECT 1 + i * 31 % {PLAYERS}, CASE WHEN i % 8 = 1 THEN 8 ELSE 1 + i * 17 % {BEATMAPS} END
    FROM numbers WHERE i < 10000""",
)


class Case(NamedTuple):
    """A statement, the recommended index that it uses, if any, and the values that differ from the usual ones."""

    query: Query[Any]
    key: str | None
    values: Mapping[str, Value] = MappingProxyType({})
    sorts: bool = False


CASES = {
    **{
        f"beatmap_scores {sort}, {name}": Case(
            catalogue.beatmap_scores[sort], f"apidot_beatmap_by_{key}", {"mode": mode, **values}
        )
        for sort, key, mode in (("score", "score", 0), ("pp", "pp", 4), ("play_time", "time", 0))
        for name, values in {
            "first page": {},
            "deep page": {"offset": 500},
            "mods": {"mask": 64},
            "any of some mods": {"mask": 576, "weak": 1},
        }.items()
    },
    "best scores": Case(catalogue.player_scores["best"], "apidot_scores_best"),
    "best scores with loved": Case(catalogue.player_scores["best"], "apidot_scores_best", {"include_loved": 1}),
    # Either of two indexes finds the player's scores, of which few are sorted.
    **{
        f"first places by {sort}": Case(catalogue.first_places[sort], None, {"mode": mode}, sorts=True)
        for sort, mode in (("score", 0), ("pp", 4))
    },
    "top plays": Case(catalogue.top_plays, "apidot_top_plays", {"mode": 4, "limit": 1000}),
    **{
        f"latest scores {name}": Case(catalogue.latest_scores[which], None, values)
        for name, which, values in (
            ("of all modes", "all", {}),
            ("of a mode", "mode", {"mode": 4}),
            ("that were passed", "mode", {"include_failed": 0}),
        )
    },
    **{
        f"a player on a board by {sort}": Case(catalogue.beatmap_place[sort], None, {"mode": mode, "score_id": 9})
        for sort, mode in (("score", 0), ("pp", 4))
    },
    "position on a leaderboard": Case(catalogue.leaderboard_position["pp"], None, {"mode": 0}),
    "recent scores": Case(catalogue.player_scores["recent"], "apidot_scores_recent"),
    "recent passes": Case(catalogue.player_scores["recent"], "apidot_scores_recent", {"include_failed": 0}),
    "recent scores with mods": Case(catalogue.player_scores["recent"], "apidot_scores_recent", {"mask": 64}),
    # Beatmaps are counted and then sorted by how often they occur.
    "most played": Case(catalogue.player_most_played, "apidot_scores_played", sorts=True),
    "some players": Case(catalogue.players_details, None, {"ids": (7, 5, 900)}, sorts=True),
    "statistics of some players": Case(catalogue.players_stats, None, {"ids": (7, 5, 900)}, sorts=True),
    "some scores": Case(catalogue.some_scores, None, {"ids": (7, 5, 900)}, sorts=True),
    "beatmaps by id and md5": Case(
        catalogue.beatmaps_by_id, None, {"ids": (7, 5, 900), "md5s": (MD5, f"{9:032}")}, sorts=True
    ),
    "beatmaps by id": Case(catalogue.beatmaps_by_id, None, {"ids": (7, 5, 900), "md5s": ()}),
    "beatmaps sorted by plays": Case(catalogue.beatmaps_sorted["plays", "desc"], None, sorts=True),
    "texts of beatmaps": Case(catalogue.beatmap_texts, None, {"after": 100, "limit": 10}),
    "names of players": Case(catalogue.player_names, None, {"after": 100}),
    "a set": Case(catalogue.set_beatmaps, None, {"set_id": 7}, sorts=True),
    "hidden players": Case(catalogue.hidden_players, None, {"after": 100}, sorts=True),
    "the mark of hidden players": Case(catalogue.hidden_players_mark, None),
    "rating": Case(catalogue.beatmap_rating, "apidot_ratings"),
    "favourites and rating": Case(catalogue.beatmap_counted, "apidot_favourites", {"id": None}),
    # The newest sets are found in the whole table.
    "newest sets": Case(catalogue.beatmaps_by_set, None, {"id": None, "md5": None, "mode": None}, sorts=True),
    "exact mods on a beatmap": Case(
        catalogue.osu_v1_beatmap_scores["score"], "apidot_beatmap_by_score", {"exact_mods": 64}
    ),
    # The player's scores on the beatmap are few.
    "a player on a beatmap": Case(
        catalogue.osu_v1_beatmap_scores["score"], None, {"player_id": PLAYER}, sorts=True
    ),
    # The players ahead are counted by mode.
    "ranks": Case(catalogue.player_ranks, "apidot_stats_board", {"modes": (0, 4)}, sorts=True),
    # Counted by the step that players reach.
    "ranks of some players": Case(
        catalogue.rank_steps,
        "apidot_stats_board",
        {"mode": 4, "least": 2500, "pps": (2500, 2800), "keys": (700_000_000_001,), "countries": ("de",)},
        sorts=True,
    ),
    **{
        f"leaderboard_least {sort}": Case(catalogue.leaderboard_least[sort], index)
        for sort, index in {
            "pp": "apidot_stats_board",
            "acc": "apidot_stats_acc",
            "plays": "apidot_stats_plays",
            "playtime": "apidot_stats_playtime",
        }.items()
    },
    # Counted by month, or summed by clan.
    "plays by month": Case(catalogue.player_plays, None, sorts=True),
    "clan order": Case(catalogue.clan_order, None, sorts=True),
    **{
        f"clan_leaderboard {sort}": Case(query, None, {"ids": tuple(range(1, 51))}, sorts=True)
        for sort, query in catalogue.clan_leaderboard.items()
    },
    **{f"leaderboard_total {sort}": Case(query, None) for sort, query in catalogue.leaderboard_total.items()},
    "total of a country": Case(catalogue.leaderboard_total["pp"], None, {"country": "de"}),
    "totals": Case(catalogue.server_totals, None, {"counted": SCORES // 2}),
    "medals": Case(catalogue.player_achievements, None),
    **{
        f"scores, {name}": Case(catalogue.scores, None, {"mode": None, "map_md5": None, **values})
        for name, values in {
            "all": {},
            "of a mode": {"mode": 4},
            "of a mode, in a range of ids": {"mode": 4, "first": 10_000, "last": 12_000},
            "failed": {"status": 0},
            "of a player": {"user_id": PLAYER},
        }.items()
    },
}


class Server(NamedTuple):
    """A server's database, and what the statements of all cases return there without the recommended indexes."""

    url: str
    without: dict[str, Any]


@contextmanager
def cursor_of(url: str) -> Iterator[DictCursor]:
    """A session like those of the service."""
    with closing(mariadbd.connect(url)) as connection, connection.cursor(DictCursor) as cursor:
        cursor.execute("SELECT VERSION() AS version")
        (row,) = cursor.fetchall()
        cursor.execute(session.statements(row["version"], 30)[0])
        yield cursor


def run(cursor: DictCursor, case: Case, prefix: str = "") -> list[dict[str, Any]]:
    values: dict[str, Value] = {
        **VALUES,
        **UNUSED,
        "id": PLAYER,
        "ids": (PLAYER,),
        "md5": MD5,
        "last": 500,
        **case.values,
    }
    sql, values = with_lists(case.query.mysql, {name: values[name] for name in case.query.values})
    cursor.execute(f"{prefix}{sql}", values)
    return list(cursor.fetchall())


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each of the servers, with the recommended indexes."""
    # The statistics of the optimizer come from these rows alone.
    with servers.mariadb(private=True, kind=KINDS[request.param]) as server:
        url = server.database("plans")
        tables, indexes = statements("mysql")
        mariadbd.execute(url, *tables, *NUMBERS, "SET sql_mode = ''", *ROWS, *indexes)
        with cursor_of(url) as cursor:
            without = {name: run(cursor, case) for name, case in CASES.items()}
        mariadbd.execute(url, *(index.statement for index in expected.indexes()))
        mariadbd.execute(url, "ANALYZE TABLE favourites, maps, ratings, scores, stats, users")
        yield Server(url, without)


@pytest.mark.parametrize("name", CASES)
def test_the_index_is_used_and_changes_no_result(server: Server, name: str) -> None:
    case = CASES[name]
    with cursor_of(server.url) as cursor:
        plan = run(cursor, case, "EXPLAIN FORMAT=TRADITIONAL ")
        assert case.key is None or case.key in {row["key"] for row in plan}, plan
        sorting = [
            row for row in plan if "filesort" in (row["Extra"] or "") or "temporary" in (row["Extra"] or "")
        ]
        assert case.sorts or not sorting, sorting
        rows = run(cursor, case)
        assert rows == server.without[name]
        assert rows


@pytest.mark.parametrize("sort", catalogue.first_places)
def test_no_board_is_sorted_for_first_places(server: Server, sort: str) -> None:
    with cursor_of(server.url) as cursor:
        plan = run(cursor, CASES[f"first places by {sort}"], "EXPLAIN FORMAT=TRADITIONAL ")
    (board,) = (row for row in plan if row["table"] == "o")
    assert board["key"] == f"apidot_beatmap_by_{sort}"
    assert "filesort" not in (board["Extra"] or "")


def test_every_recommended_index_has_a_case() -> None:
    assert {case.key for case in CASES.values()} - {None} == {index.name for index in expected.indexes()}
