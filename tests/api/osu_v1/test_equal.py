"""The scores of the osu! API v1 are those of version 1, row by row, and no parameters whatever make it fail."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.osu_v1.test_shapes import BEATMAP, MAY_BE_NULL, PLAYER, SHAPES, rows_of
from tests.conftest import Recorded

MODES = (0, 1, 2, 3, 4, 5, 6, 8)
# By the key of the osu! API v1, that of version 1.
SCORE = {
    **{"score_id": "id", "score": "score", "maxcombo": "max_combo", "count50": "n50", "count100": "n100"},
    **{"count300": "n300", "countmiss": "nmiss", "countkatu": "nkatu", "countgeki": "ngeki", "pp": "pp"},
    **{"perfect": "perfect", "enabled_mods": "mods", "user_id": "userid"},
}


def assert_equal(row: dict[str, Any], score: dict[str, Any]) -> None:
    """Raise AssertionError unless a row of the osu! API v1 says what a score of version 1 says."""
    failed = score["status"] == 0
    for key, key_of_v1 in SCORE.items():
        if key == "score_id" and failed:
            assert row[key] is None
        elif key in row:
            assert row[key] == json.dumps(score[key_of_v1]), key
    assert row["rank"] == ("F" if failed else score["grade"])
    assert row["date"] == score["play_time"].replace("T", " ")
    if "username" in row:
        assert row["username"] == score["player_name"]
    if "beatmap_id" in row:
        assert row["beatmap_id"] == str(score["beatmap"]["id"])


def equal(client: httpx2.Client, osu: str, v1: str) -> int:
    """Compare the rows of two requests. Return how many there are."""
    rows, answer = rows_of(client, osu), client.get(f"/v1/{v1}")
    scores = answer.json().get("scores", [])
    assert answer.status_code in (200, 404)
    assert len(rows) == len(scores)
    for row, score in zip(rows, scores, strict=True):
        assert_equal(row, score)
    return len(rows)


@given(player=st.integers(1, 160), mode=st.sampled_from(MODES), limit=st.integers(1, 100))
@settings(max_examples=30)
def _test_scores_of_a_player(client: httpx2.Client, player: int, mode: int, limit: int) -> None:
    # Version 1 has the smaller ids no more than other players who do not exist.
    id = max(player, 3)
    query = f"id={id}&mode={mode}&limit={limit}"
    osu = f"u={id}&type=id&m={mode}&limit={limit}"
    equal(client, f"get_user_best?{osu}", f"get_player_scores?scope=best&{query}")
    if limit <= 50:
        equal(client, f"get_user_recent?{osu}", f"get_player_scores?scope=recent&{query}")


def test_scores_of_a_player(recorded: Recorded) -> None:
    run: Callable[[httpx2.Client], None] = _test_scores_of_a_player
    run(recorded.client)
    assert equal(
        recorded.client, f"get_user_best?u={PLAYER}", f"get_player_scores?scope=best&id={PLAYER}&limit=10"
    )


def test_scores_on_every_beatmap(recorded: Recorded) -> None:
    found = 0
    for number, beatmap in enumerate(rows_of(recorded.client, "get_beatmaps")):
        # The vanilla mode of the beatmap, and one of the others.
        for mode in {int(beatmap["mode"]), MODES[number % len(MODES)]}:
            id = beatmap["beatmap_id"]
            v1 = f"get_map_scores?scope=best&id={id}&mode={mode}"
            found += equal(recorded.client, f"get_scores?b={id}&m={mode}", v1)
    assert found > 100


def test_mods_are_exact(recorded: Recorded) -> None:
    seen = set()
    words = {"0": ["NM", "nm"], "64": ["DT", "dt"], "72": ["HDDT", "DTHD", "72"], "576": ["NC", "DTNC"]}
    for beatmap in rows_of(recorded.client, "get_beatmaps")[:40]:
        b = f"b={beatmap['beatmap_id']}"
        everything = rows_of(recorded.client, f"get_scores?{b}&limit=100")
        for mods in {row["enabled_mods"] for row in everything} | {"0", "16384"}:
            expected = [row for row in everything if row["enabled_mods"] == mods]
            for text in (mods, *words.get(mods, ())):
                assert rows_of(recorded.client, f"get_scores?{b}&mods={text}&limit=100") == expected
            seen |= {(mods, bool(expected))}
        for no_mods in ("2147483648", "9" * 20, "9" * 99):
            assert rows_of(recorded.client, f"get_scores?{b}&mods={no_mods}&limit=100") == []
        for any_mods in ("", "x", "HDx", "HDXX", "-1"):
            assert rows_of(recorded.client, f"get_scores?{b}&mods={any_mods}&limit=100") == everything
    assert {("0", True), ("64", True), ("72", True), ("576", True), ("16384", False)} <= seen


def test_the_score_of_a_player_on_a_beatmap(recorded: Recorded) -> None:
    everything = rows_of(recorded.client, f"get_scores?b={BEATMAP}&limit=100")
    players = {row["user_id"] for row in everything}
    assert len(players) > 3
    for player in players:
        own = rows_of(recorded.client, f"get_scores?b={BEATMAP}&u={player}&type=id")
        assert own == [row for row in everything if row["user_id"] == player]
        mods = own[0]["enabled_mods"]
        with_mods = rows_of(recorded.client, f"get_scores?b={BEATMAP}&u={player}&mods={mods}")
        assert with_mods == [row for row in own if row["enabled_mods"] == mods]
    for nobody in ("nobody", "2000000000"):
        assert rows_of(recorded.client, f"get_scores?b={BEATMAP}&u={nobody}") == []
    for nothing in ("", "b=", "b=0", "b=-1", "b=x", "b=2000000000", "b=" + "9" * 5000):
        assert rows_of(recorded.client, f"get_scores?{nothing}") == []


# Values that are wrong in many ways, and right ones.
TEXTS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "2", "3", "4", "8", "50", "78", "805", "-1", "id", "string", "nobody", "5.0", " 5"]
    ),
    st.sampled_from(
        ["\0", "%", "_", "' OR 1=1 -- ", "\\", "9" * 25, "9" * 5000, "1e9", "nan", "[]", "😀", "x" * 99]
    ),
    st.sampled_from(
        ["2020-01-01", "2020-01-01 10:00:00", "2020-13-01", "0000-00-00", "9999-12-31T23:59:59+14:00"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.text(max_size=40),
)
VALUES = TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=20)
PARAMETERS = (
    "u",
    "type",
    "m",
    "b",
    "s",
    "h",
    "a",
    "since",
    "limit",
    "mods",
    "mp",
    "relax",
    "rx",
    "k",
    "event_days",
)
NAMES = st.sampled_from(PARAMETERS) | st.sampled_from(["u[]", "", "x", "q", "sort"])
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=6)
# Without these, a request is one for version 1.
NEEDED = {"get_replay": b"s=", "get_match": b"mp="}


@given(name=st.sampled_from(sorted(SHAPES)), query=QUERIES)
@settings(max_examples=150)
def _test_any_parameters(client: httpx2.Client, name: str, query: list[tuple[str, bytes]]) -> None:
    parts = [f"{key}={quote_from_bytes(value)}".encode() for key, value in query]
    raw = b"&".join([NEEDED[name], *parts] if name in NEEDED else parts)
    url = client.base_url.copy_with(raw_path=f"/api/{name}?".encode() + raw)
    answer = client.get(url)
    assert answer.status_code == 200, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    if name == "get_match":
        assert body == {"match": 0, "games": []}
    elif name == "get_replay":
        assert list(body) == ["content", "encoding"] or body == {"error": "Replay not available."}
    else:
        for row in body:
            assert list(row) == SHAPES[name][1].split()
            assert {key for key, value in row.items() if value is None} <= MAY_BE_NULL


def test_any_parameters(recorded: Recorded) -> None:
    run: Callable[[httpx2.Client], None] = _test_any_parameters
    run(recorded.client)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    "query", ["%", "%zz=%zz", "&&&=&=", "=1", "?u=1", "u", "u=1;m=2", "u=%ff%fe", "u[]=1&u[1]=2"]
)
def test_odd_queries(recorded: Recorded, name: str, query: str) -> None:
    needed = f"&{NEEDED[name].decode()}" if name in NEEDED else ""
    answer = recorded.client.get(
        recorded.client.base_url.copy_with(raw_path=f"/api/{name}?{query}{needed}".encode())
    )
    assert answer.status_code == 200
    assert answer.json() is not None


def test_of_a_repeated_parameter_the_last_value_counts(recorded: Recorded) -> None:
    client = recorded.client
    assert rows_of(client, "get_user?u=3&u=50") == rows_of(client, "get_user?u=50")
    assert rows_of(client, "get_user?u=50&u=") == []
