"""Databases that differ from the stock schema: the right values, or neutral ones and a line in the log."""

from collections.abc import Iterator
from typing import Any

import pytest

from storage.database.drivers import is_unrepresentable
from tests.support.drift import Drifting, altered, assert_answered, columns, drifting, odd_type
from tests.support.servers import MariaDB

PLAYER, OTHER, BEATMAP = 50, 3, 137
MD5 = "6fa482d1cd4e0a7d6156840fdde4faf1"
BEST = f"/v1/get_player_scores?scope=best&id={PLAYER}&limit=100"
RECENT = f"/v1/get_player_scores?scope=recent&id={PLAYER}&limit=100"
MOST_PLAYED = f"/v1/get_player_most_played?id={PLAYER}&limit=100"
INFO = f"/v1/get_player_info?scope=all&id={PLAYER}"
BOARD = "/v1/get_leaderboard?limit=100"


@pytest.fixture(scope="module")
def world(mariadb: MariaDB) -> Iterator[Drifting]:
    with drifting(mariadb, "drift") as world:
        yield world


def collation(column: str, charset: str, collation: str) -> str:
    return f"MODIFY {column} char(32) CHARACTER SET {charset} COLLATE {collation} NOT NULL"


# Two columns that cannot be compared


def test_columns_that_cannot_be_compared_are_a_fault_of_the_schema(world: Drifting) -> None:
    convert = "ALTER TABLE {} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_{}_ci"
    maps, scores = convert.format("maps", "unicode_520"), convert.format("scores", "general")
    with world.changed("maps", maps), world.changed("scores", scores):
        for path in (BEST, RECENT, MOST_PLAYED, "/v1/get_score_info?id=10", "/v2/scores/10"):
            for _ in range(2):
                world.get(path, 503)
        # What compares no columns is answered.
        assert world.get(f"/v1/get_map_scores?scope=best&id={BEATMAP}")["scores"]
    for statement in ("player_scores_best", "player_scores_recent", "player_most_played", "score"):
        line = f"the database to {statement}.sql does not answer (Illegal mix of collations "
        assert world.logged(line) == [1, 1]
    assert all(world.logged("`main.py check` says what is wrong"))


@pytest.mark.parametrize(
    ("maps", "scores"),
    [
        (("utf8mb4", "utf8mb4_general_ci"), ("utf8mb3", "utf8mb3_general_ci")),
        (("latin1", "latin1_swedish_ci"), ("utf8mb4", "utf8mb4_unicode_520_ci")),
        (("utf8mb4", "utf8mb4_unicode_ci"), ("latin1", "latin1_general_ci")),
        (("utf8mb4", "utf8mb4_bin"), ("utf8mb4", "utf8mb4_unicode_ci")),
        (("binary", "binary"), ("latin1", "latin1_swedish_ci")),
        (("utf8mb4", "utf8mb4_bin"), ("binary", "binary")),
    ],
)
def test_columns_that_can_be_compared_are(world: Drifting, maps: tuple[str, str], scores: tuple[str, str]) -> None:
    expected = {path: world.get(path) for path in (BEST, RECENT, MOST_PLAYED, "/v1/get_score_info?id=10")}
    changes = f"ALTER TABLE maps {collation('md5', *maps)}", f"ALTER TABLE scores {collation('map_md5', *scores)}"
    with world.changed("maps", changes[0]), world.changed("scores", changes[1]):
        for path, response in expected.items():
            assert world.get(path) == response
        assert world.get(f"/v1/get_map_scores?scope=best&md5={MD5}")["scores"]


def test_a_text_that_a_column_cannot_hold_is_in_no_row(world: Drifting) -> None:
    assert world.get("/v1/get_player_info?scope=info&name=試合", 404) == {"status": "Player not found."}
    assert world.get("/v2/maps?artist=😀")["data"] == []
    assert world.get("/v2/maps?server=試合")["data"] == []
    assert world.get("/v1/search_players?q=😀😀")["results"] == 0


@pytest.mark.parametrize(
    ("number", "message", "text", "answer"),
    [
        (1267, "Illegal mix of collations (latin1_bin,IMPLICIT) and (utf8mb4_bin,COERCIBLE)", "é", True),
        (1267, "Unerlaubte Mischung von (latin1_bin, IMPLICIT) und (utf8mb4_bin, COERCIBLE)", "é", True),
        (1267, "Illegal mix of collations (a,IMPLICIT) and (b,IMPLICIT) for operation '='", "é", False),
        (1267, "混合 (a, IMPLICIT) (b, IMPLICIT)", "é", False),
        (1270, "Illegal mix of collations (a,IMPLICIT), (b,COERCIBLE), (b,COERCIBLE)", "é", True),
        (1271, "Illegal mix of collations for operation ' IN '", "é", True),
        (1271, "Illegal mix of collations for operation 'UNION'", "e", False),
        (3988, "Conversion from collation utf8mb4_bin into latin1_bin impossible for parameter", "é", True),
        (3988, "Conversion from collation utf8mb4_bin into latin1_bin impossible for parameter", "e", False),
        (1054, "Unknown column (a,COERCIBLE)", "é", False),
    ],
)
def test_whose_fault_an_error_is(number: int, message: str, text: str, answer: bool) -> None:
    error = Exception(number, message)
    assert is_unrepresentable(error, {"id": 1, "name": None, "text": text}) is answer
    assert is_unrepresentable(error, {"texts": ("e", text)}) is answer
    assert not is_unrepresentable(error, {"id": 1})
    assert not is_unrepresentable(Exception(), {"text": text})


# NULL where the stock schema has none


@pytest.mark.parametrize("column", ["acc", "plays", "tscore", "max_combo", "a_count"])
def test_null_in_statistics_is_zero(world: Drifting, column: str) -> None:
    before = world.get(BOARD)["leaderboard"]
    player = before[1]["player_id"]
    null = f"ALTER TABLE stats MODIFY {column} int NULL"
    with world.changed("stats", null, f"UPDATE stats SET {column} = NULL WHERE id = {player}"):
        assert world.get(BOARD)["leaderboard"][1][column] == 0
        for path in (f"/v1/get_player_info?scope=stats&id={player}", f"/v2/players/{player}/stats"):
            world.get(path)
        assert world.get(f"/v2/players/{player}/stats/0")["data"][column] == 0
        world.get(f"/v1/get_leaderboard?sort={'acc' if column in ('max_combo', 'a_count') else column}")
    assert world.logged(f"stats.{column} has NULL in some rows, answered as 0") == [1, 1]


def test_null_in_a_profile_is_empty_or_the_stock_default(world: Drifting) -> None:
    nullable = ("clan_id int", "silence_end int", "country char(2)", "safe_name varchar(32)", "preferred_mode int")
    nulls = [f"ALTER TABLE users {', '.join(f'MODIFY {column} NULL' for column in nullable)}"]
    nulls += [f"UPDATE users SET {column.split()[0]} = NULL WHERE id = {PLAYER}" for column in nullable]
    with world.changed("users", *nulls):
        info = world.get(INFO)["player"]["info"]
        assert (info["clan_id"], info["clan"], info["silence_end"], info["preferred_mode"]) == (0, None, 0, 0)
        assert (info["country"], info["safe_name"]) == ("xx", "")
        assert world.get(f"/v2/players/{PLAYER}")["data"]["country"] == "xx"


def test_a_player_whose_privileges_are_null_is_hidden(world: Drifting) -> None:
    score = world.value(f"SELECT MIN(id) FROM scores WHERE userid = {PLAYER} AND status = 2")
    scores = world.get("/v2/scores")["meta"]["total"]
    own = world.value(f"SELECT COUNT(*) FROM scores WHERE userid = {PLAYER}")
    nulls = ("priv int", "name varchar(32)")
    changes = [f"ALTER TABLE users MODIFY {column} NULL" for column in nulls]
    with world.changed("users", *changes, f"UPDATE users SET priv = NULL, name = NULL WHERE id = {PLAYER}"):
        for path in (
            INFO,
            BEST,
            f"/v1/get_score_info?id={score}",
            f"/v1/get_replay?id={score}",
            f"/v2/players/{PLAYER}",
        ):
            world.get(path, 404)
        assert world.get(f"/v1/get_replay?id={score}&include_headers=false", 404)
        assert PLAYER not in [entry["player_id"] for entry in world.get(BOARD)["leaderboard"]]
        assert PLAYER not in [player["id"] for player in world.get("/v1/search_players")["result"]]
        assert world.get("/v2/scores")["meta"]["total"] == scores - own


def test_null_in_scores(world: Drifting) -> None:
    score = world.get(BEST)["scores"][0]["id"]
    nullable = {"mods": "int", "n300": "int", "grade": "varchar(2)", "play_time": "datetime", "perfect": "tinyint"}
    changes = [f"ALTER TABLE scores MODIFY {name} {kind} NULL" for name, kind in nullable.items()]
    changes += [f"UPDATE scores SET {name} = NULL WHERE id = {score}" for name in nullable]
    with world.changed("scores", *changes):
        found = world.get(BEST)["scores"][0]
        assert (found["id"], found["mods"], found["mods_readable"], found["n300"]) == (score, 0, "NM", 0)
        assert (found["grade"], found["play_time"], found["perfect"]) == ("N", None, 0)
        assert world.get(f"/v2/scores/{score}")["data"]["perfect"] is False
    ownerless = (
        "ALTER TABLE scores MODIFY userid int NULL",
        f"UPDATE scores SET userid = NULL WHERE id = {score}",
    )
    total = world.get("/v2/scores")["meta"]["total"]
    with world.changed("scores", *ownerless):
        world.get(f"/v1/get_score_info?id={score}", 404)
        assert world.get("/v2/scores")["meta"]["total"] == total - 1


# Several rows without a unique key


def test_a_beatmap_that_is_there_twice(world: Drifting) -> None:
    beatmap = world.value(f"SELECT id FROM maps WHERE md5 = '{MD5}'")
    score = world.value(f"SELECT MIN(id) FROM scores WHERE map_md5 = '{MD5}' AND status = 2")
    paths = (
        f"/v1/get_map_info?md5={MD5}",
        f"/v1/get_map_scores?scope=best&md5={MD5}",
        f"/v2/scores?map_md5={MD5}&page_size=100",
        "/v2/scores",
        BEST,
        RECENT,
        MOST_PLAYED,
        f"/v1/get_score_info?id={score}",
        f"/v1/get_scores_info?id={score}",
        f"/v1/get_maps_info?md5={MD5}",
    )
    expected = {path: world.get(path) for path in paths}
    copy = "CREATE TEMPORARY TABLE copy SELECT * FROM maps"
    change = "UPDATE copy SET id = id + 1000000, server = 'private', title = 'copy'"
    back = "INSERT INTO maps SELECT * FROM copy"
    with world.changed("maps", "ALTER TABLE maps DROP INDEX maps_md5_uindex", copy, change, back):
        for path, response in expected.items():
            assert world.get(path) == response
        assert world.get(f"/v1/get_map_info?id={beatmap + 1000000}")["map"]["title"] == "copy"


def test_a_beatmap_id_of_both_servers(world: Drifting) -> None:
    paths = (
        f"/v1/get_map_info?id={BEATMAP}",
        f"/v1/get_map_scores?scope=best&id={BEATMAP}",
        "/v1/get_mappool?id=1",
    )
    expected = {path: world.get(path) for path in (*paths, MOST_PLAYED, f"/v1/get_map_info?md5={MD5}")}
    server = "server = IF(server = 'osu!', 'private', 'osu!')"
    copy = "CREATE TEMPORARY TABLE copy SELECT * FROM maps WHERE server = 'osu!'"
    change = f"UPDATE copy SET {server}, md5 = REVERSE(md5)"
    back = "INSERT INTO maps SELECT * FROM copy"
    with world.changed("maps", "ALTER TABLE maps DROP INDEX maps_id_uindex", copy, change, back):
        for path, response in expected.items():
            assert world.get(path) == response
        page = world.get("/v2/maps?page_size=100&set_id=41")
        keys = [(row["server"], row["id"]) for row in page["data"]]
        assert len(set(keys)) == len(keys) == page["meta"]["total"]


def test_two_players_with_one_name(world: Drifting) -> None:
    name = world.get(INFO)["player"]["info"]["safe_name"]
    keys = "ALTER TABLE users DROP INDEX users_safe_name_uindex, DROP INDEX users_name_uindex"
    lower, higher = OTHER, PLAYER
    with world.changed("users", keys, f"UPDATE users SET safe_name = '{name}' WHERE id = {lower}"):
        for path in ("/v1/get_player_info?scope=info", "/v1/get_player_status?x=1", f"{BEST.partition('&id')[0]}"):
            world.get(f"{path}&name={name}")
        assert world.get(f"/v1/get_player_info?scope=info&name={name}")["player"]["info"]["id"] == lower
        assert world.get(f"/v2/players/{name}")["data"]["id"] == lower
        # The visible one, if the other is restricted.
        world.sql(f"UPDATE users SET priv = 2 WHERE id = {lower}")
        assert world.get(f"/v2/players/{name}")["data"]["id"] == higher


def test_statistics_that_are_there_twice(world: Drifting) -> None:
    expected = {path: world.get(path) for path in (BOARD, f"/v2/players/{PLAYER}/stats", INFO)}
    double = (
        "INSERT INTO stats SELECT id, mode, 1, 1, 1, plays, playtime, acc, 1, 1, 1, 1, 1, 1, 1, 1 FROM stock_stats"
    )
    with world.changed("stats", "ALTER TABLE stats DROP PRIMARY KEY, ADD INDEX (id)", double):
        board = world.get(BOARD)["leaderboard"]
        players = [entry["player_id"] for entry in board]
        assert len(set(players)) == len(players)
        assert board[:20] == expected[BOARD]["leaderboard"][:20]
        rest = world.get(f"{BOARD}&offset=100")
        assert rest["total"] == 100 + len(rest["leaderboard"])
        for place in (0, 5):
            around = world.get(f"{BOARD}&limit=1&around={players[place]}")
            assert (around["offset"], around["leaderboard"]) == (place, [board[place]])
        assert world.get(f"/v2/players/{PLAYER}/stats")["meta"] == expected[f"/v2/players/{PLAYER}/stats"]["meta"]
        for path in (f"/v2/players/{PLAYER}/stats", INFO):
            assert without_ranks(world.get(path)) == without_ranks(expected[path])


def without_ranks(response: Any) -> Any:
    """Leave ranks out: they are counted in the rows of all players."""
    if isinstance(response, dict):
        return {key: without_ranks(value) for key, value in response.items() if "rank" not in key}
    return [without_ranks(item) for item in response] if isinstance(response, list) else response


def test_keyless_clans_ratings_and_friends(world: Drifting) -> None:
    clan = "/v1/get_clan?id=1"
    expected = {path: world.get(path) for path in (clan, BOARD, "/v2/clans")}
    with world.changed("clans", keys=False):
        for path, response in expected.items():
            assert world.get(path) == response
    rating = (
        f"/v2/maps/{world.value('SELECT m.id FROM ratings r JOIN maps m ON m.md5 = r.map_md5 LIMIT 1')}/rating"
    )
    before = world.get(rating)
    with world.changed("ratings", "INSERT INTO ratings SELECT * FROM stock_ratings", keys=False):
        assert world.get(rating) == before


# Columns of other types


@pytest.mark.parametrize(
    ("table", "change", "path", "key", "value"),
    [
        ("stats", "pp double", f"/v1/get_player_info?scope=stats&id={PLAYER}", "pp", 1235),
        ("stats", "pp float", f"/v2/players/{PLAYER}/stats", "pp", 1234.56),
        ("stats", "pp decimal(20,4)", f"/v1/get_player_info?scope=stats&id={PLAYER}", "pp", 1235),
        ("stats", "pp varchar(20)", f"/v1/get_player_info?scope=stats&id={PLAYER}", "pp", 1235),
        ("stats", "tscore varchar(40)", f"/v1/get_player_info?scope=stats&id={PLAYER}", "tscore", 1235),
        ("stats", "acc decimal(10,2)", f"/v2/players/{PLAYER}/stats", "acc", 1234.56),
    ],
)
def test_numbers_of_other_types(
    world: Drifting, table: str, change: str, path: str, key: str, value: float
) -> None:
    alter = f"ALTER TABLE {table} MODIFY {change} NOT NULL"
    with world.changed(table, alter, f"UPDATE {table} SET {key} = 1234.56 WHERE id = {PLAYER}"):
        found = world.get(path)
        rows = list(found["player"]["stats"].values()) if "player" in found else found["data"]
        assert [row[key] for row in rows] == [value] * len(rows)
        world.get(BOARD)
        world.get(f"/v1/get_leaderboard?sort={key}&country=us")


@pytest.mark.parametrize(
    ("kind", "flags"),
    [("bit(1)", "b'1', b'0'"), ("enum('0','1')", "'1', '0'"), ("varchar(1)", "'1', '0'"), ("int", "2, 0")],
)
def test_flags_of_other_types(world: Drifting, kind: str, flags: str) -> None:
    expected = world.get(RECENT)["scores"]
    v2, beatmap = (world.get(path)["data"] for path in (f"/v2/scores?user_id={PLAYER}", f"/v2/maps/{BEATMAP}"))
    assert {score["perfect"] for score in expected} == {0, 1}
    scores = f"SET s.perfect = IF(o.perfect, {flags})"
    maps = f"SET s.frozen = IF(o.frozen, {flags})"
    with (
        world.changed(
            "scores",
            f"ALTER TABLE scores DROP perfect, ADD perfect {kind}",
            f"UPDATE scores s JOIN stock_scores o ON o.id = s.id {scores}",
        ),
        world.changed(
            "maps",
            f"ALTER TABLE maps DROP INDEX maps_frozen_index, DROP frozen, ADD frozen {kind}",
            f"UPDATE maps s JOIN stock_maps o ON o.id = s.id {maps}",
        ),
    ):
        found = world.get(RECENT)["scores"]
        assert [bool(score["perfect"]) for score in found] == [bool(score["perfect"]) for score in expected]
        assert kind == "int" or found == expected
        assert world.get(f"/v2/scores?user_id={PLAYER}")["data"] == v2
        assert world.get(f"/v2/maps/{BEATMAP}")["data"] == beatmap


@pytest.mark.parametrize(
    ("kind", "written", "answered"),
    [
        ("datetime(6)", "'2020-01-02 03:04:05.678901'", "2020-01-02T03:04:05"),
        ("timestamp(6)", "'2020-01-02 03:04:05.678901'", "2020-01-02T03:04:05"),
        ("date", "'2020-01-02'", "2020-01-02T00:00:00"),
        ("varchar(40)", "'2020-01-02 03:04:05.678901'", "2020-01-02T03:04:05"),
        ("varchar(40)", "'0000-00-00 00:00:00'", None),
        ("varchar(40)", "'yesterday'", None),
        ("varbinary(40)", "'2020-01-02 03:04:05'", "2020-01-02T03:04:05"),
        ("bigint", "20200102030405", "2020-01-02T03:04:05"),
        ("int", "1577934245", "2020-01-02T03:04:05"),
        ("datetime(6)", "'0000-00-00 00:00:00'", None),
        ("time", "'03:04:05'", None),
    ],
)
def test_times_of_other_types(world: Drifting, kind: str, written: str, answered: str | None) -> None:
    change = f"ALTER TABLE scores MODIFY play_time {kind} NOT NULL"
    with world.changed("scores", change, f"UPDATE scores SET play_time = {written}"):
        for path in (BEST, RECENT):
            assert {score["play_time"] for score in world.get(path)["scores"]} == {answered}
        assert world.get("/v2/scores/1")["data"]["play_time"] == answered


def test_texts_of_other_types(world: Drifting) -> None:
    expected = {path: world.get(path) for path in (BEST, INFO, BOARD, f"/v1/get_map_info?md5={MD5}", "/v2/clans")}
    texts = "MODIFY title blob, MODIFY artist longtext CHARACTER SET utf8mb4, MODIFY server char(9)"
    grade = "enum('N','F','D','C','B','A','S','SH','X','XH')"
    with (
        world.changed("users", "ALTER TABLE users MODIFY name varbinary(99), MODIFY userpage_content longblob"),
        world.changed("maps", f"ALTER TABLE maps MODIFY md5 binary(32), {texts}"),
        world.changed("clans", "ALTER TABLE clans MODIFY tag varbinary(6)"),
        world.changed("scores", f"ALTER TABLE scores MODIFY grade {grade}"),
    ):
        for path, response in expected.items():
            assert world.get(path) == response


def test_an_md5_in_another_spelling(world: Drifting) -> None:
    expected = {path: world.get(path)["scores"] for path in (BEST, RECENT)}
    with world.changed("maps", "UPDATE maps SET md5 = UPPER(md5)"):
        for path, scores in expected.items():
            assert [score["id"] for score in world.get(path)["scores"]] == [score["id"] for score in scores]


def test_padding_is_no_part_of_a_text(world: Drifting) -> None:
    country = world.get(INFO)["player"]["info"]["country"]
    with world.changed("users", "ALTER TABLE users MODIFY country binary(9)"):
        assert world.value(f"SELECT LENGTH(country) FROM users WHERE id = {PLAYER}") == 9
        assert world.get(INFO)["player"]["info"]["country"] == country


def test_what_cannot_be_converted_is_neutral_and_logged_once(world: Drifting) -> None:
    change = "ALTER TABLE stats MODIFY plays varchar(40), MODIFY acc varchar(40), MODIFY rscore decimal(40)"
    odd = "UPDATE stats SET plays = 'forbidden', acc = 'nan', rscore = '9999999999999999999999999'"
    with world.changed("stats", change, odd):
        for entry in world.get(BOARD)["leaderboard"]:
            assert (entry["plays"], entry["acc"], entry["rscore"]) == (0, 0.0, 0)
        world.get(INFO)
    for column in ("plays", "acc", "rscore"):
        assert world.logged(f"stats.{column} has a value of another type in some rows, answered as 0") == [1, 1]
    # The value may be a secret.
    assert world.logged("forbidden") == [0, 0]


def test_a_profile_beyond_what_clients_may_write(world: Drifting) -> None:
    text = "é" * 5000
    change = f"UPDATE users SET userpage_content = '{text}', preferred_mode = 99 WHERE id = 12"
    with world.changed(
        "users", "ALTER TABLE users MODIFY userpage_content longtext CHARACTER SET utf8mb4", change
    ):
        for client, _ in world.services:
            body = {"play_style": 1}
            key = world.value("SELECT api_key FROM users WHERE id = 12")
            headers = {"Authorization": f"Bearer {key}"}
            response = client.put("/v1/set_player_info", json=body, headers=headers)
            assert response.json() == {"status": "success", "updated": body}
            info = client.get("/v1/get_player_info?scope=info&id=12").json()["player"]["info"]
            assert (len(info["userpage_content"]), info["preferred_mode"]) == (5000, 99)


# Everything at once


def test_null_in_each_column_of_a_row(world: Drifting) -> None:
    all_columns = list(columns())
    types = {column: f"{column.type} NULL" for column in all_columns}
    updates = [
        f"UPDATE {column.table} SET `{column.name}` = NULL ORDER BY RAND({index}) LIMIT 1"
        for index, column in enumerate(all_columns)
    ]
    with altered(world, types, *updates):
        assert_answered(world)


def test_every_column_of_another_type(world: Drifting) -> None:
    with altered(world, {column: odd_type(column, number) for number, column in enumerate(columns())}):
        assert_answered(world)
