"""Rows that break servers: values at a column's limit, invalid dates, and references to rows that do not exist."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from demo.load import Rows, load_mysql, load_sqlite, write_files
from tests.conftest import service
from tests.support import mariadbd
from tests.support.osr import parse
from tests.support.replay_bodies import bare
from tests.support.servers import MariaDB

INT, TINY, UINT = 2**31 - 1, 127, 2**32 - 1
GONE, HIDDEN, NOWHERE, LIMITS = 77, 5, 4, 3
MD5, NO_MAP = "a" * 32, "b" * 32
NAMES = (
    "100%",
    "100 per",
    "a_b",
    "aXb",
    "wow!",
    "back\\slash",
    "backs",
    "o'neil",
    'q"uote',
    "Ünï",
    "試合",
    "%",
    "_",
    "[x]",
)
Row = dict[str, Any]
USER: Row = {"priv": 3, "pw_bcrypt": "x" * 60, "country": "de"}
MAP = {
    "set_id": 1,
    "status": 2,
    "artist": "",
    "title": "試" * 128,
    "version": "'",
    "creator": '"',
    "filename": "f",
}
SCORE: Row = {"score": 1, "pp": 1, "acc": 1, "max_combo": 1, "mods": 0, "n300": 1, "n100": 1, "n50": 1, "nmiss": 1}
SCORE |= {"ngeki": 1, "nkatu": 1, "grade": "A", "status": 2, "mode": 0, "play_time": "2020-01-02 03:04:05"}
SCORE |= {"time_elapsed": 1, "client_flags": 0, "userid": LIMITS, "perfect": 0, "online_checksum": ""}
DATE = "9999-12-31 23:59:59"


def user(id: int, name: str, **columns: Any) -> Row:
    return (
        {"id": id, "name": name, "safe_name": name.lower().replace(" ", "_"), "email": f"{id}@a.b"}
        | USER
        | columns
    )


def world(biggest: int) -> Iterator[Rows]:
    """Return the rows of all tables; `biggest` is the largest value of a bigint column."""
    limits: Row = {"silence_end": INT, "donor_end": INT, "creation_time": INT, "latest_activity": INT, "priv": INT}
    limits |= {"clan_id": 1, "clan_priv": TINY, "preferred_mode": INT, "play_style": -INT - 1}
    limits |= {"custom_badge_name": "試" * 16, "custom_badge_icon": "", "userpage_content": "é" * 2048}
    users = [user(LIMITS, "L" * 15, **limits), user(NOWHERE, "nowhere", clan_id=999), user(1, "Bot", priv=1)]
    users += [user(HIDDEN, "hidden", priv=1, clan_id=2), user(6, "plain"), user(7, "in clan", clan_id=2)]
    yield from table("users", users + [user(100 + number, name) for number, name in enumerate(NAMES)])
    clan = {"created_at": DATE}
    yield from table("clans", [clan | {"id": 1, "name": "試" * 16, "tag": "é" * 6, "owner": GONE}])
    yield from table("clans", [clan | {"id": 2, "name": "two", "tag": "2", "owner": HIDDEN}])
    numbers: Row = {"total_length": INT, "max_combo": INT, "plays": INT, "passes": -1, "bpm": 9999999999.99}
    numbers |= {"cs": 99.99, "ar": -99.99, "od": 0, "hp": 5.5, "diff": 999.999, "last_update": DATE}
    yield from table("maps", [MAP | numbers | {"id": INT, "md5": MD5, "server": "private"}])
    big: Row = {
        "id": biggest,
        "map_md5": MD5,
        "score": INT,
        "pp": 9999.999,
        "acc": 100,
        "mods": INT,
        "max_combo": INT,
    }
    scores: list[Row] = [
        big | {"status": TINY, "time_elapsed": -INT, "play_time": DATE},
        {"id": 7, "map_md5": NO_MAP},
    ]
    scores += [{"id": 8, "map_md5": MD5, "userid": GONE}, {"id": 9, "map_md5": MD5, "mods": -1}]
    yield from table("scores", [SCORE | score for score in scores])
    counts = dict.fromkeys(
        ("pp", "plays", "playtime", "max_combo", "total_hits", "replay_views", "xh_count"), UINT
    )
    stats: Row = {"id": LIMITS, "mode": 0, "tscore": biggest, "rscore": biggest, "acc": 999.999, **counts}
    yield from table("stats", [stats, stats | {"mode": TINY}, stats | {"id": GONE}])
    pool = {"name": "p", "created_at": DATE}
    pools: list[Row] = [
        {"id": 1, "created_by": GONE},
        {"id": 2, "created_by": NOWHERE},
        {"id": 3, "created_by": HIDDEN},
    ]
    yield from table("tourney_pools", [pool | columns for columns in pools])
    picks = [{"map_id": INT, "mods": -1, "slot": TINY}, {"map_id": 404, "mods": 0, "slot": 1}]
    yield from table("tourney_pool_maps", [pick | {"pool_id": 1} for pick in picks])


def table(name: str, rows: list[Row]) -> Iterator[Rows]:
    """Return rows of a table, which may have different columns."""
    for row in rows:
        yield name, list(row), [tuple(row.values())]


class Trapped(NamedTuple):
    """A client of a service on these rows, and what its database can hold."""

    client: httpx2.Client
    biggest: int
    zero_dates: bool

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module", params=["sqlite", "mysql", "mysql+asyncmy"])
def trapped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    """A service on these rows, with each driver."""
    driver: str = request.param
    data = tmp_path_factory.mktemp("data")
    write_files(data, ((f"osr/{score}.osr", bare()) for score in (7, 8, 9, 2**63 - 1)))
    if driver == "sqlite":
        file: Path = tmp_path_factory.mktemp("traps") / "world.sqlite"
        load_sqlite(file, world(2**63 - 1))
        with service(database_url=f"sqlite:///{file}", data_directory=str(data)) as client:
            yield Trapped(client, 2**63 - 1, zero_dates=False)
        return
    server: MariaDB = request.getfixturevalue("mariadb")
    url = server.database("traps")
    load_mysql(url, world(2**64 - 1))
    zero = ("scores SET play_time", "maps SET last_update", "tourney_pools SET created_at")
    mariadbd.execute(url, "SET sql_mode = ''", *(f"UPDATE {column} = '0000-00-00 00:00:00'" for column in zero))
    mariadbd.execute(url, "SET sql_mode = ''", "UPDATE scores SET play_time = '2020-00-00 01:02:03' WHERE id = 9")
    with service(database_url=url.replace("mysql://", f"{driver}://"), data_directory=str(data)) as client:
        yield Trapped(client, 2**64 - 1, zero_dates=True)


def test_values_at_their_limits(trapped: Trapped) -> None:
    player = trapped.get(f"/v1/get_player_info?scope=all&id={LIMITS}")["player"]
    assert player["info"]["userpage_content"] == "é" * 2048
    assert player["info"]["clan"] == {"id": 1, "name": "試" * 16, "tag": "é" * 6}
    assert set(player["stats"]) == {"0", str(TINY)}
    assert (player["stats"]["0"]["tscore"], player["stats"]["0"]["pp"]) == (trapped.biggest, UINT)
    assert player["stats"]["0"]["rank"] == 1
    leader = trapped.get("/v1/get_leaderboard")["leaderboard"][0]
    assert (leader["player_id"], leader["rscore"], leader["acc"]) == (LIMITS, trapped.biggest, 999.999)
    scores = trapped.get(f"/v1/get_player_scores?scope=recent&id={LIMITS}")["scores"]
    biggest = next(score for score in scores if score["id"] == trapped.biggest)
    assert (biggest["pp"], biggest["acc"], biggest["score"]) == (9999.999, 100.0, INT)
    assert biggest["mods_readable"].startswith("NFEZTD")
    assert biggest["beatmap"]["diff"] == 999.999
    assert biggest["beatmap"]["title"] == "試" * 128


def test_empty_columns_are_null(trapped: Trapped) -> None:
    info = trapped.get("/v1/get_player_info?scope=info&id=6")["player"]["info"]
    assert [info[key] for key in ("custom_badge_name", "custom_badge_icon", "userpage_content", "clan")] == [
        None
    ] * 4
    assert trapped.get("/v1/get_player_info?scope=stats&id=6")["player"]["stats"] == {}
    for path in ("get_player_scores?scope=best&", "get_player_most_played?"):
        assert trapped.get(f"/v1/{path}id=6").get("scores", []) == []


def test_zero_dates_are_null(trapped: Trapped) -> None:
    time = None if trapped.zero_dates else "9999-12-31T23:59:59"
    assert trapped.get(f"/v1/get_map_info?id={INT}")["map"]["last_update"] == time
    assert trapped.get("/v1/get_mappool?id=2")["created_at"] == time
    for path in (f"get_player_scores?id={LIMITS}", f"get_map_scores?id={INT}"):
        for scope in ("best", "recent"):
            for score in trapped.get(f"/v1/{path}&scope={scope}")["scores"]:
                assert score["play_time"] in ([None] if trapped.zero_dates else [time, "2020-01-02T03:04:05"])
    assert (trapped.get("/v1/get_score_info?id=9")["score"]["play_time"] is None) is trapped.zero_dates


def test_references_to_missing_rows(trapped: Trapped) -> None:
    info = trapped.get(f"/v1/get_player_info?scope=info&id={NOWHERE}")["player"]["info"]
    assert (info["clan_id"], info["clan"]) == (999, None)
    assert trapped.get(f"/v1/get_player_scores?scope=best&id={NOWHERE}")["player"]["clan"] is None
    gone, hidden = trapped.get("/v1/get_clan?id=1"), trapped.get("/v1/get_clan?id=2")
    assert (gone["owner"], [member["rank"] for member in gone["members"]]) == (None, ["Member"])
    assert (hidden["owner"], [member["id"] for member in hidden["members"]]) == (None, [7])
    for pool, creator in {1: None, 2: NOWHERE, 3: None}.items():
        created_by = trapped.get(f"/v1/get_mappool?id={pool}")["created_by"]
        assert (created_by and (created_by["id"], created_by["clan"])) == (creator and (creator, None))
    assert len(trapped.get("/v1/get_mappool?id=1")["maps"]) == 1


def test_scores_without_a_player_or_a_beatmap(trapped: Trapped) -> None:
    assert trapped.get("/v1/get_score_info?id=7")["score"]["map_md5"] == NO_MAP
    assert trapped.client.get("/v1/get_score_info?id=8").json() == {"status": "Score not found."}
    listed = trapped.get(f"/v1/get_player_scores?scope=recent&id={LIMITS}")["scores"]
    assert 7 not in [score["id"] for score in listed]
    assert [played["plays"] for played in trapped.get(f"/v1/get_player_most_played?id={LIMITS}")["maps"]] == [2]
    assert [score["id"] for score in trapped.get(f"/v1/get_map_scores?scope=best&md5={MD5}")["scores"]] == [9]


def test_replays_of_such_scores(trapped: Trapped) -> None:
    answer = trapped.client.get("/v1/get_replay?id=9")
    replay, frames = parse(answer.content)
    assert (replay.mods, replay.player_name, frames) == (-1, "L" * 15, bare())
    assert (replay.played_at == 0) is trapped.zero_dates
    assert "%E8%A9%A6" in answer.headers["content-disposition"]
    for score in (7, 8):
        refused = trapped.client.get(f"/v1/get_replay?id={score}")
        assert (refused.status_code, refused.json()) == (404, {"status": "Score not found."})
        assert trapped.client.get(f"/v1/get_replay?id={score}&include_headers=false").content == bare()
    last = trapped.client.get(f"/v1/get_replay?id={2**63 - 1}")
    assert last.status_code == (404 if trapped.zero_dates else 200)
    assert trapped.zero_dates or "(9999-12-31).osr" in last.headers["content-disposition"]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("%", {"100%", "%"}),
        ("0%", {"100%"}),
        ("_", {"a_b", "_"}),
        ("a_b", {"a_b"}),
        ("A_B", {"a_b"}),
        ("!", {"wow!"}),
        ("!%", set()),
        ("\\", {"back\\slash"}),
        ("ck\\sl", {"back\\slash"}),
        ("\\\\", set()),
        ("'", {"o'neil"}),
        ("''", set()),
        ('"', {'q"uote'}),
        ("[x]", {"[x]"}),
        ("合", {"試合"}),
        ("😀", set()),
        ("%%", set()),
        ("\0", set()),
        ("hidden", set()),
        ("Bot", set()),
    ],
)
def test_search_takes_every_character_literally(trapped: Trapped, q: str, names: set[str]) -> None:
    answer = trapped.client.get("/v1/search_players", params={"q": q}).json()
    assert {player["name"] for player in answer["result"]} == names
    assert answer["results"] == len(names)
