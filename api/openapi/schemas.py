"""JSON Schemas of Structs, as msgspec makes them, told as they look on the wire."""

import re
from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

import msgspec

JSONSchema = dict[str, Any]

REF = "#/components/schemas/"
INT32 = 2**31


class Schemas:
    """The schemas of a set of types, and the components that they refer to."""

    def __init__(self, params: Iterable[Any], others: Iterable[Any]) -> None:
        """`params` are Structs of parameters, `others` what answers and bodies hold."""
        shapes = list(params)
        wanted = [*shapes, *others]
        schemas, components = msgspec.json.schema_components(wanted, ref_template=REF + "{name}")
        self._of: dict[str, JSONSchema] = {
            repr(kind): _told(schema) for kind, schema in zip(wanted, schemas, strict=True)
        }
        self.components: dict[str, JSONSchema] = {
            _name(name): _told(component) for name, component in components.items()
        }
        self._params = {self.of(shape)["$ref"].removeprefix(REF) for shape in shapes}
        assert len(self.components) == len(components), "two Structs have one name in the documentation"

    def of(self, kind: Any) -> JSONSchema:
        """The schema of one of the types; of a Struct it is a reference to a component."""
        return self._of[repr(kind)]

    def fields(self, shape: type[msgspec.Struct]) -> dict[str, JSONSchema]:
        """The schemas of the fields of a Struct by their names on the wire."""
        properties: dict[str, JSONSchema] = self.component(shape)["properties"]
        return properties

    def answers(self) -> dict[str, JSONSchema]:
        """The components that answers and bodies refer to; parameters are described where they are taken."""
        return {name: _answered(each) for name, each in self.components.items() if name not in self._params}

    def component(self, shape: type[msgspec.Struct]) -> JSONSchema:
        """What a reference to a Struct refers to."""
        return self.components[self.of(shape)["$ref"].removeprefix(REF)]


def _answered(schema: JSONSchema) -> JSONSchema:
    """The schema of a Struct that is answered with: what has a default is there nevertheless."""
    properties = schema.get("properties")
    if properties is None:
        return schema
    there = [name for name, field in properties.items() if name in schema["required"] or "default" in field]
    for field in properties.values():
        field.pop("default", None)
    return schema | {"required": there}


def _name(name: str) -> str:
    """What a component is called. Msgspec puts the module before the name where two Structs share one.

    `domain.v2.PlayerStats` becomes V2PlayerStats, and `Page_Clan_` ClanPage.
    """
    *modules, last = name.split(".")
    generic = re.fullmatch(r"([A-Za-z]+)_(\w+)_", last)
    if generic:
        return generic[2] + generic[1]
    return "V2" * ("v2" in modules) + last


def _told(schema: Any) -> Any:
    """`schema` in the words of OpenAPI, whatever is nested in it too."""
    if isinstance(schema, list | tuple):
        return [_told(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _told(value) for key, value in schema.items() if key not in ("title", "contentEncoding")}
    if "$ref" in told:
        told["$ref"] = REF + _name(told["$ref"].removeprefix(REF))
    if told.get("type") == "integer":
        small = told.get("minimum", -INT32 - 1) >= -INT32 and told.get("maximum", INT32) < INT32
        told["format"] = "int32" if small else "int64"
    if all(isinstance(each, str) for each in told.get("enum", [0])):
        told["type"] = "string"
        if len(told["enum"]) == 1:
            (told["const"],) = told.pop("enum")
    if told.get("format") == "date-time":
        # Without a zone: what other standards call date-time has one.
        told["format"] = "date-time-local"
    if isinstance(told.get("description"), str):
        told["description"] = cleandoc(told["description"])
    if "pattern" in told:
        told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    return told
