"""Replays through the shipped nginx configuration: streamed by the service, or handed over to nginx."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from tests.api.v1.test_replays import BARE, FILES, GARBAGE, HIDDEN, LARGE, WHOLE, in_folder
from tests.conftest import service
from tests.support.nginx import NAME, nginx

PATH = "/v1/get_replay?id={}"
FRAMES = PATH + "&include_headers=false"
ORIGIN = {"Origin": "https://web.example"}


class Clients(NamedTuple):
    """Clients of a service that hands replays over to nginx: one through nginx, one without it."""

    nginx: httpx2.Client
    direct: httpx2.Client


@pytest.fixture(scope="module")
def clients(recorded_sqlite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder = tmp_path_factory.mktemp("replays")
    settings = in_folder(folder) | {"database_url": recorded_sqlite, "nginx_replays": "/internal/osr/"}
    with (
        service(**settings) as direct,
        nginx(direct.base_url.port or 0, replays=Path(folder, "osr")) as front,
        httpx2.Client(base_url=front.https, verify=front.trust, headers={"Host": NAME}, trust_env=False) as client,
    ):
        yield Clients(client, direct)


def test_a_whole_file_is_streamed_with_its_ranges(clients: Clients) -> None:
    path = PATH.format(LARGE)
    whole = clients.direct.get(path).content

    full = clients.nginx.get(path, headers=ORIGIN)
    part = clients.nginx.get(path, headers={"Range": "bytes=100-70000"})

    assert FILES[LARGE] in whole
    assert full.content == whole
    assert full.headers["Content-Length"] == str(len(whole))
    assert full.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert ".osr" in full.headers["Content-Disposition"]
    assert (part.status_code, part.content) == (206, whole[100:70001])
    assert part.headers["Content-Range"] == f"bytes 100-70000/{len(whole)}"


def test_the_service_hands_bare_frames_over_to_nginx(clients: Clients) -> None:
    response = clients.direct.get(FRAMES.format(BARE), headers={"X-Forwarded-For": "203.0.113.7"})

    assert response.headers["X-Accel-Redirect"] == f"/internal/osr/{BARE}.osr"
    assert response.content == b""


def test_nginx_sends_bare_frames_like_the_service(clients: Clients) -> None:
    response = clients.nginx.get(FRAMES.format(BARE), headers=ORIGIN)
    streamed = clients.direct.get(FRAMES.format(BARE), headers=ORIGIN)

    assert response.content == streamed.content == FILES[BARE]
    assert "X-Accel-Redirect" not in response.headers
    assert response.headers["X-Request-ID"]
    for name in ("Content-Type", "Content-Length", "Last-Modified", "Cache-Control", "Accept-Ranges", "Vary"):
        assert response.headers.get(name) == streamed.headers.get(name), name
    for name in ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"):
        assert response.headers.get_list(name) == streamed.headers.get_list(name) != [], name


def test_nginx_supports_ranges_conditional_requests_and_head(clients: Clients) -> None:
    path = FRAMES.format(LARGE)
    full = clients.nginx.get(path)

    part = clients.nginx.get(path, headers={"Range": "bytes=10-19"})
    beyond = clients.nginx.get(path, headers={"Range": "bytes=99999999-"})
    same = clients.nginx.get(path, headers={"If-None-Match": full.headers["ETag"]})
    head = clients.nginx.head(path)

    assert (part.status_code, part.content) == (206, FILES[LARGE][10:20])
    assert beyond.status_code == 416
    assert (same.status_code, same.content) == (304, b"")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(FILES[LARGE])))


def test_a_stored_file_with_a_header_is_handed_over_whole(clients: Clients) -> None:
    response, bare = clients.nginx.get(PATH.format(WHOLE)), clients.nginx.get(FRAMES.format(WHOLE))

    assert response.content == FILES[WHOLE]
    assert (
        response.headers["Content-Disposition"]
        == clients.direct.get(PATH.format(WHOLE)).headers["Content-Disposition"]
    )
    assert bare.content == clients.direct.get(FRAMES.format(WHOLE)).content
    assert bare.content in FILES[WHOLE]


@pytest.mark.parametrize("score", [HIDDEN, GARBAGE, 1])
def test_hidden_and_missing_replays_are_not_handed_over(clients: Clients, score: int) -> None:
    response = clients.nginx.get(FRAMES.format(score), headers=ORIGIN)

    assert response.status_code == 404
    assert response.json() == {"status": "Replay not found."}
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]
