"""get_replay, from a folder and from S3."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import msgspec
import pytest

from tests.conftest import service
from tests.support import conformance
from tests.support.osr import REPLAY, parse
from tests.support.osr import whole as whole_file
from tests.support.replay_bodies import bare
from tests.support.servers import S3

OSR = conformance.WORLD / "osr"
BARE, WHOLE, UNICODE, SLASH, LARGE = 805, 987, 399, 1225, 2632
HIDDEN, GARBAGE, EMPTY, CUT_SHORT, LONG_HEADER = 119, 1078, 1638, 3101, 483
NO_SCORE, NO_FILE = 999999999, 806
EARLIER = datetime(2024, 1, 2, 3, 4, 5).timestamp()
PATHS = ("/get_replay", "/v1/get_replay", "/api/get_replay", "/api/v1/get_replay", "/v1/get_replay/")


def whole(frames: bytes, life_bar: str = "", mode: int = 0) -> bytes:
    """Return a whole file of a play that is not a score of the recorded world."""
    replay = msgspec.structs.replace(REPLAY, mode=mode, life_bar=life_bar)
    return whole_file(replay, frames)


FILES = {
    score: Path(OSR, f"{score}.osr").read_bytes() for score in (BARE, UNICODE, SLASH, LARGE, HIDDEN, NO_SCORE)
} | {
    WHOLE: whole(bare()),
    GARBAGE: b"neither bare nor whole, " * 9,
    EMPTY: b"",
    CUT_SHORT: whole(bare())[:-100],
    LONG_HEADER: whole(bare(), "1|0.5," * 30_000),
}


def in_folder(folder: Path) -> dict[str, str]:
    """Write FILES into a data folder, and return the settings of a service with them."""
    Path(folder, "osr").mkdir(parents=True)
    for score, content in FILES.items():
        file = Path(folder, "osr", f"{score}.osr")
        file.write_bytes(content)
        os.utime(file, (EARLIER, EARLIER))
    return {"data_directory": str(folder)}


def in_bucket(server: S3) -> dict[str, str]:
    """Write FILES into a bucket, and return the settings of a service with them."""
    settings = server.settings("http", "some/where")
    for score, content in FILES.items():
        server.put("http", f"some/where/{score}.osr", content)
    return settings


@pytest.fixture(scope="module", params=["folder", "s3"])
def client(
    request: pytest.FixtureRequest, recorded_sqlite: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    if request.param == "folder":
        settings = in_folder(tmp_path_factory.mktemp("replays") / "data")
    else:
        settings = in_bucket(request.getfixturevalue("s3"))
    with service(database_url=recorded_sqlite, **settings) as client:
        yield client


def get(
    client: httpx2.Client, score: int, bare: bool = False, method: str = "GET", **headers: str
) -> httpx2.Response:
    query = f"id={score}" + ("&include_headers=false" if bare else "")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, f"/v1/get_replay?{query}", headers=named)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_path_form(client: httpx2.Client, path: str, method: str) -> None:
    answer = client.request(method, f"{path}?id={BARE}")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == "10014"
    assert len(answer.content) == (10014 if method == "GET" else 0)


def test_a_bare_file_in_both_forms(client: httpx2.Client) -> None:
    full, frames = get(client, BARE), get(client, BARE, bare=True)
    assert frames.content == FILES[BARE]
    replay, inside = parse(full.content)
    assert inside == FILES[BARE]
    assert (replay.score_id, replay.player_name) == (BARE, "denficro46038")


def test_headers_of_both_forms(client: httpx2.Client) -> None:
    full, frames = get(client, BARE), get(client, BARE, bare=True)
    for answer in (full, frames):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-description"] == "File Transfer"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-length"] == str(len(answer.content))
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
        assert parsedate_to_datetime(answer.headers["last-modified"]) <= datetime.now(UTC)
    assert "content-disposition" not in frames.headers
    assert full.headers["etag"] != frames.headers["etag"]
    name = "denficro46038 - xi - Image Syndrome [Inner Oni] (2023-08-11).osr"
    assert full.headers["content-disposition"].startswith(f'attachment; filename="{name}"; ')


def test_head_has_the_headers_of_get(client: httpx2.Client) -> None:
    for form in (False, True):
        got, head = get(client, LARGE, form), get(client, LARGE, form, method="HEAD")
        ignored = ("date", "x-request-id")
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in got.headers.items() if k not in ignored
        }
        assert head.content == b""


def test_a_whole_file_is_sent_unchanged_or_without_its_header(client: httpx2.Client) -> None:
    assert get(client, WHOLE).content == FILES[WHOLE]
    assert get(client, WHOLE, bare=True).content == bare()
    assert "Se%C3%B1orita" in get(client, WHOLE).headers["content-disposition"]


def test_a_whole_file_with_a_long_life_bar(client: httpx2.Client) -> None:
    assert get(client, LONG_HEADER).content == FILES[LONG_HEADER]
    assert get(client, LONG_HEADER, bare=True).content == bare()


@pytest.mark.parametrize(
    ("score", "text"),
    [(UNICODE, "%E3%81%9A%E3%81%A3%E3%81%A8"), (SLASH, "Saren%20-%20ACDC%20-%20Rocket")],
)
def test_names(client: httpx2.Client, score: int, text: str) -> None:
    disposition = get(client, score).headers["content-disposition"]
    assert disposition.isascii()
    assert text in disposition


@pytest.mark.parametrize(
    ("score", "bare", "status", "text"),
    [
        (NO_FILE, False, 404, "Replay not found."),
        (NO_FILE, True, 404, "Replay not found."),
        (HIDDEN, False, 404, "Replay not found."),
        (HIDDEN, True, 404, "Replay not found."),
        (GARBAGE, False, 404, "Replay not found."),
        (GARBAGE, True, 404, "Replay not found."),
        (EMPTY, False, 404, "Replay not found."),
        (CUT_SHORT, False, 404, "Replay not found."),
        (NO_SCORE, False, 404, "Score not found."),
        (2**63 - 1, False, 404, "Replay not found."),
    ],
)
def test_errors(client: httpx2.Client, score: int, bare: bool, status: int, text: str) -> None:
    answer = get(client, score, bare)
    assert (answer.status_code, answer.json()) == (status, {"status": text})
    assert get(client, score, bare, method="HEAD").status_code == status


def test_bare_frames_need_no_score(client: httpx2.Client) -> None:
    assert get(client, NO_SCORE, bare=True).content == FILES[NO_SCORE]


SIZE = 10014  # 125 bytes of header, 9881 of frames, 8 of trailer


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("0-9", 0, 10),
        ("0-124", 0, 125),
        ("100-200", 100, 201),
        ("124-125", 124, 126),
        ("125-10005", 125, 10006),
        ("130-140", 130, 141),
        ("10000-10010", 10000, 10011),
        ("10005-10006", 10005, 10007),
        ("100-10010", 100, 10011),
        ("10013-", 10013, SIZE),
        ("5-", 5, SIZE),
        ("-1", SIZE - 1, SIZE),
        ("-8", SIZE - 8, SIZE),
        ("-100", SIZE - 100, SIZE),
        ("-99999", 0, SIZE),
        ("0-99999", 0, SIZE),
    ],
)
def test_range(client: httpx2.Client, asked: str, start: int, stop: int) -> None:
    full = get(client, BARE)
    part = get(client, BARE, range=f"bytes={asked}")
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert part.headers["content-length"] == str(stop - start)
    assert part.content == full.content[start:stop]
    assert part.headers["etag"] == full.headers["etag"]
    assert part.headers["content-disposition"] == full.headers["content-disposition"]


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(("start", "stop"), [(65_000, 66_000), (65_536, 65_537), (70_000, 78_000), (10, 78_700)])
def test_range_of_a_large_file(client: httpx2.Client, bare: bool, start: int, stop: int) -> None:
    part = get(client, LARGE, bare, range=f"bytes={start}-{stop - 1}")
    assert part.status_code == 206
    assert part.content == get(client, LARGE, bare).content[start:stop]


@pytest.mark.parametrize("score", [WHOLE, LONG_HEADER])
@pytest.mark.parametrize("bare", [False, True])
def test_range_of_a_whole_file(client: httpx2.Client, score: int, bare: bool) -> None:
    full = get(client, score, bare).content
    assert get(client, score, bare, range="bytes=7-300").content == full[7:301]
    assert get(client, score, bare, range="bytes=-9").content == full[-9:]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", "bytes=99999-100000"])
def test_unsatisfiable_range(client: httpx2.Client, asked: str) -> None:
    answer = get(client, BARE, range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.json() == {"status": "The replay has no such bytes."}
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=4-3", "bytes=x", "lines=0-1", "bytes"])
def test_ignored_range(client: httpx2.Client, asked: str) -> None:
    answer = get(client, BARE, range=asked)
    assert answer.status_code == 200
    assert len(answer.content) == SIZE
    assert "content-range" not in answer.headers


def test_a_range_is_only_for_get(client: httpx2.Client) -> None:
    answer = get(client, BARE, method="HEAD", range="bytes=0-1")
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": "{etag}"}, 304),
        ({"if_none_match": 'W/{etag}, "x"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_none_match": '"x"', "if_modified_since": "{modified}"}, 200),
        ({"if_modified_since": "{modified}"}, 304),
        ({"if_modified_since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200),
        ({"if_match": "{etag}"}, 200),
        ({"if_match": '"x"'}, 412),
        ({"if_unmodified_since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 412),
        ({"if_none_match": "{etag}", "range": "bytes=0-1"}, 304),
        ({"if_range": "{etag}", "range": "bytes=0-1"}, 206),
        ({"if_range": "W/{etag}", "range": "bytes=0-1"}, 200),
        ({"if_range": '"x"', "range": "bytes=0-1"}, 200),
        ({"if_range": "Mon, 01 Jan 2001 00:00:00 GMT", "range": "bytes=0-1"}, 200),
        ({"if_range": '"x"', "range": "bytes=99999-"}, 200),
    ],
)
def test_condition(client: httpx2.Client, headers: dict[str, str], status: int) -> None:
    first = get(client, BARE)
    facts = {"etag": first.headers["etag"], "modified": first.headers["last-modified"]}
    given = {name: value.format(**facts) for name, value in headers.items()}
    answer = get(client, BARE, False, "GET", **given)
    assert answer.status_code == status
    assert answer.headers["etag"] == facts["etag"]
    if status == 304:
        assert answer.content == b""
        assert "content-length" not in answer.headers
        assert get(client, BARE, False, "HEAD", **given).status_code == 304


def test_unknown_methods(client: httpx2.Client) -> None:
    answer = client.post(f"/v1/get_replay?id={BARE}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("score", [BARE, WHOLE, UNICODE, SLASH, LARGE])
def test_version_2_sends_the_same_file(client: httpx2.Client, score: int) -> None:
    first = get(client, score)
    for path in (f"/v2/scores/{score}/replay", f"/api/v2/scores/{score}/replay/"):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (200, first.content)
        assert answer.headers["content-type"] == "application/x-osu-replay"
        same = ("content-disposition", "content-length", "etag", "last-modified")
        assert [answer.headers[name] for name in same] == [first.headers[name] for name in same]
        assert client.head(path).headers["content-length"] == first.headers["content-length"]
        assert client.get(path, headers={"Range": "bytes=2-5"}).content == first.content[2:6]
        assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("score", [HIDDEN, NO_FILE, EMPTY, -1, 0, 2**63 - 1, 2**63, 10**40])
def test_errors_of_version_2(client: httpx2.Client, score: int) -> None:
    answer = client.get(f"/v2/scores/{score}/replay")
    assert (answer.status_code, answer.json()) == (404, {"status": "error", "error": "Replay not found."})


@pytest.mark.parametrize(
    "stored", [whole(bare(), mode=8), whole(bare(), "1|0.5," * 300_000), whole(b"")[:-12] + b"\xff" * 12]
)
def test_an_odd_whole_file_is_sent_as_it_is(tmp_path: Path, recorded_sqlite: str, stored: bytes) -> None:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / f"{WHOLE}.osr").write_bytes(stored)
    with service(database_url=recorded_sqlite, data_directory=str(tmp_path)) as client:
        response = client.get(f"/v1/get_replay?id={WHOLE}")
        assert (response.status_code, response.content) == (200, stored)
        assert client.get(f"/v1/get_replay?id={WHOLE}&include_headers=false").content in stored


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_no_replay(tmp_path: Path, recorded_sqlite: str, make: Callable[[Path], None]) -> None:
    (tmp_path / "osr").mkdir()
    make(tmp_path / "osr" / f"{WHOLE}.osr")
    with service(database_url=recorded_sqlite, data_directory=str(tmp_path)) as client:
        response = client.get(f"/v1/get_replay?id={WHOLE}")
        assert (response.status_code, response.json()) == (404, {"status": "Replay not found."})


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Tokyo", -9), ("UTC", 0)])
def test_the_date_is_in_utc(tmp_path: Path, recorded_sqlite: str, zone: str, hours: int) -> None:
    settings = in_folder(tmp_path)
    with service(database_url=recorded_sqlite, time_zone=zone, **settings) as client:
        replay, _ = parse(client.get(f"/v1/get_replay?id={BARE}").content)
        score = client.get(f"/v1/get_score_info?id={BARE}").json()["score"]
    played_at = datetime.min + timedelta(microseconds=replay.played_at // 10)
    assert played_at == datetime.fromisoformat(score["play_time"]) + timedelta(hours=hours)
