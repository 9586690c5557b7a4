"""The recorded requests get the responses that clients of the game server's API expect."""

import importlib.util
from typing import Any

import pytest

from tests.conftest import Recorded
from tests.support import conformance
from tests.support.expectations import check

# Cases that depend on the collation of MySQL.
COLLATION = {"c0467": "MySQL's collation treats ú as u, SQLite does not"}
CASES = conformance.cases()
# There are wheels for Python up to 3.11 only.
ENGINE = importlib.util.find_spec("akatsuki_pp_py") is not None
PREFIXES = ("/v1/", "/", "/api/", "/api/v1/")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_request(recorded: Recorded, case: dict[str, Any]) -> None:
    if recorded.driver == "sqlite" and case["id"] in COLLATION:
        pytest.skip(COLLATION[case["id"]])
    if not ENGINE and case["path"].startswith("/v1/calculate_pp"):
        pytest.skip("akatsuki-pp-py is not installed")
    headers = case.get("headers", {}) | ({"Host": case["host"]} if "host" in case else {})
    prefixes = PREFIXES if case["path"].startswith("/v1/") else ("",)
    for prefix in prefixes:
        path = prefix + case["path"].removeprefix("/v1/") if prefix else case["path"]
        check(case, recorded.client.request(case["method"], path, headers=headers))
