"""Medals of players, in both versions, and databases that have none."""

from typing import Any

import pytest

from tests.conftest import Playground

MEDALS = {
    1: ("osu-skill-pass-1", "A medal", 0),
    2: ("taiko-skill-fc-3", "Ünïcode 試合", 1),
    3: ("fruits-combo-500", " with spaces ", 2),
    4: ("mania-secret-a", "four", 3),
    5: ("all-intro-hidden", "of no mode", None),
    6: ("osu", "one word", 0),
    7: ("osuplus-a", "no word of ours", None),
}
# The medals of players: the last one of each of the first two does not exist.
OWNED = {3: {1, 3, 5, 99}, 4: {2, 98}, 16: {1, 2}}
HIDDEN, WITHOUT = 16, 5


@pytest.fixture(scope="module")
def medals(world: Playground) -> Playground:
    """A world with these medals."""
    world.sql("DELETE FROM achievements", "DELETE FROM user_achievements")
    for id, (file, name, _) in MEDALS.items():
        world.sql(f"INSERT INTO achievements VALUES ({id}, '{file}', '{name}', 'how to get {id}', 'exit()')")
    for player, owned in OWNED.items():
        world.sql(*(f"INSERT INTO user_achievements VALUES ({player}, {id})" for id in owned))
    return world


def get(world: Playground, path: str) -> Any:
    response = world.client.get(path)
    assert response.status_code == 200, response.text
    assert "exit" not in response.text
    return response.json()


def medal(id: int, **more: bool) -> dict[str, Any]:
    """Return a medal as version 1 shows it."""
    file, name, mode = MEDALS[id]
    return {"id": id, "file": file, "name": name, "desc": f"how to get {id}", "mode": mode} | more


def stripped(medal: dict[str, Any]) -> dict[str, Any]:
    """Return a medal as version 2 shows it."""
    return medal | {"name": medal["name"].strip()}


@pytest.mark.parametrize("player", [3, 4, WITHOUT])
def test_the_medals_of_a_player(medals: Playground, player: int) -> None:
    owned = sorted(OWNED.get(player, set()) & MEDALS.keys())
    body = get(medals, f"/v1/get_player_achievements?id={player}")
    assert list(body) == ["status", "total", "count", "achievements", "player"]
    assert (body["status"], body["total"], body["count"]) == ("success", len(MEDALS), len(owned))
    assert body["achievements"] == [medal(id) for id in owned]
    assert body["player"]["id"] == player
    assert body["player"].keys() == {"id", "name", "clan"}
    assert get(medals, f"/api/get_player_achievements?name={body['player']['name']}") == body

    everything = get(medals, f"/v1/get_player_achievements?id={player}&all=true")
    assert everything["achievements"] == [medal(id, achieved=id in owned) for id in MEDALS]
    assert (everything["total"], everything["count"]) == (len(MEDALS), len(owned))

    of_v2 = get(medals, f"/v2/players/{player}/achievements")
    data = [stripped(medal(id)) for id in owned]
    assert of_v2 == {"status": "success", "data": data, "meta": {"total": len(owned)}}
    data = [stripped(medal(id, achieved=id in owned)) for id in MEDALS]
    everything = get(medals, f"/v2/players/{player}/achievements?all=1")
    assert everything == {"status": "success", "data": data, "meta": {"total": len(MEDALS)}}


def test_the_list_of_all_medals(medals: Playground) -> None:
    whole = get(medals, "/v2/achievements")
    data = [stripped(medal(id)) for id in MEDALS]
    assert whole == {"status": "success", "data": data, "meta": {"total": len(data), "page": 1, "page_size": 50}}
    page = get(medals, "/v2/achievements?page=2&page_size=3")
    assert page["data"] == data[3:6]
    assert page["meta"] == {"total": len(data), "page": 2, "page_size": 3}


@pytest.mark.parametrize("player", [HIDDEN, 2_000_000_000])
def test_nobody_has_medals(medals: Playground, player: int) -> None:
    response = medals.client.get(f"/v1/get_player_achievements?id={player}")
    assert (response.status_code, response.json()) == (404, {"status": "Player not found."})
    response = medals.client.get(f"/v2/players/{player}/achievements")
    assert (response.status_code, response.json()) == (404, {"status": "error", "error": "Player not found."})


@pytest.mark.parametrize("query", ["", "?id=3&name=x_y", "?all=true"])
def test_a_player_is_named_in_one_way(medals: Playground, query: str) -> None:
    response = medals.client.get(f"/v1/get_player_achievements{query}")
    assert (response.status_code, response.json()) == (400, {"status": "Must provide either id OR name!"})


@pytest.mark.parametrize(
    "missing", [["achievements"], ["user_achievements"], ["achievements", "user_achievements"]]
)
def test_a_database_without_the_tables(uncached: Playground, missing: list[str]) -> None:
    uncached.sql(*(f"DROP TABLE {table}" for table in missing))
    body = get(uncached, "/v1/get_player_achievements?id=3&all=true")
    assert (body["total"], body["count"], body["achievements"]) == (0, 0, [])
    empty = {"status": "success", "data": [], "meta": {"total": 0}}
    assert get(uncached, "/v2/players/3/achievements?all=true") == empty
    assert get(uncached, "/v2/achievements")["data"] == []
    health = uncached.client.get("/health/ready")
    assert (health.status_code, health.json()["neighbours"]["database"]["state"]) == (200, "up")
    assert "does not answer" not in uncached.process.output()
