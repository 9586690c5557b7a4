"""Hostile values in the paths and the queries of version 2."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from api.routes import V2
from tests.api.test_hostile import HOSTILE
from tests.conftest import Recorded

GOOD = {"player_id": "3", "map_id": "78", "score_id": "1", "clan_id": "1", "mode": "0"}
NEEDED = {"players/search": "q=re&"}
PARAMETERS = [(name, field) for name, endpoint in V2.items() for field in endpoint.params.__struct_fields__]


@pytest.fixture(scope="module")
def client(recorded: Recorded) -> Iterator[HTTPConnection]:
    """A client that sends a URL unchanged."""
    url = recorded.client.base_url
    with closing(HTTPConnection(url.host, url.port, timeout=30)) as connection:
        yield connection


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter(client: HTTPConnection, name: str, parameter: str) -> None:
    for value in HOSTILE:
        if "{" + parameter + "}" in name:
            path, query = name.format(**(GOOD | {parameter: value})), "limit=1"
        else:
            path, query = name.format(**GOOD), f"{NEEDED.get(name, '')}{parameter}={value}"
        client.request("GET", f"/v2/{path}?{query}")
        answer = client.getresponse()
        body = json.loads(answer.read())
        assert answer.status in (200, 400, 404, 414, 422), (path, query, body)
        if answer.status == 200:
            assert set(body) == {"status", "data", "meta"}
        elif answer.status == 422:
            assert body["status"]
            assert {"type", "loc", "msg", "input"} <= set(body["detail"][0])
        else:
            assert body == {"detail": "Not Found"} or set(body) == {"status", "error"}
