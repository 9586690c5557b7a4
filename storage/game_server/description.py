"""The game server's description of its own API: the paths, methods and parameters in its /openapi.json."""

import asyncio
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from storage.game_server.client import GameServerClient, NoPage

T = TypeVar("T")

# The document may be anything: names of other forms are left out, and there are at most so many of each.
PATH = re.compile(r"/v[12](?:/[\w.~+:@{}-]{1,100}){1,10}/?", re.ASCII)
NAME = re.compile(r"[\w.:$\[\]-]{1,100}", re.ASCII)
MAX_PATHS = 10_000
MAX_PARAMETERS = 100
MAX_VALUES = 100
MAX_VALUE_LENGTH = 100
MAX_DEPTH = 8

METHODS = ("get", "put", "post", "delete", "options", "patch")
SCHEMA_REFERENCE = "#/components/schemas/"


class Operation(msgspec.Struct, frozen=True):
    """The parameters in the query and those in the path, each with the values that are enumerated for it."""

    query: dict[str, frozenset[str]]
    path: dict[str, frozenset[str]]


# Operations by path and method.
Declared = dict[str, dict[str, Operation]]


class _Components(msgspec.Struct, frozen=True):
    schemas: dict[str, Raw] = {}


class _Document(msgspec.Struct, frozen=True):
    paths: dict[str, Raw]
    components: _Components = _Components()


class _Parameters(msgspec.Struct, frozen=True):
    parameters: list[Raw] = []


class _Parameter(msgspec.Struct, frozen=True):
    name: str
    place: str = msgspec.field(name="in")
    schema: Raw = Raw(b"{}")


class _Schema(msgspec.Struct, frozen=True):
    enum: list[Any] = []
    const: Any = None
    any_of: list[Raw] = msgspec.field(name="anyOf", default_factory=list)
    one_of: list[Raw] = msgspec.field(name="oneOf", default_factory=list)
    all_of: list[Raw] = msgspec.field(name="allOf", default_factory=list)
    items: Raw | UnsetType = UNSET
    reference: str = msgspec.field(name="$ref", default="")


async def declared_by(server: GameServerClient) -> Declared:
    """Return what the game server declares under /v1 and /v2. Raise Down, NoAnswer, NoPage if it is nothing."""
    document = await server.get_description()
    try:
        # A long document takes many milliseconds.
        return await asyncio.to_thread(read_description, document)
    except ValueError as error:
        raise NoPage(f"/openapi.json: {error}") from None


def read_description(document: bytes) -> Declared:
    """Return the operations under /v1 and /v2. Parts that have no valid form are left out.

    Raise ValueError if `document` is no description of an API.
    """
    try:
        content = msgspec.json.decode(document, type=_Document)
    except RecursionError:
        raise ValueError("too deeply nested") from None
    schemas = _Schemas(content.components.schemas)
    paths = (path for path in content.paths if PATH.fullmatch(path))
    return {path: dict(_operations(content.paths[path], schemas)) for path in islice(paths, MAX_PATHS)}


def _operations(path_item: Raw, schemas: "_Schemas") -> Iterator[tuple[str, Operation]]:
    item = _decode(path_item, dict[str, Raw]) or {}
    of_path = _decode(path_item, _Parameters) or _Parameters()
    for method in METHODS:
        if method not in item:
            continue
        own = _decode(item[method], _Parameters) or _Parameters()
        places: dict[str, dict[str, frozenset[str]]] = {"query": {}, "path": {}}
        for raw in islice([*of_path.parameters, *own.parameters], MAX_PARAMETERS):
            parameter = _decode(raw, _Parameter)
            if parameter and parameter.place in places and NAME.fullmatch(parameter.name):
                places[parameter.place][parameter.name] = schemas.values(parameter.schema)
        yield method.upper(), Operation(**places)


class _Schemas:
    """Finds the values that schemas enumerate, as texts."""

    def __init__(self, named: dict[str, Raw]) -> None:
        self._named = named
        self._known: dict[str, frozenset[str]] = {}

    def values(self, raw: Raw, depth: int = 0) -> frozenset[str]:
        schema = _decode(raw, _Schema) if depth < MAX_DEPTH else None
        if schema is None:
            return frozenset()
        values = {text for value in (*schema.enum, schema.const) if (text := _text(value))}
        parts = [*schema.any_of, *schema.one_of, *schema.all_of]
        if schema.items is not UNSET:
            parts.append(schema.items)
        for part in parts:
            values |= self.values(part, depth + 1)
        if schema.reference.startswith(SCHEMA_REFERENCE):
            values |= self._values_of(schema.reference.removeprefix(SCHEMA_REFERENCE), depth + 1)
        return frozenset(sorted(values)[:MAX_VALUES])

    def _values_of(self, name: str, depth: int) -> frozenset[str]:
        if name not in self._known and name in self._named:
            # A schema that refers to itself, however indirectly, adds nothing to itself.
            self._known[name] = frozenset()
            self._known[name] = self.values(self._named[name], depth)
        return self._known.get(name, frozenset())


def _text(value: object) -> str:
    """Return an enumerated value as it stands in a query; "" if it cannot."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | str) and len(text := str(value)) <= MAX_VALUE_LENGTH and text.isprintable():
        return text
    return ""


def _decode(raw: Raw, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError):
        return None
