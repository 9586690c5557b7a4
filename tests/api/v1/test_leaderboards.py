"""Leaderboards: no player is missing from the pages, or is on two of them."""

import pytest

from storage.database.catalogue import LEADERBOARDS
from tests.conftest import Recorded


@pytest.mark.parametrize("where", ["mode=0", "mode=4", "mode=8", "mode=0&country=de"])
@pytest.mark.parametrize("sort", LEADERBOARDS)
def test_the_pages_together_are_the_whole_leaderboard(recorded: Recorded, sort: str, where: str) -> None:
    totals = set()

    def page(limit: int, offset: int) -> list[dict[str, int]]:
        path = f"/get_leaderboard?sort={sort}&{where}&limit={limit}&offset={offset}"
        body = recorded.client.get(path).raise_for_status().json()
        totals.add(body["total"])
        entries: list[dict[str, int]] = body["leaderboard"]
        return entries

    whole = [entry for offset in range(0, 300, 100) for entry in page(100, offset)]
    assert whole
    assert whole == sorted(whole, key=lambda entry: (-entry[sort], entry["player_id"]))
    assert [entry for offset in range(0, 300, 3) for entry in page(3, offset)] == whole
    assert page(100, len(whole) + 1000) == []
    assert totals == {len(whole)}
