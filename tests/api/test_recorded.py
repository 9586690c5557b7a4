"""The recorded requests: what clients of the game server's API get today, they get here."""

import importlib.util
from typing import Any

import pytest

from tests.conftest import Recorded
from tests.support import conformance
from tests.support.expectations import check

# Cases that rest on how MySQL compares texts.
COLLATION = {"c0467": "MySQL's collation takes ú for u; SQLite compares letters as they are"}
CASES = conformance.cases()
# Ready-made for Python up to 3.11 only.
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
