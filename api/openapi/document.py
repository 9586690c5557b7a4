"""The OpenAPI document, generated from the route table, the params Structs and the response Structs."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.endpoint import Endpoint
from api.openapi.failures import ERROR_TYPES, SHARED
from api.openapi.operations import operations, tag, types_of
from api.openapi.schemas import JSONSchema, Schemas
from api.response.cache import READS
from api.response.encoded import EncodedResponse
from config.version import VERSION

EXAMPLES = Path(__file__).with_name("examples.json")

ABOUT = """
The `api.` subdomain of an osu! private server.

**Paths.** Every endpoint of version 1 (`/v1/`) is also served under `/`, `/api/` and `/api/v1/`, every endpoint of
version 2 (`/v2/`) also under `/api/v2/`, every endpoint of the osu! API v1 (`/api/`) also under `/`, `/v1/` and
`/api/v1/`. Any `Host` is accepted, and so is a trailing slash. Endpoints that accept GET accept HEAD too.

**Parameters.** If a parameter that takes one value is repeated, the last value counts. An empty optional parameter
counts as absent, and unknown parameters are ignored. Integers may be written as ` 5`, `+5`, `5.0` or `5_000`;
booleans as `true`, `1`, `on`, `yes`, `t` or `y` and `false`, `0`, `off`, `no`, `f` or `n`, in either case.

**Players.** Restricted and unverified players are left out of every response, unless the operator shows them.

**Errors.** Errors are JSON: `{"status": "<message>"}` in version 1, `{"status": "error", "error": "<message>"}` in
version 2, `{"error": "<message>"}` in the osu! API v1. In versions 1 and 2 invalid parameters are a 422 that lists
them. An unknown path is a 404 `{"detail": "Not Found"}`, and a method that the path does not accept is a 405
`{"detail": "Method Not Allowed"}` with `Allow`. In the messages documented here, names in braces stand for values.

**Times.** Times without a zone are in the time zone of the game server, except `last_update`, which is in UTC.
"""
TAGS = {
    "players": "Search, profile and status of players, and who is online.",
    "scores": "Scores of players and on beatmaps.",
    "feeds": "Scores of all players: those with the most pp, and the latest.",
    "beatmaps": "Beatmaps by their id or the MD5 hash of their file.",
    "replays": "Download of replays.",
    "leaderboards": "The best players of each mode.",
    "achievements": "The medals of players.",
    "clans": "Clans, their members and their leaderboard.",
    "pools": "Map pools of tournaments.",
    "events": "Scores, players and matches as they happen.",
    "matches": "Multiplayer matches that are open now.",
    "performance": "Calculation of pp. Needs an API key.",
    "accounts": "The friends, profile and avatar of the player whose API key is sent.",
    "server (v2)": "How many players are online and registered.",
    "leaderboards (v2)": "The best players of each mode.",
    "players (v2)": "Lists and search of players; profile, status and statistics of a player.",
    "scores (v2)": "Scores: all of them, of a player and on a beatmap.",
    "beatmaps (v2)": "Beatmaps and their ratings.",
    "replays (v2)": "Download of replays.",
    "clans (v2)": "Clans and their leaderboard.",
    "achievements (v2)": "Medals, and those of a player.",
    "osu! API v1": "Seven endpoints of the official API v1, for bots and programs that are written for it. All"
    " numbers in their responses are texts, times are in UTC, and of a player or beatmap that does not exist, the"
    " list is empty. Parameters that cannot be read count as absent. `get_match` and `get_replay` with an `id` are"
    " those of version 1.",
}
API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key. The bot sends it to players who write `!apikey` in the game. A header with the key"
    " alone, as older clients send it, is accepted too.",
}
OSU_API_KEY = {
    "type": "apiKey",
    "in": "query",
    "name": "k",
    "description": "The same API key, for the osu! API v1. It is needed if the operator requires it. Without one,"
    " or with a key of osu!, requests count for the rate limit of their address.",
}


def document(endpoints: Collection[Endpoint]) -> JSONSchema:
    schemas = Schemas([*(kind for endpoint in endpoints for kind in types_of(endpoint)), *ERROR_TYPES])
    examples: Mapping[str, Any] = msgspec.json.decode(EXAMPLES.read_bytes())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "apidot",
            "version": VERSION,
            "description": ABOUT.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": TAGS.get(name, "")} for name in dict.fromkeys(map(tag, endpoints))],
        "paths": {
            endpoint.route: operations(endpoint, schemas, examples.get(endpoint.route, {}))
            for endpoint in endpoints
        },
        "components": {
            "schemas": schemas.components,
            "responses": SHARED,
            "securitySchemes": {"apiKey": API_KEY, "osuApiKey": OSU_API_KEY},
        },
    }


class OpenAPIDocument:
    """An ASGI application that serves the document, which is generated once."""

    path = "/openapi.json"

    def __init__(self, endpoints: Collection[Endpoint]) -> None:
        # It changes only with a new version of the service, so it has an ETag but no age.
        self._response = EncodedResponse(msgspec.json.encode(document(endpoints)), b"no-cache", ages=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in READS:
            raise HTTPException(405, headers={"Allow": ", ".join(READS)})
        scope["route"] = self.path
        await self._response(scope, receive, send)
