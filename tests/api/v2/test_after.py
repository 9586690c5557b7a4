"""Pages of lists that go on after an id."""

from typing import Any

import pytest

from tests.conftest import Playground

LISTS = (
    "players",
    "scores",
    "scores?mode=0&status=2",
    "scores?user_id=50",
    "scores?mods=64",
    "players?country=de",
)


def rows(here: Playground, path: str, **params: Any) -> tuple[list[dict[str, Any]], int]:
    separator = "&" if "?" in path else "?"
    query = "&".join(f"{name}={value}" for name, value in params.items())
    answer = here.client.get(f"/v2/{path}{separator}{query}").json()
    return answer["data"], answer["meta"]["total"]


@pytest.mark.parametrize("path", LISTS)
def test_every_row_is_on_one_page(world: Playground, path: str) -> None:
    whole: list[dict[str, Any]] = []
    page = 1
    while found := rows(world, path, page=page, page_size=100)[0]:
        whole += found
        page += 1
    assert len(whole) > 3
    seen: list[dict[str, Any]] = []
    after = 0
    while True:
        found, total = rows(world, path, after=after, page_size=37)
        assert total == len(whole)
        seen += found
        if not found:
            break
        after = found[-1]["id"]
    assert seen == whole
    middle = whole[len(whole) // 2]["id"]
    rest = [row for row in whole if row["id"] > middle]
    assert rows(world, path, after=middle, page=2, page_size=2)[0] == rest[2:4]
    assert rows(world, path, after=2**62)[0] == []


def test_wrong_values(world: Playground) -> None:
    for path in ("players", "scores"):
        for value in ("x", "-1", str(2**63)):
            assert world.client.get(f"/v2/{path}?after={value}").status_code == 422
