"""Every error that the OpenAPI document describes can be provoked."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.conftest import PLAYER, RESTRICTED, Playground, playground, service, signed
from tests.support import pp_engine
from tests.support.conformance import WORLD
from tests.support.http_stub import Answer, answering
from tests.support.openapi import OPERATIONS, PATHS, check_documented
from tests.support.openapi_examples import KEY, WITH_ENGINE, request_of

# A score of the recorded world that has a replay; the ids of the examples are of the demo world.
REPLAY = {"id": 1078, "score_id": 1078, "s": 1078}
NOBODY = 2_000_000_000
# A place that no match has.
UNUSUAL = {"/v1/get_match": 64}
IDS = ("id", "player_id", "map_id", "score_id", "clan_id")

# Tested elsewhere: a body that takes longer than half a minute, and a service without the pp engine.
ELSEWHERE = {"408", "501"}
# Needs a game server without the page /online: tests/storage/game_server/test_pages.py; or a worker that is being
# stopped: tests/api/osu_v1/test_failures.py.
NOT_HERE = {("get", "/v1/online", "404"), ("get", "/api/get_match", "503")}
# Nobody is online in the demo world, so these have no response that could be revalidated.
NOBODY_PLAYS = {"/v1/get_match", "/v2/players/{player_id}/status"}
FAILURES = [
    (method, path, status)
    for method, path in OPERATIONS
    for status in PATHS[path][method]["responses"]
    if status >= "3" and status not in ELSEWHERE and (method, path, status) not in NOT_HERE
    if status != "304" or path not in NOBODY_PLAYS
] + [(method, path, "206") for method, path in OPERATIONS if "206" in PATHS[path][method]["responses"]]

Request = dict[str, Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A service on a world of its own, with replays."""
    folder = tmp_path_factory.mktemp("failures")
    with playground(folder, f"sqlite:///{folder / 'world.sqlite'}") as here:
        (here.data / "osr").symlink_to(WORLD / "osr")
        yield here


@pytest.fixture(scope="module")
def strict(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service that accepts one request in a hundred seconds."""
    limits = {"rate_limit": "0.01", "rate_limit_burst": "1", "rate_limit_exempt": ""}
    with service(database_url=recorded_sqlite, **limits) as client:
        client.get("/v1/get_player_count")
        yield client


@pytest.fixture(scope="module")
def keyed(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service that requires an API key for the osu! API v1."""
    with service(database_url=recorded_sqlite, osu_api_v1_key="required") as client:
        yield client


@pytest.fixture(scope="module")
def alone() -> Iterator[httpx2.Client]:
    """A service whose dependencies are unavailable."""
    with (
        answering(lambda _: Answer(500)) as game_server,
        service(
            database_url="mysql://nobody:nothing@127.0.0.1:9/nowhere",
            game_server_url=f"http://127.0.0.1:{game_server}",
            data_directory=str(WORLD),
            passthrough="false",
        ) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def full(recorded_sqlite: str) -> Iterator[httpx2.Client]:
    """A service that has as many streams as it may have."""
    with (
        service(database_url=recorded_sqlite, event_streams="1") as client,
        client.stream("GET", "/v1/events") as stream,
    ):
        # Without a reference to it, the iterator closes the stream.
        text = stream.iter_text()
        next(text)
        yield client


def request_to(path: str, **changes: Any) -> Request:
    """Return the request of the example with these parameters changed."""
    params: dict[str, Any] = request_of(path)["params"]
    if path.endswith("replay"):
        params = params | {name: value for name, value in REPLAY.items() if name in params}
    params = {name: value for name, value in (params | changes).items() if value is not None}
    for name in [name for name in params if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(str(params.pop(name))))
    return {"url": path, "params": params}


def bad_request(path: str) -> Request:
    if path in ("/v1/get_friends", "/v1/set_player_info", "/v1/set_avatar"):
        return request_to(path) | {"headers": {}}
    if path == "/v1/calculate_pp":
        return request_to(path, id=NOBODY)
    if path == "/v2/clans":
        # The mode counts with this parameter only.
        return request_to(path, sort="pp", mode=9)
    names = [parameter["name"] for parameter in PATHS[path]["get"]["parameters"]]
    return request_to(path, mode=9) if "mode" in names else request_to(path, id=None)


def not_found(path: str) -> Request:
    if path == "/v1/get_leaderboard":
        return request_to(path, around=NOBODY)
    params = request_of(path)["params"]
    wrong = UNUSUAL.get(path, NOBODY)
    return request_to(path, **{name: wrong for name in IDS if name in params})


def unprocessable(path: str) -> Request:
    if path.startswith("/api/"):
        # Without its parameters, it is a request for version 1.
        return request_to(path, **dict.fromkeys(("s", "b", "u", "mp")))
    name = {"/v2/players/{player_id}": "key", "/v2/players/search": "q"}.get(path)
    if name is None:
        of_type = PATHS[path]["get"]["parameters"]
        name = next(each["name"] for each in of_type if each["schema"].get("type") in ("integer", "array"))
    return request_to(path, **{name: "x"})


REQUESTS: dict[str, Callable[[str], Request]] = {
    "206": lambda path: request_to(path) | {"headers": {"Range": "bytes=0-9"}},
    "304": request_to,
    "400": bad_request,
    "401": lambda path: request_to(path) | {"headers": signed("nobody's")},
    "403": lambda path: request_to(path) | {"headers": signed(RESTRICTED)},
    "404": not_found,
    "412": lambda path: request_to(path) | {"headers": {"If-Match": '"another"'}},
    "413": lambda path: request_to(path) | {"data": {"userpage_content": "x" * 70_000}},
    "414": lambda path: request_to(path, x="x" * 20_000),
    "415": lambda path: (
        request_to(path) | {"content": b"x", "headers": signed(PLAYER) | {"Content-Type": "text/plain"}}
    ),
    "416": lambda path: request_to(path) | {"headers": {"Range": "bytes=99999999-"}},
    "422": unprocessable,
    "429": request_to,
    "503": request_to,
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [pp_engine.param(*each, needed=each[1] in WITH_ENGINE and each[2] == "304") for each in FAILURES],
)
def test_error(request: pytest.FixtureRequest, method: str, path: str, status: str) -> None:
    if status == "429":
        client: httpx2.Client = request.getfixturevalue("strict")
    elif status == "401" and path.startswith("/api/"):
        client = request.getfixturevalue("keyed")
    else:
        client = request.getfixturevalue("here").client
        if status == "503":
            # A stream of events begins without the database.
            client = request.getfixturevalue("full" if path == "/v1/events" else "alone")
        elif status == "304" and not path.endswith("replay"):
            client = request.getfixturevalue("demo")
    sent: Request = {"headers": signed(KEY if status == "304" else PLAYER)} | REQUESTS[status](path)
    answer = client.request(method, **sent)
    if status == "304":
        headers = sent["headers"] | {"If-None-Match": answer.headers["etag"]}
        answer = client.request(method, **sent | {"headers": headers})
    assert str(answer.status_code) == status, answer.text
    check_documented(PATHS[path][method], answer)


def test_the_errors_are_many() -> None:
    assert len(FAILURES) > 150
    assert {status for _, _, status in FAILURES} == set(REQUESTS)
