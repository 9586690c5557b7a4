"""The OpenAPI document: made from the route table, the params Structs and the answer Structs alone."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.endpoint import Endpoint
from api.openapi.failures import COMPONENTS, METHOD_NOT_ALLOWED
from api.openapi.operations import operation, tag, tag_description, types_of
from api.openapi.schemas import JSONSchema, Schemas
from api.response.cache import READS
from api.response.encoded import EncodedResponse

PATH = "/openapi.json"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXAMPLES = Path(__file__).with_name("examples.json")

Table = Mapping[str, Endpoint]

ABOUT = """
The `api.` subdomain of an osu! private server.

Every path is served under other prefixes too: those of the first version (`/v1/`) under `/`, `/api/` and
`/api/v1/`, those of the second (`/v2/`) under `/api/v2/`; on any Host, with or without a slash at the end. Where
GET is taken, HEAD is too.

Parameters are read leniently: of a repeated one that takes a single value the last counts, an empty optional one
counts as absent, unknown ones are ignored; whole numbers may be written ` 5`, `+5`, `5.0` or `5_000`, booleans
`true`, `1`, `on`, `yes`, `t` or `y` and the opposites, in any case. Players who are restricted or unverified are
not found anywhere, unless the operator has decided otherwise.

A failure is JSON: `{"status": "<what is wrong>"}` in the first version, `{"status": "error", "error": "<what is
wrong>"}` in the second. In both, parameters that cannot be used are a 422 that lists them, an unknown path is a
404 `{"detail": "Not Found"}`, and a method that a path does not take a 405 `{"detail": "Method Not Allowed"}` with
`Allow`. What differs from time to time stands in braces in the texts here.

Times without a zone are those of the game server, but `last_update`, which is UTC.
"""
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "The API key, which the bot tells who sends it `!apikey`. Older clients send the key alone.",
}


def document(v1: Table, v2: Table, services: Mapping[str, JSONSchema] | None = None) -> JSONSchema:
    """The document; `services` are path items of what is served beside the API."""
    versions = (("/v1/", v1), ("/v2/", v2))
    endpoints = [endpoint for _, table in versions for endpoint in table.values()]
    schemas = Schemas(
        [endpoint.params for endpoint in endpoints],
        [kind for endpoint in endpoints for kind in types_of(endpoint)],
    )
    examples: Mapping[str, Any] = msgspec.json.decode(EXAMPLES.read_bytes()) if EXAMPLES.exists() else {}
    paths = {
        prefix + name: operation(endpoint, name, schemas, examples.get(prefix + name, {}), second=prefix == "/v2/")
        for prefix, table in versions
        for name, endpoint in table.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "apidot",
            "version": version(),
            "description": ABOUT.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": list(_tags(endpoints)),
        "paths": paths | dict(services or {}),
        "components": {
            "schemas": schemas.answers() | COMPONENTS,
            "responses": {"MethodNotAllowed": METHOD_NOT_ALLOWED},
            "securitySchemes": {"apiKey": KEY},
        },
    }


def version() -> str:
    """The version of this service."""
    project: dict[str, str] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return project["version"]


def _tags(endpoints: list[Endpoint]) -> Iterator[JSONSchema]:
    for name, endpoint in {tag(endpoint): endpoint for endpoint in endpoints}.items():
        yield {"name": name, "description": tag_description(endpoint)}


class Served:
    """The document as an ASGI application, from bytes made once."""

    def __init__(self, v1: Table, v2: Table, services: Mapping[str, JSONSchema] | None = None) -> None:
        # It changes with a new version of the service alone; caches are to ask whether it has.
        self._answer = EncodedResponse(msgspec.json.encode(document(v1, v2, services)), b"no-cache", ages=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in READS:
            raise HTTPException(405, headers={"Allow": ", ".join(READS)})
        scope["route"] = PATH
        await self._answer(scope, receive, send)


def route(v1: Table, v2: Table, services: Mapping[str, JSONSchema] | None = None) -> Route:
    """Where the document is served; `services` as above."""
    return Route(PATH, Served(v1, v2, services))
