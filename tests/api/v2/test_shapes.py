"""Version 2 with texts that have white space around them, and with hidden players who are shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from demo.load import load_sqlite
from domain import v2
from tests.conftest import service
from tests.storage.database.test_data_traps import MAP, MD5, SCORE, user

PADDED = {"artist": "\ta", "title": "T  ", "version": "\u3000v\u2003", "creator": " c ", "filename": "f.osu\n"}
NUMBERS = {"total_length": 1, "max_combo": 1, "last_update": "2020-01-02 03:04:05", "frozen": 1}

WITH_TEXTS = ["players", "players/3", "players/search?q=pad", "players/3/scores", "players/3/most_played", "clans"]
WITH_TEXTS += ["clans/1", "leaderboards/0", "maps", "maps/5", "maps/5/scores", "scores", "scores/13"]


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A service that shows hidden players, on a world in which every text has white space around it."""
    clan = {"id": 1, "name": " two words ", "tag": " T", "owner": 4, "created_at": "2020-01-02 03:04:05"}
    texts = {"custom_badge_name": " badge ", "custom_badge_icon": None, "userpage_content": "\n\n", "clan_id": 1}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("users", user(3, " padded ", **texts)),
        ("users", user(4, "hidden", priv=1, clan_id=1)),
        ("clans", clan),
        ("maps", MAP | PADDED | NUMBERS | {"id": 5, "md5": MD5, "server": "private"}),
        *(("scores", SCORE | {"id": 10 + owner, "map_md5": MD5, "userid": owner}) for owner in (3, 4)),
        ("stats", {"id": 4, "mode": 0, "pp": 7}),
    ]
    file = Path(tmp_path_factory.mktemp("padded"), "world.sqlite")
    load_sqlite(file, ((name, list(row), [tuple(row.values())]) for name, row in rows))
    with service(database_url=f"sqlite:///{file}", show_hidden_players="true") as client:
        yield client


def data(client: httpx2.Client, path: str) -> Any:
    """Return the data of a response."""
    return client.get(f"/v2/{path}").json()["data"]


def padded_texts(value: Any) -> list[str]:
    """Return the texts in `value` that have white space around them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for each in value for text in padded_texts(each)]
    return [value] if isinstance(value, str) and value != value.strip() else []


@pytest.mark.parametrize("path", WITH_TEXTS)
def test_texts_are_stripped(padded: httpx2.Client, path: str) -> None:
    assert data(padded, path)
    assert padded_texts(data(padded, path)) == []


def test_version_1_does_not_strip_texts(padded: httpx2.Client) -> None:
    beatmap = padded.get("/v1/get_map_info?id=5").json()["map"]
    assert (beatmap["title"], beatmap["artist"]) == ("T  ", "\ta")
    assert not {"server", "filename", "frozen"} & set(beatmap)
    assert padded.get("/v1/get_score_info?id=13").json()["score"]["player_name"] == " padded "


def test_nothing_else_is_stripped(padded: httpx2.Client) -> None:
    player = data(padded, "players/3")
    assert (player["name"], player["userpage_content"], player["custom_badge_icon"]) == ("padded", "", None)
    assert data(padded, "maps/5")["frozen"] is True
    assert data(padded, "maps/5")["server"] == "private"
    assert data(padded, "clans/1")["name"] == "two words"
    assert data(padded, "scores/13")["player"]["clan_tag"] == "T"


def test_hidden_players_are_shown_on_request(padded: httpx2.Client) -> None:
    assert [row["id"] for row in data(padded, "players")] == [3, 4]
    assert [row["id"] for row in data(padded, "scores")] == [13, 14]
    assert data(padded, "scores/14")["userid"] == 4
    # A hidden player has no rank.
    assert data(padded, "players/4/stats/0")["rank"] is None


def test_a_changed_copy_is_stripped_too() -> None:
    found = msgspec.convert({"id": 3, "name": " a b "}, v2.FoundPlayer)
    assert found.name == "a b"
    assert msgspec.structs.replace(found, name="c ").name == "c"
