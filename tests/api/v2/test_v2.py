"""Version 2 on the recorded world, beyond the recorded requests."""

import gzip
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Recorded, service
from tests.support import conformance

Row = dict[str, Any]


def table(name: str) -> list[Row]:
    """Return the rows of a recorded table."""
    with gzip.open(conformance.WORLD / "tables" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        columns = json.loads(next(lines))
        return [dict(zip(columns, json.loads(line), strict=True)) for line in lines]


USERS = {row["id"]: row for row in table("users")}
SEEN = {id for id, row in USERS.items() if row["priv"] & 3 == 3}
HIDDEN = sorted(USERS.keys() - SEEN)
SCORES = table("scores")
MAPS = table("maps")
HIDDEN_SCORE = next(row["id"] for row in SCORES if row["userid"] in HIDDEN)
SHARED = {"id", "map_md5", "score", "pp", "acc", "max_combo", "mods", "n300", "n100", "n50", "nmiss", "ngeki"}
SHARED |= {"nkatu", "grade", "status", "mode", "play_time", "time_elapsed", "perfect", "userid"}
MAP = {"md5", "id", "set_id", "artist", "title", "version", "creator", "last_update", "total_length", "max_combo"}
MAP |= {"status", "plays", "passes", "mode", "bpm", "cs", "od", "ar", "hp", "diff"}


def get(recorded: Recorded, path: str) -> Any:
    """Return the body of a 200 in its envelope."""
    answer = recorded.client.get(f"/v2/{path}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    assert set(body) == {"status", "data", "meta"}
    return body


def failure(recorded: Recorded, path: str, status: int) -> str:
    """Return the error message of a response with this status."""
    answer = recorded.client.get(f"/v2/{path}")
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"status", "error"}
    assert answer.json()["status"] == "error"
    message: str = answer.json()["error"]
    return message


def errors(recorded: Recorded, path: str) -> list[list[Any]]:
    """Return the type and the location of each invalid parameter."""
    answer = recorded.client.get(f"/v2/{path}")
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == {"detail", "status"}
    return [[error["type"], error["loc"]] for error in answer.json()["detail"]]


def test_both_prefixes_and_a_slash(recorded: Recorded) -> None:
    for path in ("players/3", "clans", "maps?page_size=2", "leaderboards/0"):
        plain = recorded.client.get(f"/v2/{path}")
        name, mark, query = path.partition("?")
        for other in (f"/api/v2/{path}", f"/v2/{name}/{mark}{query}", f"/api/v2/{name}/{mark}{query}"):
            assert recorded.client.get(other).content == plain.content


@pytest.mark.parametrize(
    "path", ["players//3", "players/3/4", "Players/3", "players/3/stats/0/1", "clans/1/x", ""]
)
def test_other_paths_are_unknown(recorded: Recorded, path: str) -> None:
    answer = recorded.client.get(f"/v2/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_server_stats(recorded: Recorded) -> None:
    assert get(recorded, "server/stats")["data"] == {
        "online_players": 0,
        "total_players": len(USERS) - 1,
        "total_scores": len(SCORES),
        "total_maps": len(MAPS),
        "total_clans": len(table("clans")),
    }


@pytest.mark.parametrize("sort", ["pp", "acc", "tscore"])
def test_leaderboard(recorded: Recorded, sort: str) -> None:
    everybody = get(recorded, f"leaderboards/4?sort={sort}&page_size=100")["data"]
    assert [row["rank"] for row in everybody] == list(range(1, len(everybody) + 1))
    assert {row["player_id"] for row in everybody} <= SEEN
    page = get(recorded, f"leaderboards/4?sort={sort}&page_size=7&page=3")
    assert page["data"] == everybody[14:21]
    rest = get(recorded, f"leaderboards/4?sort={sort}&page_size=100&page=2")["data"]
    assert page["meta"] == {"total": len(everybody) + len(rest), "page": 3, "page_size": 7}
    old = recorded.client.get(f"/v1/get_leaderboard?mode=4&sort={sort}&limit=7&offset=14").json()["leaderboard"]
    assert [{key: value for key, value in row.items() if key != "rank"} for row in page["data"]] == old
    assert type(old[0]["pp"]) is int
    home = get(recorded, "leaderboards/0?country=JP")["data"]
    assert home
    assert {row["country"] for row in home} == {"jp"}
    assert home[0]["rank"] == 1
    assert get(recorded, "leaderboards/0?page=9223372036854775807&page_size=100")["data"] == []


@pytest.mark.parametrize("mode", [7, 9, 10, 11])
def test_modes_that_do_not_exist(recorded: Recorded, mode: int) -> None:
    for path in ("leaderboards/{}", "players/3/scores?mode={}", "maps/78/scores?mode={}"):
        assert failure(recorded, path.format(mode), 400) == "Invalid gamemode."
    assert errors(recorded, "leaderboards/12?country=x") == [
        ["less_than_equal", ["path", "mode"]],
        ["string_too_short", ["query", "country"]],
    ]


def test_every_visible_player_is_on_one_page(recorded: Recorded) -> None:
    ids: list[int] = []
    for page in range(1, 30):
        body = get(recorded, f"players?page={page}&page_size=9")
        assert body["meta"] == {"total": len(SEEN), "page": page, "page_size": 9}
        ids += [row["id"] for row in body["data"]]
    assert ids == sorted(SEEN)


@pytest.mark.parametrize("column", ["priv", "country", "clan_id", "clan_priv", "preferred_mode", "play_style"])
def test_players_filtered(recorded: Recorded, column: str) -> None:
    for value in {row[column] for row in USERS.values()}:
        body = get(recorded, f"players?{column}={value}&page_size=100")
        expected = sorted(id for id in SEEN if USERS[id][column] == value)
        assert [row["id"] for row in body["data"]] == expected[:100]
        assert body["meta"]["total"] == len(expected)


def test_favourites(recorded: Recorded) -> None:
    favourites = table("favourites")
    owners = sorted({row["userid"] for row in favourites} & SEEN)
    for owner in owners[:20]:
        own = [row for row in favourites if row["userid"] == owner]
        own.sort(key=lambda row: (row["created_at"], row["setid"]), reverse=True)
        body = get(recorded, f"players/{owner}/favourites")
        assert body["data"] == [row["setid"] for row in own]
        assert body["meta"] == {"total": len(own)}
    nobody = next(id for id in sorted(SEEN) if id not in owners)
    assert get(recorded, f"players/{nobody}/favourites")["data"] == []
    for hidden in (*HIDDEN[:3], 2_000_000_000):
        assert failure(recorded, f"players/{hidden}/favourites", 404) == "Player not found."


@pytest.mark.parametrize("sort", ["plays", "passes", "last_update", "diff", "bpm", "total_length"])
@pytest.mark.parametrize("filters", ["", "&mode=0", "&status=2&server=osu!", "&creator=nobody"])
def test_maps_sorted(recorded: Recorded, sort: str, filters: str) -> None:
    for text in ("", "&q=an"):
        descending = get(recorded, f"maps?page_size=100&sort={sort}{filters}{text}")
        rows = descending["data"]
        assert rows == sorted(rows, key=lambda row: (row[sort], row["id"]), reverse=True)
        ascending = get(recorded, f"maps?page_size=100&sort={sort}&order=asc{filters}{text}")
        assert ascending["meta"]["total"] == descending["meta"]["total"]
        if len(rows) < 100:
            assert ascending["data"] == rows[::-1]
        second = get(recorded, f"maps?page_size=7&page=2&sort={sort}{filters}{text}")
        assert second["data"] == rows[7:14]
        assert second["meta"] == descending["meta"] | {"page": 2, "page_size": 7}


def test_maps_searched(recorded: Recorded) -> None:
    body = get(recorded, "maps?q=an&page_size=100")
    assert 0 < body["meta"]["total"] < len(MAPS)
    assert get(recorded, f"maps/{body['data'][0]['id']}")["data"] == body["data"][0]
    artist = body["data"][0]["artist"]
    of_artist = get(recorded, f"maps?q=an&page_size=100&artist={quote(artist)}")
    assert of_artist["meta"]["total"] == len(of_artist["data"]) > 0
    assert {row["artist"] for row in of_artist["data"]} == {artist}
    assert get(recorded, "maps?q=")["meta"]["total"] == len(MAPS)
    assert get(recorded, "maps?q=an&server=elsewhere")["data"] == []
    assert get(recorded, "maps?q=an&page=999999")["data"] == []
    assert errors(recorded, "maps?q=a") == [["string_too_short", ["query", "q"]]]
    assert errors(recorded, "maps?sort=id&order=up") == [
        ["literal_error", ["query", "sort"]],
        ["literal_error", ["query", "order"]],
    ]


def test_search(recorded: Recorded) -> None:
    body = get(recorded, "players/search?q=RE")
    assert body["data"]
    assert body["meta"] == {"total": len(body["data"])}
    old = recorded.client.get("/v1/search_players?q=RE").json()["result"]
    assert body["data"] == old
    assert errors(recorded, "players/search") == [["missing", ["query", "q"]]]
    assert errors(recorded, "players/search?q=a") == [["string_too_short", ["query", "q"]]]
    assert errors(recorded, "players/search?q=" + "a" * 33) == [["string_too_long", ["query", "q"]]]


def test_a_player_by_name(recorded: Recorded) -> None:
    by_id = get(recorded, "players/3")
    name = USERS[3]["name"]
    for path in (f"players/{name}", f"players/{name.upper()}?key=username", "players/3?key=id", "players/+3"):
        assert get(recorded, path) == by_id
    assert by_id["data"]["clan"] is None
    assert by_id["meta"] == {}


def test_a_name_that_reads_as_a_number(recorded_sqlite: str, tmp_path: Path) -> None:
    file = shutil.copy(recorded_sqlite.removeprefix("sqlite:///"), tmp_path / "world.sqlite")
    with closing(sqlite3.connect(file)) as world:
        world.execute("UPDATE users SET name = '1_3', safe_name = '1_3' WHERE id = 3")
        world.commit()
    with service(database_url=f"sqlite:///{file}") as client:
        assert client.get("/v2/players/1_3").json()["data"]["id"] == 3
        assert client.get("/v2/players/13").json()["data"]["id"] == 13


def test_the_key_decides_what_digits_are(recorded: Recorded) -> None:
    assert failure(recorded, "players/3?key=username", 404) == "Player not found."
    assert errors(recorded, "players/3?key=name") == [["literal_error", ["query", "key"]]]


@pytest.mark.parametrize("id", [-1, 0, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**40])
def test_numbers_beyond_every_id(recorded: Recorded, id: int) -> None:
    for path, message in {
        "players/{}": "Player not found.",
        "players/{}/status": "Player status not found.",
        "players/{}/stats/0": "Player stats not found.",
        "players/3/stats/{}": "Player stats not found.",
        "players/{}/scores": "Player not found.",
        "players/{}/most_played": "Player not found.",
        "maps/{}": "Map not found.",
        "maps/{}/scores": "Map not found.",
        "maps/{}/rating": "Map not found.",
        "scores/{}": "Score not found.",
        "clans/{}": "Clan not found.",
    }.items():
        if path != "players/3/stats/{}" or id != 0:
            assert failure(recorded, path.format(id), 404) == message
    assert get(recorded, f"players/{id}/stats")["data"] == []
    for path in ("players?clan_priv={}", "scores?status={}", "scores?user_id={}", "maps?set_id={}"):
        if id:
            assert get(recorded, path.format(id))["meta"]["total"] == 0


def test_stats_with_ranks(recorded: Recorded) -> None:
    rows = get(recorded, "players/50/stats")["data"]
    old = recorded.client.get("/v1/get_player_info?scope=stats&id=50").json()["player"]["stats"]
    for row in rows:
        same = old[str(row["mode"])]
        assert type(row["pp"]) is float
        assert {**row, "rank": row["rank"] or 0, "country_rank": row["country_rank"] or 0} == same
        assert (row["rank"] is None) == (same["rank"] == 0)
    assert any(row["rank"] for row in rows)
    assert get(recorded, f"players/50/stats/{rows[2]['mode']}") == {
        "status": "success",
        "data": rows[2],
        "meta": {},
    }
    assert get(recorded, "players/50/stats?page=4&page_size=2")["data"] == rows[6:8]
    assert get(recorded, "players/50/stats?page=99")["data"] == []


def test_unranked_is_null(recorded: Recorded) -> None:
    idle = next(row for row in table("stats") if row["id"] in SEEN and not row["pp"])
    stats = get(recorded, f"players/{idle['id']}/stats/{idle['mode']}")["data"]
    assert (stats["rank"], stats["country_rank"]) == (None, None)


@pytest.mark.parametrize("scope", ["best", "recent"])
def test_scores_of_a_player(recorded: Recorded, scope: str) -> None:
    old = recorded.client.get(f"/v1/get_player_scores?id=50&scope={scope}&mode=0&limit=40").json()["scores"]
    body = get(recorded, f"players/50/scores?scope={scope}&mode=0&limit=40")
    assert body["meta"] == {"total": len(body["data"]), "scope": scope, "mode": 0}
    assert [row["id"] for row in body["data"]] == [row["id"] for row in old]
    for row in body["data"]:
        assert set(row) >= SHARED
        assert type(row["perfect"]) is bool
        assert set(row["beatmap"]) == MAP
        assert row["beatmap"]["md5"] == row["map_md5"]
    if scope == "best":
        assert get(recorded, "players/50/scores?limit=40") == body


@pytest.mark.parametrize("scope", ["best", "recent", "first"])
def test_scores_of_a_player_by_mods(recorded: Recorded, scope: str) -> None:
    everything = get(recorded, f"players/50/scores?scope={scope}&limit=100")["data"]
    filtered = get(recorded, f"players/50/scores?scope={scope}&limit=100&mods=HR")
    assert [row["id"] for row in filtered["data"]] != [row["id"] for row in everything]
    assert all(row["mods"] & 16 for row in filtered["data"])
    old = recorded.client.get(f"/v1/get_player_scores?id=50&scope={scope}&limit=100&mods=HR").json()["scores"]
    assert [row["id"] for row in filtered["data"]] == [row["id"] for row in old]
    assert filtered["meta"]["total"] == len(old)
    assert get(recorded, f"players/50/scores?scope={scope}&mode=3&mods=rx") == {
        "status": "success",
        "data": [],
        "meta": {"total": 0, "scope": scope, "mode": 3},
    }


def test_flags_of_a_players_scores(recorded: Recorded) -> None:
    everything = get(recorded, "players/50/scores?scope=recent&limit=100")["data"]
    passed = get(recorded, "players/50/scores?scope=recent&limit=100&include_failed=no")["data"]
    assert {row["status"] for row in everything} >= {0}
    assert 0 not in {row["status"] for row in passed}
    loved = get(recorded, "players/50/scores?limit=100&include_loved=1")["data"]
    assert {row["beatmap"]["status"] for row in loved} >= {5}
    assert len(get(recorded, "players/50/scores?scope=recent")["data"]) == 25


def test_most_played(recorded: Recorded) -> None:
    body = get(recorded, "players/50/most_played?limit=5")
    assert body["meta"] == {"total": 5, "mode": 0}
    assert body["data"] == recorded.client.get("/v1/get_player_most_played?id=50&limit=5").json()["maps"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("set_id", (6, 41, 0)),
        ("server", ("osu!", "private", "OSU!", "x")),
        ("status", (-1, 0, 2, 5)),
        ("mode", (0, 3, 4)),
        ("frozen", ("true", "0", "no", "T")),
        ("creator", ("hextem", "HEXTEM")),
    ],
)
def test_maps_filtered(recorded: Recorded, column: str, values: tuple[Any, ...]) -> None:
    for value in values:
        wanted = {"true": "1", "T": "1", "no": "0"}.get(value, str(value))
        expected = [row["id"] for row in MAPS if str(row[column]).lower() == wanted.lower()]
        body = get(recorded, f"maps?{column}={value}&page_size=100")
        assert body["meta"]["total"] == len(expected)
        assert {row["id"] for row in body["data"]} <= set(expected)
        assert len(body["data"]) == min(100, len(expected))


def test_every_map_is_on_one_page(recorded: Recorded) -> None:
    ids = [
        (row["server"], row["id"])
        for page in range(1, 7)
        for row in get(recorded, f"maps?page={page}&page_size=83")["data"]
    ]
    assert ids == sorted((row["server"], row["id"]) for row in MAPS)


def test_rating(recorded: Recorded) -> None:
    md5s = {row["id"]: row["md5"] for row in MAPS}
    ratings: dict[str, list[int]] = {}
    for row in table("ratings"):
        if row["userid"] in SEEN:
            ratings.setdefault(row["map_md5"], []).append(row["rating"])
    rated = [id for id, md5 in md5s.items() if md5 in ratings]
    assert rated
    for id in rated:
        given = ratings[md5s[id]]
        rating = get(recorded, f"maps/{id}/rating")["data"]
        assert rating == {"average": pytest.approx(sum(given) / len(given), abs=1e-12), "count": len(given)}
        assert type(rating["average"]) is float
    nobody = next(id for id, md5 in md5s.items() if md5 not in ratings)
    assert get(recorded, f"maps/{nobody}/rating")["data"] == {"average": None, "count": 0}


@pytest.mark.parametrize("scope", ["best", "recent"])
@pytest.mark.parametrize("mode", [0, 4])
def test_scores_on_a_map(recorded: Recorded, scope: str, mode: int) -> None:
    old = recorded.client.get(f"/v1/get_map_scores?id=137&scope={scope}&mode={mode}&limit=50").json()["scores"]
    body = get(recorded, f"maps/137/scores?scope={scope}&mode={mode}")
    assert body["meta"] == {"total": len(old), "scope": scope, "mode": mode}
    assert [row["id"] for row in body["data"]] == [row["id"] for row in old]
    for row, same in zip(body["data"], old, strict=True):
        assert set(row) >= SHARED
        assert row["perfect"] is bool(same["perfect"])
        assert row["player"] == {
            "id": same["userid"],
            "name": same["player_name"],
            "country": same["player_country"],
            "clan_id": same["clan_id"],
            "clan_name": same["clan_name"],
            "clan_tag": same["clan_tag"],
        }
        assert row["player"]["id"] in SEEN


def test_every_visible_score_is_on_one_page(recorded: Recorded) -> None:
    expected = [row["id"] for row in SCORES if row["userid"] in SEEN]
    for page in (1, 2, 30, 58, 59, 60):
        body = get(recorded, f"scores?page={page}&page_size=100")
        assert body["meta"] == {"total": len(expected), "page": page, "page_size": 100}
        assert [row["id"] for row in body["data"]] == expected[(page - 1) * 100 : page * 100]


@pytest.mark.parametrize(
    "filters",
    [
        {"status": 0},
        {"mode": 8},
        {"mods": 64},
        {"mods": 64, "mode": 0, "status": 2},
        {"map_md5": "6fa482d1cd4e0a7d6156840fdde4faf1"},
        {"map_md5": "6fa482d1cd4e0a7d6156840fdde4faf1", "status": 2, "mode": 0},
        {"user_id": 50, "mode": 0},
    ],
)
def test_scores_filtered(recorded: Recorded, filters: dict[str, Any]) -> None:
    columns = {"userid" if name == "user_id" else name: value for name, value in filters.items()}
    expected = [row["id"] for row in SCORES if row["userid"] in SEEN and columns.items() <= row.items()]
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    for page in (1, 2, len(expected) // 10 + 1):
        body = get(recorded, f"scores?{query}&page={page}&page_size=10")
        assert body["meta"]["total"] == len(expected)
        assert [row["id"] for row in body["data"]] == expected[(page - 1) * 10 : page * 10]
        assert all(set(row) >= SHARED and type(row["perfect"]) is bool for row in body["data"])


def test_a_score_with_its_player_and_its_beatmap(recorded: Recorded) -> None:
    score = get(recorded, "scores/1")["data"]
    assert set(score["beatmap"]) == MAP
    assert score["player"]["id"] == score["userid"]
    assert score["player"]["name"] == USERS[score["userid"]]["name"]
    assert not {"client_flags", "online_checksum"} & set(score)
    assert failure(recorded, f"scores/{HIDDEN_SCORE}", 404) == "Score not found."
    old = recorded.client.get("/v1/get_score_info?id=1").json()["score"]
    assert old["beatmap"] == score["beatmap"]
    assert type(old["perfect"]) is int


def test_members_of_a_clan(recorded: Recorded) -> None:
    for clan in get(recorded, "clans")["data"]:
        assert get(recorded, f"clans/{clan['id']}")["data"] == clan
        members = get(recorded, f"players?clan_id={clan['id']}&page_size=100")["data"]
        assert {row["id"] for row in members} <= SEEN
        assert all(row["clan"] == {key: clan[key] for key in ("id", "name", "tag")} for row in members)


def test_every_invalid_parameter_is_listed(recorded: Recorded) -> None:
    assert errors(recorded, "players/x/scores?scope=worst&mode=12&limit=0&include_loved=2") == [
        ["int_parsing", ["path", "player_id"]],
        ["literal_error", ["query", "scope"]],
        ["less_than_equal", ["query", "mode"]],
        ["greater_than_equal", ["query", "limit"]],
        ["bool_parsing", ["query", "include_loved"]],
    ]
    assert errors(recorded, "scores?mods=HD&page=0&page_size=101") == [
        ["int_parsing", ["query", "mods"]],
        ["greater_than_equal", ["query", "page"]],
        ["less_than_equal", ["query", "page_size"]],
    ]
    assert failure(recorded, "players?x=" + "y" * 20_000, 414)
    # The path wins over the query.
    assert get(recorded, "players/3?player_id=50")["data"]["id"] == 3
