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
The `api.` subdomain of an osu! private server: players, scores, beatmaps, replays, leaderboards, clans, matches.

- **Paths:** version 1 is served under `/v1/`, `/`, `/api/` and `/api/v1/`, and so is the osu! API v1; version 2
  under `/v2/` and `/api/v2/`. Endpoints that accept GET accept HEAD too.
- **API keys:** the endpoints under `performance` and `accounts` need a player's key, in a header
  `Authorization: Bearer <key>`. The bot sends it to players who write `!apikey` in the game.
- **Modes:** 0 osu!, 1 taiko, 2 catch, 3 mania; 4, 5 and 6 the first three with Relax; 8 osu! with Autopilot.
- **Mods:** a bitmask (`72`) or acronyms (`HDDT`).
- **Players:** restricted and unverified players are left out of every response, unless the operator shows them.
- **Limits:** by default 300 requests at once and 60 a second after that; beyond it, the response is a 429 with
  `Retry-After`. Most lists have at most 100 rows.
- **Errors:** JSON, `{"status": "<message>"}` in version 1, `{"status": "error", "error": "<message>"}` in
  version 2, `{"error": "<message>"}` in the osu! API v1. Names in braces in the messages below stand for values.
- **Times:** in the time zone of the game server; `last_update`, and all times of the osu! API v1, in UTC.
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
