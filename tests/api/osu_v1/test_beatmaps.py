"""get_beatmaps: its filters, its order, and what is counted for each beatmap."""

from typing import Any

import httpx2
import pytest

from tests.api.osu_v1.test_shapes import BEATMAP, rows_of
from tests.conftest import Playground, Recorded


def everything(client: httpx2.Client) -> list[dict[str, Any]]:
    return rows_of(client, "get_beatmaps?limit=500")


def test_order_and_rows(recorded: Recorded) -> None:
    rows = everything(recorded.client)
    keys = [(-int(row["beatmapset_id"]), int(row["beatmap_id"])) for row in rows]
    assert keys == sorted(keys)
    assert len(rows) > 50
    approved = {2: "1", 3: "2", 4: "3", 5: "4"}
    seen = set()
    for row in rows[::5]:
        beatmap = recorded.client.get(f"/v1/get_map_info?id={row['beatmap_id']}").json()["map"]
        names = {
            **{"beatmapset_id": "set_id", "total_length": "total_length", "hit_length": "total_length"},
            **{"diff_size": "cs", "diff_overall": "od", "diff_approach": "ar", "diff_drain": "hp", "bpm": "bpm"},
            **{"mode": "mode", "playcount": "plays", "passcount": "passes", "max_combo": "max_combo"},
            **{"difficultyrating": "diff"},
        }
        assert {key: row[key] for key in names} == {key: str(beatmap[name]) for key, name in names.items()}
        texts = {
            "version": "version",
            "file_md5": "md5",
            "artist": "artist",
            "title": "title",
            "creator": "creator",
        }
        texts |= {"artist_unicode": "artist", "title_unicode": "title"}
        assert {key: row[key] for key in texts} == {key: beatmap[name] for key, name in texts.items()}
        assert row["approved"] == approved.get(beatmap["status"], "0")
        assert (row["approved_date"] is None) == (row["approved"] == "0")
        seen.add(row["approved"])
    assert len(seen) > 2


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [("m=1", "mode", "1"), ("m=5", "mode", "1"), ("m=8", "mode", "0"), ("m=3&a=1", "mode", "3")],
)
def test_modes(recorded: Recorded, query: str, key: str, value: str) -> None:
    expected = [row for row in everything(recorded.client) if row[key] == value]
    assert without_counts(rows_of(recorded.client, f"get_beatmaps?{query}")) == without_counts(expected)


def without_counts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without favourites, which are not counted in long lists."""
    return [row | {"favourite_count": ""} for row in rows]


def test_filters(recorded: Recorded) -> None:
    client = recorded.client
    rows = everything(client)
    one = next(row for row in rows if row["beatmap_id"] == str(BEATMAP))
    for query in (
        f"b={BEATMAP}",
        f"h={one['file_md5']}",
        f"h={one['file_md5'].upper()}",
        f"b={BEATMAP}&m=&s=&u=",
    ):
        assert without_counts(rows_of(client, f"get_beatmaps?{query}")) == without_counts([one])
    both = f"get_beatmaps?b={BEATMAP}&h={one['file_md5']}&s={one['beatmapset_id']}&m={one['mode']}"
    assert without_counts(rows_of(client, both)) == without_counts([one])
    for query in (
        f"b={BEATMAP}&s=1",
        f"b={BEATMAP}&h={'0' * 32}",
        "b=2000000000",
        "h=x",
        "s=2000000000",
        "b=0",
        "s=0",
        "b=-1",
        "b=0&limit=500",
    ):
        assert rows_of(client, f"get_beatmaps?{query}") == []
    # What cannot be read counts as absent.
    assert rows_of(client, "get_beatmaps?b=abc&s=x&limit=5") == rows_of(client, "get_beatmaps?limit=5") != []
    in_set = [row for row in rows if row["beatmapset_id"] == one["beatmapset_id"]]
    found = rows_of(client, f"get_beatmaps?s={one['beatmapset_id']}")
    assert without_counts(found) == without_counts(in_set)
    creator = one["creator"]
    by_creator = client.get("/api/get_beatmaps", params={"u": creator, "limit": 500}).json()
    assert without_counts(by_creator) == without_counts([row for row in rows if row["creator"] == creator])
    assert client.get("/api/get_beatmaps", params={"u": creator, "type": "id"}).json() == []
    assert client.get("/api/get_beatmaps", params={"u": creator, "type": "string"}).json() == by_creator


def test_since(recorded: Recorded) -> None:
    client = recorded.client
    final = [row for row in everything(client) if row["approved"] in ("1", "2", "4")]
    times = sorted({row["last_update"] for row in final})
    middle = times[len(times) // 2]
    for since in (middle, middle[:10], "1970-01-01", "2999-01-01"):
        start = since if len(since) > 10 else f"{since} 00:00:00"
        expected = [row for row in final if row["last_update"] > start]
        found = client.get("/api/get_beatmaps", params={"since": since}).json()
        assert without_counts(found) == without_counts(expected[:500])
    assert len(everything(client)) == len(rows_of(client, "get_beatmaps?since=yesterday"))


def test_favourites_and_ratings(uncached: Playground) -> None:
    here = uncached
    (one,) = rows_of(here.client, f"get_beatmaps?b={BEATMAP}")
    md5, set_id = one["file_md5"], one["beatmapset_id"]
    here.sql(
        "DELETE FROM favourites",
        "DELETE FROM ratings",
        # Player 29 is hidden.
        *(f"INSERT INTO favourites (userid, setid) VALUES ({player}, {set_id})" for player in (3, 4, 29)),
        *(
            f"INSERT INTO ratings (userid, map_md5, rating) VALUES ({player}, '{md5}', {rating})"
            for player, rating in ((3, 9), (4, 6), (12, 10), (29, 1))
        ),
    )
    for query in (f"b={BEATMAP}", f"h={md5}", f"s={set_id}", f"b={BEATMAP}&m={one['mode']}"):
        found = {row["beatmap_id"]: row for row in rows_of(here.client, f"get_beatmaps?{query}")}
        row = found[str(BEATMAP)]
        assert row["favourite_count"] == "2"
        assert float(row["rating"]) == pytest.approx(25 / 3)
    others = [row for row in everything(here.client) if row["beatmap_id"] != str(BEATMAP)]
    assert {row["rating"] for row in others} == {"0"}
    # Of more than 20 sets, favourites are not counted.
    assert {row["favourite_count"] for row in everything(here.client)} == {"0"}
