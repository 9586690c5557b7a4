"""Comparing a response with a recorded one, by the rules of tests/conformance/README.md."""

import hashlib
from itertools import groupby
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

Row = dict[str, Any]

# The column that an endpoint's rows are sorted by, for each scope or (None) for any.
ORDERED_BY: dict[str, dict[str | None, str]] = {
    "get_player_most_played": {None: "plays"},
    "get_leaderboard": {None: "pp"},
    "get_player_scores": {"best": "pp", "recent": "play_time"},
    "get_map_scores": {"best": "score", "recent": "play_time"},
}


def check(case: dict[str, Any], answer: httpx2.Response) -> None:
    """Raise AssertionError if `answer` is not what the recorded request expects."""
    expect = case["expect"]
    assert answer.status_code < 500, answer.text
    if "status" in expect:
        assert answer.status_code == expect["status"], answer.text
    if "json" in expect:
        contains(answer.json(), expect["json"])
    if "rows" in expect:
        found = answer.json()
        for key in expect["rows"]["at"]:
            found = found[key]
        check_rows(found, expect["rows"], sort_key(case["path"]))
    if "errors" in expect:
        assert [[error["type"], error["loc"]] for error in answer.json()["detail"]] == expect["errors"]
    if "sha256" in expect:
        assert len(answer.content) == expect["length"]
        assert hashlib.sha256(answer.content).hexdigest() == expect["sha256"]


def contains(actual: Any, expected: Any, at: str = "$") -> None:
    """Check that `actual` has every key and value of `expected`, of the same JSON types; it may have more keys."""
    assert type(actual) is type(expected), f"{at}: {actual!r} is not {expected!r}"
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in actual, f"{at}: {key} is missing"
            contains(actual[key], value, f"{at}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), f"{at}: {len(actual)} items, not {len(expected)}"
        for index, value in enumerate(expected):
            contains(actual[index], value, f"{at}[{index}]")
    else:
        assert actual == expected, f"{at}: {actual!r} is not {expected!r}"


def check_rows(actual: list[Row], expect: dict[str, Any], key: str | None) -> None:
    """Check that `actual` has the expected rows in their order. Rows with equal sort keys may swap."""
    expected: list[Row] = expect["rows"]
    if expect["exact"]:
        assert len(actual) == len(expected)
    if expect.get("unordered"):
        assert len(actual) >= len(expected)
        same_rows(actual, expected)
        return
    start = 0
    for value, group in groupby(expected, key=lambda row: id(row) if key is None else row[key]):
        rows = list(group)
        end = start + len(rows)
        last = end == len(expected)
        if last and expect.get("tie"):
            # The list may end among rows with equal keys, any of which may be in it.
            assert [row[expect["tie"]] for row in actual[start:end]] == [value] * len(rows)
        elif last and key is not None:
            same_rows([row for row in actual[start:] if row[key] == value], rows)
        else:
            same_rows(actual[start:end], rows)
        start = end


def same_rows(actual: list[Row], expected: list[Row]) -> None:
    """Check that each expected row is among the actual ones."""
    for row in expected:
        assert any(matches(each, row) for each in actual), f"{row} is not among {actual}"


def matches(actual: Row, expected: Row) -> bool:
    """Return whether `actual` has every key and value of `expected`."""
    try:
        contains(actual, expected)
    except AssertionError:
        return False
    return True


def sort_key(path: str) -> str | None:
    """Return the column that the rows of a response are sorted by, None if no rows may swap."""
    url = urlsplit(path)
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    key = ORDERED_BY.get(url.path.rpartition("/")[2], {}).get(query.get("scope"))
    if key == "score" and (query.get("mode", "0") in "45678" or query.get("mods") in ("rx", "ap")):
        return "pp"
    return query.get("sort") or key
