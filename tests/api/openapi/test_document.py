"""The OpenAPI document is valid, complete, served, and describes the responses to the recorded requests."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import msgspec
import pytest
from openapi_spec_validator import validate

from api.openapi.document import EXAMPLES
from api.routes import ROUTES
from domain.errors import ErrorSpec
from domain.players import FoundPlayer
from tests.conftest import service
from tests.support import conformance, pp_engine
from tests.support.openapi import (
    DOCUMENT,
    OPERATIONS,
    PATHS,
    check_documented,
    errors_of,
    find_operation,
    matches,
    problem,
    undescribed,
)
from tests.support.openapi_examples import WITH_ENGINE, WITHOUT_ANSWER, examples, fetch, request_of

# HEAD and OPTIONS are accepted everywhere and are not documented.
CASES = [case for case in conformance.cases() if case["method"] not in ("HEAD", "OPTIONS")]
CLAN = {"id": 1, "name": "Name", "tag": "TAG", "members": [], "owner": None}


@pytest.fixture(scope="module")
def recorded_service(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service on the recorded world."""
    with service(data_directory=str(conformance.WORLD), database_url=recorded_sqlite) as client:
        yield client


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_every_endpoint_is_documented_with_its_methods_and_parameters() -> None:
    assert set(PATHS) == set(ROUTES)
    for path, endpoint in ROUTES.items():
        assert {method.upper() for method in PATHS[path]} == set(endpoint.methods) - {"HEAD"}
        for operation in PATHS[path].values():
            names = [parameter["name"] for parameter in operation["parameters"]]
            assert names == list(endpoint.params.__struct_fields__)


def test_operations_have_unique_ids_and_descriptions() -> None:
    ids = [PATHS[path][method]["operationId"] for method, path in OPERATIONS]
    assert len(set(ids)) == len(ids)
    for method, path in OPERATIONS:
        handler = ROUTES[path].handler
        assert PATHS[path][method]["summary"], (
            f"the handler of {path}, {handler.__module__}.{handler.__name__}, has no docstring, which is the "
            "documentation of the endpoint"
        )
        assert "msgspec" not in PATHS[path][method].get("description", ""), f"{path}: a docstring of msgspec"
        for parameter in PATHS[path][method]["parameters"]:
            assert parameter.get("description"), (
                f"{path}: the parameter `{parameter['name']}` has no description: give its type one, "
                "`Meta(description=…)`, as the types of api/request/params.py have"
            )
    for tag in DOCUMENT["tags"]:
        assert tag["description"], f"add {tag['name']!r} to TAGS in api/openapi/document.py"


def test_fields_have_descriptions() -> None:
    fields = [
        (name, field, schema)
        for name, component in DOCUMENT["components"]["schemas"].items()
        for field, schema in component.get("properties", {}).items()
    ]
    assert len(fields) > 900
    for name, component in DOCUMENT["components"]["schemas"].items():
        assert len(component["description"]) < 500, f"{name} has no docstring, or a long one"
    for name, field, schema in fields:
        description = schema.get("description", "")
        assert description, (
            f"the field `{field}` of {name} has no description: give its type one, as those of domain/units.py "
            "have"
        )
        assert description[0] in "`1" or description[0].isupper(), f"{name}.{field}: begin with a capital"
        assert description.endswith("."), f"{name}.{field}: end with a full stop"
        assert not any("description" in option for option in schema.get("anyOf", ())), f"{name}.{field}"


def test_a_number_beyond_its_format_is_not_refused() -> None:
    schema = DOCUMENT["components"]["schemas"]["FoundPlayer"]["properties"]["id"]
    assert schema == {"type": "integer", "format": "int32", "description": "ID of the player."}
    assert msgspec.convert({"id": 2**40, "name": "wide"}, FoundPlayer).id == 2**40


def test_a_field_called_title_is_described() -> None:
    schemas = {name: schema.get("properties", {}) for name, schema in DOCUMENT["components"]["schemas"].items()}
    with_title = {name for name, fields in schemas.items() if "title" in fields}
    assert with_title == {name for name, fields in schemas.items() if "artist" in fields}
    assert len(with_title) >= 6


def test_limits_and_defaults_are_documented() -> None:
    by_name = schemas_of_parameters("/v1/get_player_scores")
    assert by_name["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 25, "format": "int32"}
    assert by_name["include_failed"] == {"type": "boolean", "default": True}
    assert by_name["scope"] == {"type": "string", "enum": ["best", "first", "pinned", "recent"]}
    acc = schemas_of_parameters("/v1/calculate_pp")["acc"]
    assert (acc["default"], acc["maxItems"]) == ([100.0, 99.0, 98.0, 95.0], 100)


def schemas_of_parameters(path: str) -> dict[str, Any]:
    return {parameter["name"]: parameter["schema"] for parameter in PATHS[path]["get"]["parameters"]}


def test_the_document_is_served_and_cached(demo: httpx2.Client) -> None:
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
    operation = operation_of(case)
    answer = recorded_service.request(case["method"], case["path"], headers=case.get("headers", {}))
    if operation is None:
        assert answer.status_code in (404, 405) or case["path"] in ("/openapi.json", "/docs")
    else:
        check_documented(operation, answer)


def operation_of(case: dict[str, Any]) -> dict[str, Any] | None:
    """Return the operation of a recorded request."""
    return find_operation(case["method"], unquote(urlsplit(case["path"].replace("//", "/")).path))


def recorded_body(expect: dict[str, Any]) -> Any:
    """Return the recorded part of a response body."""
    body = expect.get("json", {})
    if "rows" in expect:
        rows = expect["rows"]["rows"]
        for key in reversed(expect["rows"]["at"]):
            rows = {key: rows}
        body = body | rows
    return body


def test_every_key_of_the_recorded_responses_is_described() -> None:
    bodies = {case["id"]: recorded_body(case["expect"]) for case in CASES if case["expect"].get("status") == 200}
    operations = {case["id"]: operation_of(case) for case in CASES}
    checked = {
        id: undescribed(operation, body) for id, body in bodies.items() if body and (operation := operations[id])
    }
    assert len(checked) > 200
    assert {id: keys for id, keys in checked.items() if keys} == {}


def test_a_key_that_is_not_described_is_noticed() -> None:
    scores = PATHS["/v1/get_player_scores"]["get"]
    assert undescribed(scores, {"scores": [{"pp": 1.0, "beatmap": {"title": "", "other": 1}}]}) == [
        "['scores', 0, 'beatmap']: Additional properties are not allowed ('other' was unexpected)"
    ]


def test_a_message_that_is_not_documented_is_noticed() -> None:
    operation = PATHS["/v1/get_clan"]["get"]
    check_documented(operation, httpx2.Response(404, json={"status": "Clan not found."}))
    check_documented(operation, httpx2.Response(200, json=CLAN))
    for wrong in (
        httpx2.Response(404, json={"status": "Clan not found!"}),
        httpx2.Response(409, json={"status": "Clan not found."}),
        httpx2.Response(200, json={"id": 1}),
        httpx2.Response(200, json=CLAN | {"other": 1}),
    ):
        with pytest.raises(AssertionError):
            check_documented(operation, wrong)


def test_names_in_braces_match_any_text() -> None:
    spec = ErrorSpec(400, "{name} must be {what}.")
    assert matches({"status": spec.message}, {"status": spec(name="x", what="a {text}").message})
    assert not matches({"status": spec.message}, {"status": "x must not."})


@pytest.mark.parametrize(
    "path",
    [
        pp_engine.param(path, needed=path in WITH_ENGINE)
        for path, example in examples().items()
        if "answer" in example
    ],
)
def test_an_example_is_the_response_of_the_demo_world(demo: httpx2.Client, path: str) -> None:
    example = examples()[path]
    assert fetch(demo, path, example) == example["answer"]


@pytest.mark.parametrize("path", [path for path, example in examples().items() if "answer" in example])
def test_an_example_has_the_fields_of_its_schema(path: str) -> None:
    for operation in PATHS[path].values():
        content = operation["responses"]["200"]["content"]["application/json"]
        assert [problem(error) for error in errors_of(content["schema"], content["example"])] == []


@pytest.mark.parametrize("path", sorted(set(PATHS) - WITHOUT_ANSWER))
def test_an_endpoint_has_an_example(path: str) -> None:
    assert "answer" in request_of(path), f"run `make examples`: {path} is missing in api/openapi/examples.json"


def test_examples_are_of_endpoints_and_not_too_long() -> None:
    gone = set(examples()) - set(PATHS)
    assert not gone, f"api/openapi/examples.json has {sorted(gone)}, which api/routes.py does not have"
    assert not {path for path in WITHOUT_ANSWER if "answer" in examples().get(path, {})}
    assert len(EXAMPLES.read_bytes()) < 65_536
