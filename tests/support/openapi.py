"""Holding an answer against the API's description."""

import re
from functools import cache
from typing import Any

import httpx2
from openapi_schema_validator import OAS31Validator

from api.openapi.document import document
from api.routes import V1, V2

DOCUMENT: dict[str, Any] = document(V1, V2)
PATHS: dict[str, dict[str, Any]] = DOCUMENT["paths"]
OPERATIONS = [(method, path) for path, item in PATHS.items() for method in item]


def described(method: str, path: str) -> dict[str, Any] | None:
    """The operation of a request to `path`, without its query; None for a path or method that none has."""
    path = path.removesuffix("/")
    for template, item in PATHS.items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in item:
            found: dict[str, Any] = item[method.lower()]
            if "{" not in template or path not in PATHS:
                return found
    return None


def check_documented(operation: dict[str, Any], answer: httpx2.Response) -> None:
    """Raises AssertionError when the description of an operation does not know such an answer."""
    told = operation["responses"]
    at = f"{operation['operationId']}: {answer.status_code} {answer.text[:200]!r}"
    assert str(answer.status_code) in told, at
    response = told[str(answer.status_code)]
    for name in response.get("headers", {}):
        assert name in answer.headers, at
    if "content" not in response:
        assert not answer.content, at
        return
    content = response["content"][answer.headers["content-type"]]
    if answer.headers["content-type"] != "application/json":
        return
    named = content["schema"].get("$ref", operation["operationId"])
    problems = [f"{list(error.path)}: {error.message}" for error in validator(named).iter_errors(answer.json())]
    assert not problems, f"{at}: {problems}"
    if "examples" in content:
        assert any(same(example["value"], answer.json()) for example in content["examples"].values()), at


@cache
def validator(name: str) -> Any:
    """What checks an answer against a component, or against the answer of an operation."""
    if name.startswith("#"):
        schema = {"$ref": name}
    else:
        (schema,) = [
            operation["responses"]["200"]["content"]["application/json"]["schema"]
            for item in PATHS.values()
            for operation in item.values()
            if operation["operationId"] == name
        ]
    return OAS31Validator(schema | {"components": DOCUMENT["components"]})


def same(documented: dict[str, str], said: dict[str, Any]) -> bool:
    """Whether what was said are the documented words, with something in place of what is in braces."""
    if documented.keys() != said.keys():
        return False
    return all(
        re.fullmatch(re.sub(r"\\{\w+\\}", "(?s:.+)", re.escape(text)), str(said[key]))
        for key, text in documented.items()
    )
