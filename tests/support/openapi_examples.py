"""The examples of the OpenAPI document: requests to the demo world and their responses.

`make examples` repeats the requests and updates the responses.
"""

from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from api.openapi.document import EXAMPLES
from tests.conftest import service, signed

Example = dict[str, Any]

# The player of the demo world whose key docs/api.md shows.
KEY = "00000000-0000-4000-8000-000000000004"
# How many items of a list, or of an object that maps keys to objects, an example shows.
MAX_ITEMS = 2


def examples() -> dict[str, Example]:
    """Return the examples by path."""
    return msgspec.json.decode(EXAMPLES.read_bytes(), type=dict[str, Example])


def fetch(client: httpx2.Client, path: str, example: Example) -> Any:
    """Send the request of an example, and return the shortened body of the response."""
    params = dict(example["params"])
    for name in [name for name in params if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(str(params.pop(name))))
    body = example.get("body")
    method = "GET" if body is None else "POST"
    response = client.request(method, path, params=params, json=body, headers=signed(KEY))
    assert response.status_code == 200, (path, response.text)
    return shortened(response.json())


def shortened(value: Any) -> Any:
    """Return `value` with MAX_ITEMS items of each list and of each object that maps keys to objects."""
    if isinstance(value, list):
        return [shortened(item) for item in value[:MAX_ITEMS]]
    if not isinstance(value, dict):
        return value
    items = list(value.items())
    if all(isinstance(item, dict) for item in value.values()):
        items = items[:MAX_ITEMS]
    return {key: shortened(item) for key, item in items}


def main() -> None:
    """Update the responses of all examples."""
    updated = examples()
    with service() as client:
        for path, example in updated.items():
            if "answer" in example:
                example["answer"] = fetch(client, path, example)
    EXAMPLES.write_bytes(msgspec.json.format(msgspec.json.encode(updated), indent=1) + b"\n")


if __name__ == "__main__":
    main()
