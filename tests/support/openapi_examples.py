"""The examples of the OpenAPI document: requests to the demo world and their responses.

`make examples` repeats the requests and updates the responses. It adds endpoints that need no parameters;
for any other, api/openapi/examples.json has to name them first: `"/v1/get_clan": {"params": {"id": 1}}`.
"""

import sys
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from api.openapi.document import EXAMPLES
from api.routes import ROUTES
from tests.conftest import running, signed
from tests.support import pp_engine

Example = dict[str, Any]

# The player of the demo world whose key docs/api.md shows.
KEY = "00000000-0000-4000-8000-000000000004"
# Their responses are files or streams, or need an upload or a game server with players.
WITHOUT_ANSWER = {
    "/v1/events",
    "/v1/get_replay",
    "/v1/get_match",
    "/v1/set_avatar",
    "/api/get_replay",
    "/v2/scores/{score_id}/replay",
    "/v2/players/{player_id}/status",
}
WITH_ENGINE = {"/v1/calculate_pp", "/v1/calculate_pp_batch"}
# How many items of a list, or of an object that maps keys to objects, an example shows.
MAX_ITEMS = 2


def examples() -> dict[str, Example]:
    """Return the examples by path."""
    return msgspec.json.decode(EXAMPLES.read_bytes(), type=dict[str, Example])


def request_of(path: str) -> Example:
    """Return the example of an endpoint, which names at least its required parameters. Raise LookupError."""
    example = examples().get(path, {"params": {}})
    if path in WITHOUT_ANSWER:
        return example
    fields = msgspec.structs.fields(ROUTES[path].params)
    required = [field.name for field in fields if field.required]
    if not set(required) <= example["params"].keys():
        raise LookupError(to_add(path, ", ".join(required)))
    return example


def to_add(path: str, params: str) -> str:
    """Return what somebody has to do who has not named the parameters of an example."""
    entry = f'"{path}": {{"params": {{…}}}}'
    return f"add to api/openapi/examples.json {entry}, with {params} of the demo world, and run `make examples`"


def fetch(client: httpx2.Client, path: str, example: Example) -> Any:
    """Send the request of an example, and return the shortened body of the response."""
    params = dict(example["params"])
    for name in [name for name in params if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(str(params.pop(name))))
    body = example.get("body")
    method = "GET" if body is None else "POST"
    response = client.request(method, path, params=params, json=body, headers=signed(KEY))
    if response.status_code != 200:
        raise LookupError(f"{response.url}: {response.text}\n{to_add(path, 'parameters')}")
    return shortened(response.json())


def shortened(value: Any) -> Any:
    """Return `value` with MAX_ITEMS items of each list and of each object that maps keys to objects."""
    if isinstance(value, list):
        return [shortened(item) for item in value[:MAX_ITEMS]]
    if not isinstance(value, dict):
        return value
    items = list(value.items())
    if all(isinstance(item, dict) for item in value.values()) and len({*map(tuple, value.values())}) == 1:
        # The objects have the same keys, so they are those of a map rather than the fields of a Struct.
        items = items[:MAX_ITEMS]
    return {key: shortened(item) for key, item in items}


def main() -> None:
    """Update the responses of all examples, and add those that are missing."""
    old = examples()
    updated = {path: request_of(path) for path in ROUTES if path in old or path not in WITHOUT_ANSWER}
    skipped = WITHOUT_ANSWER if pp_engine.installed() else WITHOUT_ANSWER | WITH_ENGINE
    with running("--demo") as (client, _):
        for path, example in updated.items():
            if path not in skipped:
                example["answer"] = fetch(client, path, example)
    EXAMPLES.write_bytes(msgspec.json.format(msgspec.json.encode(updated), indent=1) + b"\n")


if __name__ == "__main__":
    try:
        main()
    except LookupError as error:
        sys.exit(str(error))
