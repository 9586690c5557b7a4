"""Which requests are meant for the osu! API v1, and the API key in their query string.

Its paths end with the names of the official API. Two of them are also names of endpoints of version 1, and the
parameters say which one is meant.
"""

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.types import Scope

# Each endpoint of version 1, and of the osu! API v1, is served under all of these: as the published documentation
# has it, as today's game servers have it, and both as front-ends proxy them on their own domain.
V1_PREFIXES = ("/", "/v1/", "/api/", "/api/v1/")

NAMES = ("get_user", "get_user_best", "get_user_recent", "get_scores", "get_beatmaps", "get_replay", "get_match")
# The parameters by which a request with one of these names is recognised, unless it has an `id`.
RECOGNISED_BY = {"get_replay": ({"s"}, {"b", "u"}), "get_match": ({"mp"},)}
# With one of these, a request for get_beatmaps means the endpoint of a fork, if there is a game server.
OF_FORKS = {"q", "status", "sort", "page", "set_id"}

_SLASHES = re.compile("//+")
_PATHS = {f"{prefix}{name}{end}": name for prefix in V1_PREFIXES for name in NAMES for end in ("", "/")}


def name_in(path: str) -> str | None:
    """Return the name of an endpoint of the osu! API v1 with which a path ends, None if it has none of the paths.

    Empty segments of the path count as none, because some clients write `/api//get_user`.
    """
    name = _PATHS.get(path)
    if name is None and "//" in path:
        return _PATHS.get(_SLASHES.sub("/", path))
    return name


def endpoint_of(scope: Scope, *, has_game_server: bool) -> str | None:
    """Return the name of the endpoint of the osu! API v1 that a request is meant for, None if for none of them."""
    name = name_in(scope["path"])
    if name in RECOGNISED_BY:
        given = parameters(scope["query_string"])
        # An empty `id` is absent. The others may be empty: version 1 has no use for them.
        if given.get("id") or not any(names <= given.keys() for names in RECOGNISED_BY[name]):
            return None
    elif name == "get_beatmaps" and has_game_server:
        given = parameters(scope["query_string"])
        if any(given.get(parameter) for parameter in OF_FORKS):
            return None
    return name


def parameters(query: bytes) -> dict[str, str]:
    """Return the parameters in a query string. Of a repeated one, the last value counts."""
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def key_in(query: bytes) -> str:
    """Return the API key in a query string, empty if there is none."""
    return parameters(query).get("k", "") if b"k" in query or b"%" in query else ""


def without_key(query: bytes) -> bytes:
    """Return a query string without the API key."""
    if b"k" not in query and b"%" not in query:
        return query
    return b"&".join(part for part in query.split(b"&") if unquote_to_bytes(part.partition(b"=")[0]) != b"k")
