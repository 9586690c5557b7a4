"""The parameters of an endpoint, as OpenAPI describes them."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from api.openapi.schemas import JSONSchema, Schemas


def parameters(
    shape: type[msgspec.Struct], path: str, schemas: Schemas, examples: Mapping[str, Any]
) -> list[JSONSchema]:
    """Each field of `shape`: those that `path` names in braces, and those of the query string."""
    in_path = re.findall(r"{(\w+)}", path)
    component = schemas.component(shape)
    return [
        _parameter(name, field, name in in_path, name in component["required"], examples)
        for name, field in schemas.fields(shape).items()
    ]


def _parameter(
    name: str, field: JSONSchema, in_path: bool, required: bool, examples: Mapping[str, Any]
) -> JSONSchema:
    schema = _given(field)
    description = schema.pop("description", "")
    parameter = {
        "name": name,
        "in": "path" if in_path else "query",
        "required": required,
        "description": description,
        "schema": schema,
    }
    if not in_path and not required:
        # Then it counts as absent.
        parameter["allowEmptyValue"] = True
    return parameter | ({"example": examples[name]} if name in examples else {})


def _given(field: JSONSchema) -> JSONSchema:
    """The schema of a parameter that is given: absent stands for null, which no query string can say."""
    (schema,) = [each for each in field.get("anyOf", [field]) if each != {"type": "null"}]
    # Of a number without bounds the format would be one.
    unbounded = schema.get("type") == "integer" and "maximum" not in schema
    return {key: value for key, value in schema.items() if not (unbounded and key == "format")}
