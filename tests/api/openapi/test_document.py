"""The API's description: valid, complete, served, and true of the recorded requests."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from openapi_spec_validator import validate

from api.openapi.document import EXAMPLES
from api.routes import V1, V2
from domain.errors import ErrorSpec
from tests.conftest import service
from tests.support import conformance
from tests.support.openapi import DOCUMENT, OPERATIONS, PATHS, check_documented, described, same
from tests.support.openapi_examples import ask, examples

# HEAD and OPTIONS are answered everywhere, without words.
CASES = [case for case in conformance.cases() if case["method"] not in ("HEAD", "OPTIONS")]
WITH_ENGINE = ("/v1/calculate_pp", "/v1/calculate_pp_batch")


@pytest.fixture(scope="module")
def recorded_service(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service on the recorded world."""
    with service(data_directory=str(conformance.WORLD), database_url=recorded_sqlite) as client:
        yield client


def test_it_is_valid() -> None:
    validate(DOCUMENT)


def test_every_endpoint_is_in_it_with_its_methods_and_parameters() -> None:
    expected = {"/v1/" + name: endpoint for name, endpoint in V1.items()}
    expected |= {"/v2/" + name: endpoint for name, endpoint in V2.items()}
    assert set(PATHS) == set(expected)
    for path, endpoint in expected.items():
        assert {method.upper() for method in PATHS[path]} == set(endpoint.methods) - {"HEAD"}
        for operation in PATHS[path].values():
            named = [parameter["name"] for parameter in operation["parameters"]]
            assert named == list(endpoint.params.__struct_fields__)


def test_operations_have_names_of_their_own_and_words() -> None:
    names = [PATHS[path][method]["operationId"] for method, path in OPERATIONS]
    assert len(set(names)) == len(names)
    for method, path in OPERATIONS:
        assert PATHS[path][method]["summary"], path
        for parameter in PATHS[path][method]["parameters"]:
            assert parameter["description"], f"{path} {parameter['name']}"
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_ranges_and_defaults_are_in_it() -> None:
    by_name = {each["name"]: each["schema"] for each in PATHS["/v1/get_player_scores"]["get"]["parameters"]}
    assert by_name["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 25, "format": "int32"}
    assert by_name["include_failed"] == {"type": "boolean", "default": True}
    assert by_name["scope"] == {"type": "string", "enum": ["best", "recent"]}
    acc = {each["name"]: each["schema"] for each in PATHS["/v1/calculate_pp"]["get"]["parameters"]}["acc"]
    assert (acc["default"], acc["maxItems"]) == ([100.0, 99.0, 98.0, 95.0], 100)


def test_it_is_served_and_cached(demo: httpx2.Client) -> None:
    answer = demo.get("/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.headers["content-type"] == "application/json"
    unchanged = demo.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert demo.head("/openapi.json").headers["content-length"] == str(answer.num_bytes_downloaded)
    other = demo.post("/openapi.json")
    assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_answers_are_documented(recorded_service: httpx2.Client, case: dict[str, Any]) -> None:
    operation = described(case["method"], unquote(urlsplit(case["path"].replace("//", "/")).path))
    answer = recorded_service.request(case["method"], case["path"], headers=case.get("headers", {}))
    if operation is None:
        assert answer.status_code in (404, 405) or case["path"] in ("/openapi.json", "/docs")
    else:
        check_documented(operation, answer)


def test_a_text_that_is_not_documented_is_noticed() -> None:
    operation = PATHS["/v1/get_clan"]["get"]
    check_documented(operation, httpx2.Response(404, json={"status": "Clan not found."}))
    for wrong in (
        httpx2.Response(404, json={"status": "Clan not found!"}),
        httpx2.Response(409, json={"status": "Clan not found."}),
        httpx2.Response(200, json={"id": 1}),
    ):
        with pytest.raises(AssertionError):
            check_documented(operation, wrong)


def test_words_with_something_in_them() -> None:
    wording = ErrorSpec(400, "{name} must be {what}.")
    assert same({"status": wording.message}, {"status": wording(name="x", what="a {text}").message})
    assert not same({"status": wording.message}, {"status": "x must not."})


@pytest.mark.parametrize("path", [path for path, example in examples().items() if "answer" in example])
def test_example_is_what_the_demo_world_answers(demo: httpx2.Client, path: str) -> None:
    if path in WITH_ENGINE:
        pytest.importorskip("akatsuki_pp_py")
    example = examples()[path]
    assert ask(demo, path, example) == example["answer"]


def test_examples_are_of_endpoints_and_few_have_none() -> None:
    assert set(examples()) <= set(PATHS)
    without = {path for path in PATHS if "answer" not in examples().get(path, {})}
    # Files; a write of one; and what only a game server with players knows.
    files = {"/v1/get_replay", "/v2/scores/{score_id}/replay", "/v1/set_avatar"}
    assert without == files | {"/v1/get_match", "/v2/players/{player_id}/status"}
    assert len(EXAMPLES.read_bytes()) < 65_536
