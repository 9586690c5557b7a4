"""Reading the game server's description of its API, which may be anything."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.game_server.description import MAX_VALUES, read_description


def values(schema: Any, **schemas: Any) -> set[str]:
    """Return the values that are read from the schema of a parameter."""
    parameter = {"name": "a", "in": "query", "schema": schema}
    paths = {"/v1/x": {"get": {"parameters": [parameter]}}}
    described = {"paths": paths, "components": {"schemas": schemas}}
    return set(read_description(json.dumps(described).encode())["/v1/x"]["GET"].query["a"])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"enum": ["a", "b"]}, {"a", "b"}),
        ({"const": "a"}, {"a"}),
        ({"const": 0}, {"0"}),
        ({"enum": [1, True, None, "", 2.5, ["b"], {}]}, {"1", "true"}),
        ({"anyOf": [{"enum": ["a"]}, {"type": "null"}, {"oneOf": [{"const": "b"}]}]}, {"a", "b"}),
        ({"type": "array", "items": {"enum": ["a"]}}, {"a"}),
        ({"$ref": "#/components/schemas/A"}, {"of a"}),
        ({"allOf": [{"$ref": "#/components/schemas/A"}], "default": "x"}, {"of a"}),
        ({"$ref": "#/components/schemas/Loop"}, {"loops"}),
        ({"$ref": "#/components/schemas/Missing"}, set()),
        ({"$ref": "https://evil.test/schema.json"}, set()),
        ({"$ref": "file:///etc/passwd"}, set()),
        ({"enum": "ab"}, set()),
        ({"anyOf": 1, "enum": ["a"]}, set()),
        ({"enum": ["a", "line\nbreak", "\u202e", "x" * 101]}, {"a"}),
        ([], set()),
        (None, set()),
    ],
)
def test_the_values_of_a_parameter(schema: Any, expected: set[str]) -> None:
    loop = {"anyOf": [{"$ref": "#/components/schemas/Loop"}, {"$ref": "#/components/schemas/Back"}]}
    back = {"enum": ["loops"], "items": {"$ref": "#/components/schemas/Loop"}}
    assert values(schema, A={"enum": ["of a"]}, Loop=loop, Back=back) == expected


def test_schemas_that_refer_to_each_other_in_every_way() -> None:
    names = [f"S{number}" for number in range(60)]
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schemas = {name: {"anyOf": references, "const": name} for name in names}
    assert values({"anyOf": references}, **schemas) <= set(names)


def test_there_are_only_so_many_values() -> None:
    assert len(values({"enum": list(range(100_000))})) == MAX_VALUES


def test_parts_of_another_form_are_left_out() -> None:
    good = {"name": "good", "in": "query"}
    parameters = [good, {"name": 1, "in": "query"}, {"in": "query"}, {"name": "x", "in": "cookie"}, 1, None, []]
    paths = {
        "/v1/a": {"get": {"parameters": parameters}, "post": 1, "put": {"parameters": {}}, "x-own": {}},
        "/v1/b": {"parameters": [good], "get": {}, "delete": {"parameters": [good | {"name": "also"}]}},
        "/v1/c": [],
        "/v1/d": None,
        "/v3/e": {"get": {}},
        "/v1/f\n": {"get": {}},
        "/v2/" + "g" * 5000: {"get": {}},
    }
    found = read_description(json.dumps({"paths": paths, "openapi": 3}).encode())
    names = {path: {method: sorted(each.query) for method, each in of.items()} for path, of in found.items()}
    assert names == {
        "/v1/a": {"GET": ["good"], "POST": [], "PUT": []},
        "/v1/b": {"GET": ["good"], "DELETE": ["also", "good"]},
        "/v1/c": {},
        "/v1/d": {},
    }


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"<html>",
        b'{"paths":[]}',
        b'{"paths":{},"components":[]}',
        b'{"paths":{},"components":{"schemas":1}}',
        b'{"paths":{"\xff":{}}}',
        b'{"paths":{"/v1/a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}",
        b'{"paths":' + b'{"a":' * 200_000,
    ],
)
def test_what_is_no_description(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_description(document)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["get", "post", "parameters", "name", "in", "schema", "enum", "anyOf", "items", "$ref", "/v1/a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=50)
@given(paths=json_values, components=json_values)
def test_any_document_is_read_or_refused(paths: Any, components: Any) -> None:
    with suppress(ValueError):
        read_description(json.dumps({"paths": paths, "components": components}).encode())
