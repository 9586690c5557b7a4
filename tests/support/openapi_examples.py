"""The examples of the API's description: requests to the demo world, and what it answers.

`make examples` asks a demo world anew and writes down what it answers.
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
# As much of a list, and of an object with things of one kind by their keys, as shows what is in it.
SHOWN = 2


def examples() -> dict[str, Example]:
    """What is written down, by path."""
    return msgspec.json.decode(EXAMPLES.read_bytes(), type=dict[str, Example])


def ask(client: httpx2.Client, path: str, example: Example) -> Any:
    """What the demo world answers to the request of an example, cut to what is shown."""
    params = dict(example["params"])
    for name in [name for name in params if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(str(params.pop(name))))
    body = example.get("body")
    answer = client.request("GET" if body is None else "POST", path, params=params, json=body, headers=signed(KEY))
    assert answer.status_code == 200, (path, answer.text)
    return shown(answer.json())


def shown(value: Any) -> Any:
    """`value` with its long lists cut, and its objects of many things."""
    if isinstance(value, list):
        return [shown(each) for each in value[:SHOWN]]
    if not isinstance(value, dict):
        return value
    things = list(value.items())
    if len(things) > SHOWN and all(isinstance(each, dict) for each in value.values()):
        things = things[:SHOWN]
    return {key: shown(each) for key, each in things}


def main() -> None:
    """Writes down what the demo world answers."""
    found = examples()
    with service() as client:
        for path, example in found.items():
            if "answer" in example:
                example["answer"] = ask(client, path, example)
    EXAMPLES.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


if __name__ == "__main__":
    main()
