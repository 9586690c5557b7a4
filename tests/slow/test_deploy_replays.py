"""Replays through the shipped nginx block: streamed by the service, and handed over to nginx."""

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


class Ways(NamedTuple):
    """Two ways to one service that hands replays over: past nginx, and straight."""

    nginx: httpx2.Client
    straight: httpx2.Client


@pytest.fixture(scope="module")
def ways(recorded_sqlite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """A service on the recorded world whose replays nginx can read."""
    folder = tmp_path_factory.mktemp("replays")
    settings = in_folder(folder) | {"database_url": recorded_sqlite, "nginx_replays": "/internal/osr/"}
    with (
        service(**settings) as straight,
        nginx(straight.base_url.port or 0, replays=Path(folder, "osr")) as front,
        httpx2.Client(base_url=front.https, verify=front.trust, headers={"Host": NAME}, trust_env=False) as client,
    ):
        yield Ways(client, straight)


def test_a_whole_file_is_streamed_with_its_ranges(ways: Ways) -> None:
    path = PATH.format(LARGE)
    whole = ways.straight.get(path).content

    full = ways.nginx.get(path, headers=ORIGIN)
    part = ways.nginx.get(path, headers={"Range": "bytes=100-70000"})

    assert FILES[LARGE] in whole
    assert full.content == whole
    assert full.headers["Content-Length"] == str(len(whole))
    assert full.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert ".osr" in full.headers["Content-Disposition"]
    assert (part.status_code, part.content) == (206, whole[100:70001])
    assert part.headers["Content-Range"] == f"bytes 100-70000/{len(whole)}"


def test_the_service_leaves_bare_frames_to_nginx(ways: Ways) -> None:
    told = ways.straight.get(FRAMES.format(BARE), headers={"X-Forwarded-For": "203.0.113.7"})

    assert told.headers["X-Accel-Redirect"] == f"/internal/osr/{BARE}.osr"
    assert told.content == b""


def test_nginx_sends_bare_frames_as_the_service_would(ways: Ways) -> None:
    answer = ways.nginx.get(FRAMES.format(BARE), headers=ORIGIN)
    streamed = ways.straight.get(FRAMES.format(BARE), headers=ORIGIN)

    assert answer.content == streamed.content == FILES[BARE]
    assert "X-Accel-Redirect" not in answer.headers
    assert answer.headers["X-Request-ID"]
    for name in ("Content-Type", "Content-Length", "Last-Modified", "Cache-Control", "Accept-Ranges", "Vary"):
        assert answer.headers.get(name) == streamed.headers.get(name), name
    for name in ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"):
        assert answer.headers.get_list(name) == streamed.headers.get_list(name) != [], name


def test_nginx_answers_ranges_conditions_and_head(ways: Ways) -> None:
    path = FRAMES.format(LARGE)
    full = ways.nginx.get(path)

    part = ways.nginx.get(path, headers={"Range": "bytes=10-19"})
    beyond = ways.nginx.get(path, headers={"Range": "bytes=99999999-"})
    same = ways.nginx.get(path, headers={"If-None-Match": full.headers["ETag"]})
    head = ways.nginx.head(path)

    assert (part.status_code, part.content) == (206, FILES[LARGE][10:20])
    assert beyond.status_code == 416
    assert (same.status_code, same.content) == (304, b"")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(FILES[LARGE])))


def test_a_file_with_a_header_of_its_own_is_handed_over_whole(ways: Ways) -> None:
    answer, bare = ways.nginx.get(PATH.format(WHOLE)), ways.nginx.get(FRAMES.format(WHOLE))

    assert answer.content == FILES[WHOLE]
    assert (
        answer.headers["Content-Disposition"]
        == ways.straight.get(PATH.format(WHOLE)).headers["Content-Disposition"]
    )
    assert bare.content == ways.straight.get(FRAMES.format(WHOLE)).content
    assert bare.content in FILES[WHOLE]


@pytest.mark.parametrize("score", [HIDDEN, GARBAGE, 1])
def test_what_is_not_for_everyone_is_not_handed_over(ways: Ways, score: int) -> None:
    answer = ways.nginx.get(FRAMES.format(score), headers=ORIGIN)

    assert answer.status_code == 404
    assert answer.json() == {"status": "Replay not found."}
    assert answer.headers.get_list("Access-Control-Allow-Origin") == ["*"]
