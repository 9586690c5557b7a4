"""The responses of the osu! API v1: their keys, their order, and what they say about the rows."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.request.osu_v1 import NAMES, V1_PREFIXES
from tests.conftest import Playground, Recorded, service

PLAYER, BEATMAP, REPLAY = 50, 78, 805
USER = (
    "user_id username join_date count300 count100 count50 playcount ranked_score total_score pp_rank level pp_raw"
    " accuracy count_rank_ss count_rank_ssh count_rank_s count_rank_sh count_rank_a country total_seconds_played"
    " pp_country_rank events"
)
RESULT = "maxcombo count50 count100 count300 countmiss countkatu countgeki perfect enabled_mods user_id date rank"
BEATMAP_KEYS = (
    "beatmapset_id beatmap_id approved total_length hit_length version file_md5 diff_size diff_overall"
    " diff_approach diff_drain mode count_normal count_slider count_spinner submit_date approved_date last_update"
    " artist artist_unicode title title_unicode creator creator_id bpm source tags genre_id language_id"
    " favourite_count rating storyboard video download_unavailable audio_unavailable playcount passcount packs"
    " max_combo diff_aim diff_speed difficultyrating"
)
# Each endpoint, a request to it that has a response, and the keys of its rows in their order.
SHAPES = {
    "get_user": (f"u={PLAYER}", USER),
    "get_user_best": (f"u={PLAYER}", f"beatmap_id score_id score {RESULT} pp replay_available"),
    "get_user_recent": (f"u={PLAYER}", f"beatmap_id score {RESULT} score_id"),
    "get_scores": (f"b={BEATMAP}", f"score_id score username {RESULT} pp replay_available"),
    "get_beatmaps": (f"b={BEATMAP}", BEATMAP_KEYS),
    "get_replay": (f"s={REPLAY}", "content encoding"),
    "get_match": ("mp=1", "match games"),
}
MAY_BE_NULL = {"approved_date", "packs", "diff_aim", "diff_speed", "pp", "max_combo", "score_id"}
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
TIMES = {"date", "join_date", "submit_date", "approved_date", "last_update"}


def rows_of(client: httpx2.Client, request: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/{request}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


def test_every_endpoint_has_a_shape() -> None:
    assert set(SHAPES) == set(NAMES)
    assert len(BEATMAP_KEYS.split()) == 42


@pytest.mark.parametrize("name", SHAPES)
def test_keys_and_values(recorded: Recorded, name: str) -> None:
    query, keys = SHAPES[name]
    answer = recorded.client.get(f"/api/{name}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    rows = body if isinstance(body, list) else [body]
    assert rows
    for row in rows:
        assert list(row) == keys.split()
        for key, value in row.items():
            if key in ("match", "games", "events"):
                assert value in (0, [])
            elif value is None:
                assert key in MAY_BE_NULL
            else:
                assert isinstance(value, str)
                assert key not in TIMES or TIME.fullmatch(value)


@pytest.mark.parametrize("name", SHAPES)
def test_all_forms_of_the_path(recorded: Recorded, name: str) -> None:
    query, _ = SHAPES[name]
    expected = recorded.client.get(f"/api/{name}?{query}")
    for prefix in V1_PREFIXES:
        for path in (f"{prefix}{name}", f"{prefix}{name}/", f"{prefix}/{name}", f"/{prefix}//{name}//"):
            answer = recorded.client.get(f"{recorded.client.base_url.copy_with(raw_path=path.encode())}?{query}")
            assert (answer.status_code, answer.content) == (200, expected.content), path


@pytest.mark.parametrize("name", SHAPES)
def test_methods(recorded: Recorded, name: str) -> None:
    url = f"/api/{name}?{SHAPES[name][0]}"
    plain = {"Accept-Encoding": "identity"}
    answer, head = (recorded.client.request(method, url, headers=plain) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))
    assert head.headers["etag"] == answer.headers["etag"]
    assert recorded.client.options(url).headers["allow"] == "GET, HEAD, OPTIONS"
    for method in ("POST", "PUT", "DELETE"):
        refused = recorded.client.request(method, url)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("name", SHAPES)
def test_a_client_that_has_the_response_gets_a_304(recorded: Recorded, name: str) -> None:
    url = f"/api/{name}?{SHAPES[name][0]}"
    etag = recorded.client.get(url).headers["etag"]
    answer = recorded.client.get(url, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


def test_long_lists_are_compressed(recorded: Recorded) -> None:
    url = f"/api/get_scores?b={BEATMAP}"
    plain = recorded.client.get(url, headers={"Accept-Encoding": "identity"})
    with recorded.client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        compressed = b"".join(answer.iter_raw())
    assert gzip.decompress(compressed) == plain.content
    assert len(compressed) < len(plain.content) / 2


def test_get_user_says_what_get_player_info_says(recorded: Recorded) -> None:
    seen = set()
    for id in range(3, 60):
        info = recorded.client.get(f"/v1/get_player_info?scope=all&id={id}")
        rows = {mode: rows_of(recorded.client, f"get_user?u={id}&type=id&m={mode}") for mode in (0, 3, 4, 8)}
        if info.status_code == 404:
            assert set(map(str, rows.values())) == {"[]"}
            continue
        player = info.json()["player"]
        for mode, (user,) in rows.items():
            assert (user["user_id"], user["username"]) == (str(id), player["info"]["name"])
            assert user["country"] == player["info"]["country"].upper()
            stats = player["stats"].get(str(mode))
            if stats is None:
                assert {user[key] for key in ("playcount", "level", "accuracy", "pp_raw", "pp_rank")} == {"0"}
                continue
            seen.add((mode, stats["rank"] > 0))
            of_v1 = {
                **{"playcount": "plays", "ranked_score": "rscore", "total_score": "tscore", "pp_raw": "pp"},
                **{"pp_rank": "rank", "pp_country_rank": "country_rank", "accuracy": "acc"},
                **{"count_rank_ss": "x_count", "count_rank_ssh": "xh_count", "count_rank_s": "s_count"},
                **{"count_rank_sh": "sh_count", "count_rank_a": "a_count", "total_seconds_played": "playtime"},
            }
            assert {key: user[key] for key in of_v1} == {key: json.dumps(stats[v1]) for key, v1 in of_v1.items()}
            assert re.fullmatch(r"\d+\.\d{4}", user["level"])
    assert {(0, True), (0, False), (4, True)} <= seen


def test_how_a_player_is_named(world: Playground) -> None:
    world.sql("UPDATE users SET name = '12', safe_name = '12' WHERE id = 50")
    world.sql("UPDATE users SET name = '999', safe_name = '999' WHERE id = 51")

    def found(query: str) -> list[str]:
        return [user["user_id"] for user in rows_of(world.client, f"get_user?{query}")]

    by_name = rows_of(world.client, "get_user?u=12&type=id")[0]["username"]
    assert found("u=12") == found("u=12&type=id") == found(f"u={by_name.upper()}") == ["12"]
    assert found("u=12&type=string") == found("u=50") == ["50"]
    # An id is never taken for a name, or the other way round.
    assert found("u=999") == found("u=999&type=string") == ["51"]
    assert found("u=999&type=id") == found("u=50&type=string") == found(f"u={by_name}&type=id") == []
    assert found("") == found("u=") == found("u=nobody") == found("u=0") == found("u=-3") == []
    # A type that does not exist is none.
    assert found("u=12&type=name") == ["12"]


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        *(
            ("", 0),
            ("m=", 0),
            ("m=x", 0),
            ("m=3", 3),
            ("m=6", 6),
            ("m=8", 8),
            ("m=7", 8),
            ("m=10", 0),
            ("m=-1", 0),
        ),
        *(("relax=1", 4), ("m=2&relax=1", 6), ("rx=1&m=1", 5), ("rx=2", 8), ("m=3&rx=2", 8), ("m=3&rx=1", 3)),
        *(("m=4&relax=1", 4), ("relax=0&m=2", 2), ("m=99", 0), ("m=-1", 0)),
    ],
)
def test_modes(recorded: Recorded, query: str, mode: int) -> None:
    for name in ("get_user", "get_user_best", "get_user_recent"):
        assert rows_of(recorded.client, f"{name}?u={PLAYER}&{query}") == rows_of(
            recorded.client, f"{name}?u={PLAYER}&m={mode}"
        )
    in_mode = recorded.client.get(f"/v1/get_player_scores?scope=recent&id={PLAYER}&mode={mode}&limit=10").json()
    ids = [str(score["id"]) for score in in_mode["scores"] if score["status"]]
    recent = rows_of(recorded.client, f"get_user_recent?u={PLAYER}&{query}")
    assert [row["score_id"] for row in recent if row["score_id"]] == ids


def test_limits_are_clamped(recorded: Recorded) -> None:
    def lengths(name: str, *limits: object) -> list[int]:
        return [len(rows_of(recorded.client, f"{name}&limit={limit}")) for limit in limits]

    beatmaps = lengths("get_beatmaps?", 0, -5, 1, 3, 500, 501, "9" * 30, "", "x")
    assert beatmaps[:4] == [1, 1, 1, 3]
    assert len(set(beatmaps[4:])) == 1
    assert lengths(f"get_scores?b={BEATMAP}", 0, 2, 100) == [
        *(1, 2),
        *lengths(f"get_scores?b={BEATMAP}", 10**9),
    ]
    assert lengths(f"get_user_recent?u={PLAYER}", 50) == lengths(f"get_user_recent?u={PLAYER}", 100)
    assert lengths(f"get_user_best?u={PLAYER}", "") == [10]


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("Asia/Tokyo", 9)])
def test_times_are_utc(recorded_sqlite: str, zone: str, hours: int) -> None:
    with service(database_url=recorded_sqlite, time_zone=zone) as client:
        for name in ("best", "recent"):
            scores = client.get(f"/v1/get_player_scores?scope={name}&id={PLAYER}&limit=10").json()["scores"]
            local = [datetime.fromisoformat(score["play_time"]) for score in scores]
            dates = [row["date"] for row in rows_of(client, f"get_user_{name}?u={PLAYER}")]
            assert dates == [str(time - timedelta(hours=hours)) for time in local]
        info = client.get(f"/v1/get_player_info?scope=info&id={PLAYER}").json()["player"]["info"]
        joined = datetime.fromtimestamp(info["creation_time"], UTC).replace(tzinfo=None)
        assert rows_of(client, f"get_user?u={PLAYER}")[0]["join_date"] == str(joined)
        updated = client.get(f"/v1/get_map_info?id={BEATMAP}").json()["map"]["last_update"]
        assert rows_of(client, f"get_beatmaps?b={BEATMAP}")[0]["last_update"] == updated.replace("T", " ")
