"""Hostile values in the paths and the queries of version 2."""

import json
from collections.abc import Iterator

import pytest

from api.routes import V2
from tests.api.test_hostile import HOSTILE
from tests.conftest import Recorded
from tests.support.raw_client import RawClient

GOOD = {"player_id": "3", "map_id": "78", "score_id": "1", "clan_id": "1", "mode": "0"}
NEEDED = {"players/search": "q=re&"}
PARAMETERS = [(name, field) for name, endpoint in V2.items() for field in endpoint.params.__struct_fields__]


@pytest.fixture(scope="module")
def client(recorded: Recorded) -> Iterator[RawClient]:
    url = recorded.client.base_url
    with RawClient(url.host, url.port or 80, {}) as client:
        yield client


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter(client: RawClient, name: str, parameter: str) -> None:
    for value in HOSTILE:
        if "{" + parameter + "}" in name:
            path, query = name.format(**(GOOD | {parameter: value})), "limit=1"
        else:
            path, query = name.format(**GOOD), f"{NEEDED.get(name, '')}{parameter}={value}"
        response = client.get(f"/v2/{path}?{query}")
        body = json.loads(response.body)
        assert response.status in (200, 400, 404, 414, 422), (path, query, body)
        if response.status == 200:
            assert set(body) == {"status", "data", "meta"}
        elif response.status == 422:
            assert body["status"]
            assert {"type", "loc", "msg", "input"} <= set(body["detail"][0])
        else:
            assert body == {"detail": "Not Found"} or set(body) == {"status", "error"}
