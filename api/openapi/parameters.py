"""The parameters of an endpoint, as OpenAPI describes them."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from api.openapi.schemas import JSONSchema, Schemas


def parameters(
    params: type[msgspec.Struct], path: str, schemas: Schemas, examples: Mapping[str, Any]
) -> list[JSONSchema]:
    """Return the fields of `params` as parameters: of the path where `path` has them in braces, else of the query.

    `examples` are values by name.
    """
    in_path = re.findall(r"{(\w+)}", path)
    component = schemas.component(params)
    return [
        _parameter(name, field, name in in_path, name in component["required"], examples)
        for name, field in component["properties"].items()
    ]


def _parameter(
    name: str, field: JSONSchema, in_path: bool, required: bool, examples: Mapping[str, Any]
) -> JSONSchema:
    schema = _without_null(field)
    description = schema.pop("description", "")
    parameter = {
        "name": name,
        "in": "path" if in_path else "query",
        "required": required,
        "description": description,
        "schema": schema,
    }
    if not in_path and not required:
        # An empty value counts as absent.
        parameter["allowEmptyValue"] = True
    return parameter | ({"example": examples[name]} if name in examples else {})


def _without_null(field: JSONSchema) -> JSONSchema:
    """Return the schema of a parameter that is present. Null stands for absent; a query string cannot say it."""
    (schema,) = [option for option in field.get("anyOf", [field]) if option != {"type": "null"}]
    # int64 would be a bound for an integer that has none.
    unbounded = schema.get("type") == "integer" and "maximum" not in schema
    return {key: value for key, value in schema.items() if not (unbounded and key == "format")}
