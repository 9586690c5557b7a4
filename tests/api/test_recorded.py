"""The recorded requests get the responses that clients of the game server's API expect."""

from typing import Any

import pytest

from tests.conftest import Recorded
from tests.support import conformance, pp_engine
from tests.support.expectations import check

# Cases that depend on the collation of MySQL.
COLLATION = {"c0467": "MySQL's collation treats ú as u, SQLite does not"}
CASES = [
    pp_engine.param(case, needed=case["path"].startswith("/v1/calculate_pp"), id=case["id"])
    for case in conformance.cases()
]
PREFIXES = ("/v1/", "/", "/api/", "/api/v1/")


@pytest.mark.parametrize("case", CASES)
def test_recorded_request(recorded: Recorded, case: dict[str, Any]) -> None:
    if recorded.driver == "sqlite" and case["id"] in COLLATION:
        pytest.skip(COLLATION[case["id"]])
    headers = case.get("headers", {}) | ({"Host": case["host"]} if "host" in case else {})
    prefixes = PREFIXES if case["path"].startswith("/v1/") else ("",)
    for prefix in prefixes:
        path = prefix + case["path"].removeprefix("/v1/") if prefix else case["path"]
        check(case, recorded.client.request(case["method"], path, headers=headers))
