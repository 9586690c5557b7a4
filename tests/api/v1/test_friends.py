"""get_friends: who is listed, in which order, and who is left out."""

from pathlib import Path

import pytest

from tests.conftest import PLAYER, UNVERIFIED, Playground, playground, signed

SETUP = (
    "DELETE FROM relationships WHERE user1 IN (12, 16)",
    *(
        f"INSERT INTO relationships (user1, user2, type) VALUES (12, {other}, 'friend')"
        for other in (40, 3, 16, 29)
    ),
    "INSERT INTO relationships (user1, user2, type) VALUES (12, 6, 'block')",
    "INSERT INTO relationships (user1, user2, type) VALUES (12, 999999, 'friend')",
    "INSERT INTO relationships (user1, user2, type) VALUES (12, 1, 'friend')",
    # A friend of another player.
    "INSERT INTO relationships (user1, user2, type) VALUES (16, 41, 'friend')",
    "UPDATE users SET priv = 3 WHERE id IN (3, 40)",
)


def friends(world: Playground, query: str = "", key: str = PLAYER) -> list[int]:
    answer = world.client.get(f"/v1/get_friends{query}", headers=signed(key))
    assert answer.status_code == 200
    assert answer.json()["status"] == "success"
    return [friend["id"] for friend in answer.json()["friends"]]


def test_visible_friends_by_id(world: Playground) -> None:
    world.sql(*SETUP)

    # Without unverified, restricted and blocked players, and without the bot.
    assert friends(world) == [3, 40]
    assert friends(world, "?offset=1") == [40]
    assert friends(world, key=UNVERIFIED) in ([41], [])


def test_the_fields_of_a_friend(world: Playground) -> None:
    world.sql(*SETUP)
    friend = world.client.get("/api/get_friends", headers={"Authorization": PLAYER}).json()["friends"][0]

    info = world.client.get("/v1/get_player_info?scope=info&id=3").json()["player"]["info"]
    assert friend == {name: info[name] for name in friend}
    assert set(friend) == {"id", "name", "safe_name", "country", "clan_id", "latest_activity"}


def test_a_player_without_friends(world: Playground) -> None:
    world.sql("DELETE FROM relationships WHERE user1 = 16")

    assert friends(world, key=UNVERIFIED) == []


def test_an_invalid_offset(world: Playground) -> None:
    answer = world.client.get("/v1/get_friends?offset=-1")

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"friends_with_bot": "true"}, [1, 3, 40]),
        ({"show_hidden_players": "true"}, [3, 16, 29, 40]),
        ({"list_limit": "1"}, [3]),
    ],
)
def test_settings(tmp_path: Path, setting: dict[str, str], expected: list[int]) -> None:
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}", **setting) as here:
        here.sql(*SETUP)

        assert friends(here) == expected
