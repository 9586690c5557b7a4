"""Replays in S3-compatible storage, and which store the settings name."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import build
from api.startup import open_services
from config.environment import BadSetting, settings_from
from config.settings import Settings
from domain.errors import CannotOpen
from replays.errors import Changed, NoReplay, StoreUnavailable
from replays.store import ReplayStore, open_store
from tests.support import servers
from tests.support.checks import settings_of
from tests.support.replay_bodies import bare, large
from tests.support.servers import S3

SIZE = 300_000


def store_of(server: S3, bucket: str, prefix: str = "") -> ReplayStore:
    """Create a bucket, and return its store."""
    return open_store(settings_of(Path(), **server.settings(bucket, prefix)))


async def read(store: ReplayStore, start: int, stop: int) -> bytes:
    async with store.open(1) as file, aclosing(file.chunks(start, stop)) as chunks:
        return b"".join([bytes(chunk) async for chunk in chunks])


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10), (0, SIZE), (65_535, 65_537), (65_536, 70_000), (299_999, SIZE), (7, 7)]
)
def test_bytes_of_an_object(s3: S3, start: int, stop: int) -> None:
    bucket = store_of(s3, "bytes", "p")
    s3.put("bytes", "p/1.osr", large(SIZE))
    assert asyncio.run(read(bucket, start, stop)) == large(SIZE)[start:stop]


@pytest.mark.parametrize("length", [10, 65_536, 100_000, SIZE, SIZE + 1])
def test_the_head_of_an_object(s3: S3, length: int) -> None:
    bucket = store_of(s3, "head")
    s3.put("head", "1.osr", large(SIZE))

    async def head() -> bytes:
        async with bucket.open(1) as file:
            return await file.head(length)

    assert asyncio.run(head()) == large(SIZE)[:length]


def test_an_empty_object(s3: S3) -> None:
    bucket = store_of(s3, "empty")
    s3.put("empty", "1.osr", b"")

    async def size() -> int:
        async with bucket.open(1) as file:
            assert await file.head(10) == b""
            return file.size

    assert asyncio.run(size()) == 0


def test_an_object_that_is_replaced_while_it_is_read(s3: S3) -> None:
    bucket = store_of(s3, "changed")
    s3.put("changed", "1.osr", large(SIZE))

    async def read_both() -> None:
        async with bucket.open(1) as file, aclosing(file.chunks(0, SIZE)) as chunks:
            first = await anext(chunks)
            s3.put("changed", "1.osr", large(SIZE - 1))
            assert first == large(SIZE)[: len(first)]
            await anext(chunks)

    with pytest.raises(Changed, match=r"s3://changed/1\.osr"):
        asyncio.run(read_both())


def test_ids_are_those_below_the_prefix(s3: S3) -> None:
    bucket = store_of(s3, "ids", "a/b")
    for name in ("a/b/1.osr", "a/b/20.osr", "a/b/03.osr", "a/b/x.osr", "a/b/c/4.osr", "a/5.osr", "a/bc/6.osr"):
        s3.put("ids", name, b"x")

    async def ids() -> list[int]:
        return [each async for batch in bucket.ids() for each in batch]

    assert sorted(asyncio.run(ids())) == [1, 20]


def test_many_ids(s3: S3) -> None:
    # The library yields 50 at a time.
    bucket = store_of(s3, "many")
    for score in range(120):
        s3.put("many", f"{score}.osr", b"")

    async def ids() -> list[int]:
        return [each async for batch in bucket.ids() for each in batch]

    assert sorted(asyncio.run(ids())) == list(range(120))


def test_a_missing_object_is_not_a_missing_bucket(s3: S3) -> None:
    there = store_of(s3, "there")
    gone = open_store(settings_of(Path(), **(s3.settings("there") | {"replays_url": "s3://nowhere"})))
    with pytest.raises(NoReplay):
        asyncio.run(read(there, 0, 1))
    with pytest.raises(StoreUnavailable):
        asyncio.run(read(gone, 0, 1))
    assert asyncio.run(there.unavailable_reason()) is None
    assert asyncio.run(gone.unavailable_reason()) == "NoSuchBucket: The specified bucket does not exist"


def test_storage_that_becomes_unavailable_and_comes_back(recorded_sqlite: str) -> None:
    with servers.s3() as server:
        settings = server.settings("osr")
        server.put("osr", "805.osr", bare())
        app = build(settings_of(Path(), database_url=recorded_sqlite, **settings), open_services)
        with TestClient(app) as client:
            url = "/v1/get_replay?id=805"
            assert client.get(url).status_code == 200
            server.stop()
            answer = client.get(url)
            assert (answer.status_code, answer.json()) == (503, {"status": "The replay storage did not answer."})
            assert answer.headers["retry-after"]
            assert client.get("/v1/get_score_info?id=805").status_code == 200
            server.start()
            server.settings("osr")
            server.put("osr", "805.osr", bare(3))
            assert client.get(f"{url}&include_headers=false").content == bare(3)


def test_without_the_library_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "replays.s3", raising=False)
    with pytest.raises(CannotOpen) as error:
        open_store(Settings(replays_url="s3://bucket"))
    assert str(error.value) == "REPLAYS_URL=s3:// needs a package: .venv/bin/pip install obstore"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3://", "expected s3://bucket/prefix or file:///folder"),
        ("s3:///prefix", "expected s3://bucket/prefix or file:///folder"),
        ("s3://key:secret@bucket", "keys go into AWS_ settings"),
        ("file://folder", "expected s3://bucket/prefix or file:///folder"),
        ("http://bucket", "expected a URL that begins with s3:// or file://"),
        ("folder", "expected a URL that begins with s3:// or file://"),
    ],
)
def test_a_bad_url(tmp_path: Path, url: str, text: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings_from({"REPLAYS_URL": url}, tmp_path)
    assert text in str(error.value)
    assert "secret@" not in str(error.value)


def test_a_folder_may_be_named_by_a_url(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "1.osr").write_bytes(large(SIZE))
    assert asyncio.run(read(open_store(Settings(replays_url=folder.as_uri())), 0, SIZE)) == large(SIZE)
