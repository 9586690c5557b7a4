"""The recorded requests: what clients of the game server's API get today, they get here."""

from typing import Any

import pytest

from tests import conformance_world
from tests.conftest import Recorded
from tests.expectations import check

# Served by later work, not by this service yet.
NOT_YET = {
    "/v1/calculate_pp": "needs an API key, and accounts are not served",
}
# Cases that rest on how MySQL compares texts.
COLLATION = {"c0467": "MySQL's collation takes ú for u; SQLite compares letters as they are"}
CASES = [case for case in conformance_world.cases() if not case["path"].startswith(tuple(NOT_YET))]
PREFIXES = ("/v1/", "/", "/api/", "/api/v1/")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_request(recorded: Recorded, case: dict[str, Any]) -> None:
    if recorded.driver == "sqlite" and case["id"] in COLLATION:
        pytest.skip(COLLATION[case["id"]])
    headers = case.get("headers", {}) | ({"Host": case["host"]} if "host" in case else {})
    prefixes = PREFIXES if case["path"].startswith("/v1/") else ("",)
    for prefix in prefixes:
        path = prefix + case["path"].removeprefix("/v1/") if prefix else case["path"]
        check(case, recorded.client.request(case["method"], path, headers=headers))
