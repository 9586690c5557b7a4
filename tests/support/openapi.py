"""Checks responses against the API's OpenAPI document."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import httpx2
from openapi_schema_validator import OAS31Validator

from api.openapi.document import document
from api.routes import ROUTES

# A ValidationError of jsonschema, which has no types.
Error = Any

DOCUMENT: dict[str, Any] = document(ROUTES.values())
PATHS: dict[str, dict[str, Any]] = DOCUMENT["paths"]
OPERATIONS = [(method, path) for path, item in PATHS.items() for method in item]
# OpenAPI allows keys that a schema does not describe. Here each key of an object must be described.
STRICT = {
    name: schema | ({"additionalProperties": False} if "properties" in schema else {})
    for name, schema in DOCUMENT["components"]["schemas"].items()
}


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """Return the operation of a request to `path`, which is without its query; None if it is not documented."""
    path = path.removesuffix("/")
    for template, item in PATHS.items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in item:
            operation: dict[str, Any] = item[method.lower()]
            if "{" not in template or path not in PATHS:
                return operation
    return None


def check_documented(operation: dict[str, Any], response: httpx2.Response) -> None:
    """Raise AssertionError if the operation does not document this response."""
    responses = operation["responses"]
    at = f"{operation['operationId']}: {response.status_code} {response.text[:200]!r}"
    assert str(response.status_code) in responses, at
    documented = dereferenced(responses[str(response.status_code)], DOCUMENT)
    for name in documented.get("headers", {}):
        assert name in response.headers, at
    if "content" not in documented:
        assert not response.content, at
        return
    content = documented["content"][response.headers["content-type"]]
    if response.headers["content-type"] != "application/json":
        return
    problems = [problem(error) for error in errors_of(content["schema"], response.json())]
    assert not problems, f"{at}: {problems}"
    if "examples" in content:
        assert any(matches(example["value"], response.json()) for example in content["examples"].values()), at


def dereferenced(response: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response of an operation, which may be a reference to a component."""
    reference: str | None = response.get("$ref")
    if reference is None:
        return response
    component: dict[str, Any] = document["components"]["responses"][reference.rpartition("/")[2]]
    return component


def undescribed(operation: dict[str, Any], body: Any) -> list[str]:
    """Return the keys of a successful response that its schema does not describe. The body may be incomplete."""
    content = operation["responses"]["200"]["content"]["application/json"]
    errors = leaves(errors_of(content["schema"], body))
    return [problem(error) for error in errors if error.validator == "additionalProperties"]


def leaves(errors: Iterable[Error]) -> Iterator[Error]:
    """Yield the errors, and of an `anyOf` those of its options."""
    for error in errors:
        yield from leaves(error.context) if error.context else [error]


def problem(error: Error) -> str:
    return f"{list(error.absolute_path)}: {error.message}"


def errors_of(schema: dict[str, Any], body: Any) -> Iterator[Error]:
    """Yield what is wrong with `body` by a schema of the document."""
    yield from validator(json.dumps(schema)).iter_errors(body)


@cache
def validator(schema: str) -> Any:
    """Return the validator of a schema, which is given as JSON."""
    return OAS31Validator(json.loads(schema) | {"components": {"schemas": STRICT}})


def matches(documented: dict[str, str], body: dict[str, Any]) -> bool:
    """Return whether `body` is the documented one, with any text in place of the names in braces."""
    if documented.keys() != body.keys():
        return False
    return all(
        re.fullmatch(re.sub(r"\\{\w+\\}", "(?s:.+)", re.escape(text)), str(body[key]))
        for key, text in documented.items()
    )
