"""How many scores a player has on all pages."""

from typing import Any

import pytest

from tests.conftest import Playground

FILTERS: tuple[dict[str, Any], ...] = (
    {"scope": "best"},
    {"scope": "best", "include_loved": 1},
    {"scope": "best", "mods": "HD"},
    {"scope": "recent"},
    {"scope": "recent", "include_failed": 0},
    {"scope": "recent", "mods": "~HDDT"},
    {"scope": "best", "mods": "~"},
)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_the_number_of_scores_on_all_pages(world: Playground, filters: dict[str, Any]) -> None:
    def page(limit: int, offset: int) -> dict[str, Any]:
        asked = {"id": 50, "limit": limit, "offset": offset, **filters}
        answer: dict[str, Any] = world.client.get("/v1/get_player_scores", params=asked).json()
        return answer

    seen = 0
    while scores := page(100, seen)["scores"]:
        seen += len(scores)
    assert seen > 1 or filters.get("mods") == "~"
    for limit, offset in ((1, 0), (100, 0), (2, seen - 1), (1, seen), (1, seen + 5)):
        assert page(limit, max(offset, 0))["total"] == seen
