"""set_player_info: which fields may be changed, and by whom, and that nothing else changes."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import ADMIN, IDS, PLAYER, Playground, playground, signed
from tests.support import servers

FIELDS = ("userpage_content", "preferred_mode", "play_style", "custom_badge_name", "custom_badge_icon")


def change(world: Playground, key: str = ADMIN, method: str = "POST", **body: Any) -> httpx2.Response:
    return world.client.request(method, "/api/set_player_info", headers=signed(key), **body)


def info(world: Playground, key: str = ADMIN) -> dict[str, Any]:
    answer = world.client.get(f"/v1/get_player_info?scope=info&id={IDS[key]}")
    found: dict[str, Any] = answer.json()["player"]["info"]
    return found


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("userpage_content", "[b]こんにちは[/b]\nØ & <i>"),
        ("userpage_content", "x" * 2048),
        ("userpage_content", ""),
        ("userpage_content", None),
        ("preferred_mode", 8),
        ("preferred_mode", 0),
        ("play_style", 2147483647),
        ("custom_badge_name", "Mapper ★"),
        ("custom_badge_icon", "fa-star"),
        ("custom_badge_icon", None),
    ],
)
def test_one_field_changes_and_no_other(world: Playground, method: str, field: str, value: Any) -> None:
    before = info(world)
    answer = change(world, method=method, json={field: value})

    assert (answer.status_code, answer.json()) == (200, {"status": "success", "updated": {field: value}})
    assert info(world) == before | {field: value}


def test_a_form_is_like_json(world: Playground) -> None:
    form = {"userpage_content": "Grüße", "preferred_mode": "4", "play_style": "3", "custom_badge_name": ""}
    expected = form | {"preferred_mode": 4, "play_style": 3, "custom_badge_name": None}
    for body in ({"data": form}, {"files": {name: (None, value) for name, value in form.items()}}):
        answer = change(world, **body)

        assert (answer.status_code, answer.json()["updated"]) == (200, expected)


def test_a_change_is_never_answered_with_304(world: Playground) -> None:
    changed = world.client.post("/v1/set_player_info", json={"play_style": 5}, headers=signed(PLAYER))
    for known in ("*", changed.headers["ETag"]):
        headers = signed(PLAYER) | {"If-None-Match": known}
        again = world.client.post("/v1/set_player_info", json={"play_style": 5}, headers=headers)
        assert (again.status_code, again.json()) == (200, changed.json())


def test_the_same_change_twice(world: Playground) -> None:
    answers = [change(world, json={"play_style": 5}).json() for _ in range(2)]

    assert answers == [{"status": "success", "updated": {"play_style": 5}}] * 2


def test_other_players_are_not_changed(world: Playground) -> None:
    before = info(world, PLAYER)
    change(world, json={"userpage_content": "mine", "play_style": 7})

    assert info(world, PLAYER) == before


def test_mode_7_means_autopilot(world: Playground) -> None:
    assert change(world, json={"preferred_mode": 7}).json()["updated"] == {"preferred_mode": 8}


@pytest.mark.parametrize(
    "field", ["name", "username", "safe_name", "country", "email", "password", "pw_bcrypt", "Name"]
)
def test_fields_that_the_game_server_owns(world: Playground, field: str) -> None:
    before = info(world)
    answer = change(world, json={"play_style": 9, field: "x"})

    assert answer.status_code == 400
    assert answer.json() == {"status": f"{field} is owned by the game server: change it there."}
    assert info(world) == before


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"priv": 31879}, "priv is not a field to change; these are: " + ", ".join(FIELDS) + "."),
        ({"": 4}, '"" is not a field to change; these are: ' + ", ".join(FIELDS) + "."),
        ({"id": 4}, "id is not a field to change; these are: " + ", ".join(FIELDS) + "."),
        ({"api_key": "x"}, "api_key is not a field to change; these are: " + ", ".join(FIELDS) + "."),
        ({"donor_end": 1}, "donor_end is not a field to change; these are: " + ", ".join(FIELDS) + "."),
        ({"set_play_style": 1}, "set_play_style is not a field to change; these are: " + ", ".join(FIELDS) + "."),
        ({}, "Must provide a field to change: " + ", ".join(FIELDS) + "."),
        ({"userpage_content": "x" * 2049}, "userpage_content must be a text of at most 2048 characters, or null."),
        ({"userpage_content": 5}, "userpage_content must be a text of at most 2048 characters, or null."),
        ({"userpage_content": ["x"]}, "userpage_content must be a text of at most 2048 characters, or null."),
        ({"preferred_mode": 9}, "Invalid gamemode."),
        ({"preferred_mode": 12}, "preferred_mode must be a mode: 0 to 6, or 8."),
        ({"preferred_mode": None}, "preferred_mode must be a mode: 0 to 6, or 8."),
        ({"preferred_mode": "4"}, "preferred_mode must be a mode: 0 to 6, or 8."),
        ({"preferred_mode": True}, "preferred_mode must be a mode: 0 to 6, or 8."),
        ({"play_style": -1}, "play_style must be a whole number from 0."),
        ({"play_style": 2**31}, "play_style must be a whole number from 0."),
        ({"play_style": 1.5}, "play_style must be a whole number from 0."),
        ({"custom_badge_name": "x" * 17}, "custom_badge_name must be a text of at most 16 characters, or null."),
        ({"custom_badge_icon": "★"}, "custom_badge_icon must be at most 64 ASCII characters, or null."),
        ({"custom_badge_icon": "x\n"}, "custom_badge_icon must be at most 64 ASCII characters, or null."),
    ],
)
def test_a_refused_request_changes_nothing(world: Playground, body: dict[str, Any], text: str) -> None:
    before = info(world)
    answer = change(world, json=body)

    assert (answer.status_code, answer.json()) == (400, {"status": text})
    assert info(world) == before


@pytest.mark.parametrize("field", ["play_style", "preferred_mode"])
def test_a_form_without_a_number(world: Playground, field: str) -> None:
    assert change(world, data={field: ""}).status_code == 400
    assert change(world, data={field: "x"}).status_code == 400


@pytest.mark.parametrize("field", ["custom_badge_name", "custom_badge_icon"])
def test_badges_are_for_supporters(world: Playground, field: str) -> None:
    refused = change(world, PLAYER, json={field: "x", "play_style": 11})
    before = info(world, PLAYER)["play_style"]
    allowed = change(world, PLAYER, json={"play_style": 12})

    assert (refused.status_code, refused.json()) == (403, {"status": "Insufficient privileges."})
    assert before != 11
    assert allowed.status_code == 200


def test_a_text_that_the_column_cannot_store(on_mysql: Playground) -> None:
    before = info(on_mysql)
    answer = change(on_mysql, json={"userpage_content": "smile 😀", "play_style": 13})

    text = "A text holds characters that the game server's database cannot keep."
    assert (answer.status_code, answer.json()) == (400, {"status": text})
    assert info(on_mysql) == before


def test_a_text_is_never_truncated(tmp_path: Path) -> None:
    # Without strict mode, the server stores what is before the character and only warns.
    with (
        servers.mariadb(private=True, options=["--sql-mode="]) as lax,
        playground(tmp_path, lax.database("lax")) as here,
    ):
        answer = change(here, json={"custom_badge_name": "x😀"})
        badge = info(here)["custom_badge_name"]

    assert (answer.status_code, badge) == (400, None)


def test_a_read_only_database(on_sqlite: Playground) -> None:
    on_sqlite.sql("CREATE TRIGGER readonly BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'read-only'); END")
    answer = change(on_sqlite, json={"play_style": 1})
    on_sqlite.sql("DROP TRIGGER readonly")

    assert (answer.status_code, answer.json()) == (503, {"status": "The database did not answer."})
    assert info(on_sqlite)
