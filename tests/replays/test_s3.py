"""S3-compatible storage: what a folder has no like of."""

import asyncio
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from config.settings import Settings
from config.types import Secret
from replays.errors import Away, Changed, NoReplay
from replays.store import ReplayStore, open_store
from tests.conftest import ROOT, service
from tests.support import servers
from tests.support.replay_bodies import bare, large
from tests.support.servers import S3, S3_PAGE

SIZE = 300_000


def settings_of(given: dict[str, str]) -> Settings:
    return Settings(**{name: Secret(text) if "key" in name else text for name, text in given.items()})  # type: ignore[arg-type]


def place(server: S3, bucket: str, prefix: str = "") -> ReplayStore:
    """The place that the service would use; its bucket is there."""
    return open_store(settings_of(server.settings(bucket, prefix)))


async def read(bucket: ReplayStore, start: int, stop: int) -> bytes:
    async with bucket.open(1) as file, aclosing(file.chunks(start, stop)) as chunks:
        return b"".join([bytes(chunk) async for chunk in chunks])


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10), (0, SIZE), (65_535, 65_537), (65_536, 70_000), (299_999, SIZE), (7, 7)]
)
def test_bytes_of_an_object(s3: S3, start: int, stop: int) -> None:
    bucket = place(s3, "bytes", "p")
    s3.put("bytes", "p/1.osr", large(SIZE))
    assert asyncio.run(read(bucket, start, stop)) == large(SIZE)[start:stop]


@pytest.mark.parametrize("length", [10, 65_536, 100_000, SIZE, SIZE + 1])
def test_the_head_of_an_object(s3: S3, length: int) -> None:
    bucket = place(s3, "head")
    s3.put("head", "1.osr", large(SIZE))

    async def head() -> bytes:
        async with bucket.open(1) as file:
            return await file.head(length)

    assert asyncio.run(head()) == large(SIZE)[:length]


def test_an_empty_object(s3: S3) -> None:
    bucket = place(s3, "empty")
    s3.put("empty", "1.osr", b"")

    async def size() -> int:
        async with bucket.open(1) as file:
            assert await file.head(10) == b""
            return file.size

    assert asyncio.run(size()) == 0


def test_an_object_that_another_takes_the_place_of_is_not_mixed_with_it(s3: S3) -> None:
    bucket = place(s3, "changed")
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
    bucket = place(s3, "ids", "a/b")
    for name in ("a/b/1.osr", "a/b/20.osr", "a/b/03.osr", "a/b/x.osr", "a/b/c/4.osr", "a/5.osr", "a/bc/6.osr"):
        s3.put("ids", name, b"x")

    async def ids() -> list[int]:
        return [each async for batch in bucket.ids() for each in batch]

    assert sorted(asyncio.run(ids())) == [1, 20]


def test_many_ids(s3: S3) -> None:
    bucket = place(s3, "many")
    scores = list(range(2 * S3_PAGE + 1))
    for score in scores:
        s3.put("many", f"{score}.osr", b"")

    async def ids() -> list[int]:
        return [each async for batch in bucket.ids() for each in batch]

    assert sorted(asyncio.run(ids())) == scores


def test_a_missing_object_is_not_a_missing_bucket(s3: S3) -> None:
    there = place(s3, "there")
    gone = open_store(settings_of(s3.settings("there") | {"replays_url": "s3://nowhere"}))
    with pytest.raises(NoReplay):
        asyncio.run(read(there, 0, 1))
    with pytest.raises(Away):
        asyncio.run(read(gone, 0, 1))
    assert asyncio.run(there.unavailable_reason()) is None
    assert asyncio.run(gone.unavailable_reason()) == "NoSuchBucket: The specified bucket does not exist"


# What a command does whose storage is away: it asks, is refused, and ends.
ASK_AND_END = """
import asyncio
from config.settings import Settings
from replays.store import open_store
place = open_store(Settings(replays_url="s3://bucket", aws_endpoint_url="http://127.0.0.1:1"))
raise SystemExit(2 if asyncio.run(place.unavailable_reason()) else 0)
"""


def test_whoever_ends_right_after_an_answer_ends_as_it_says() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    # Many at once, since the library's threads must lose a race for a core.
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ASK_AND_END], cwd=ROOT, env=os.environ | keys, stderr=subprocess.PIPE
        )
        for _ in range(16)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [(b"", 2)] * len(started)


def test_storage_that_goes_away_and_comes_back(recorded_sqlite: str) -> None:
    with servers.s3() as server:
        settings = server.settings("osr")
        server.put("osr", "805.osr", bare())
        with service(database_url=recorded_sqlite, **settings) as client:
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


def start(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a command says that cannot go on; it has no S3 library."""
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    without = "import sys; sys.modules['obstore'] = None; import main; main.cli(sys.argv[1:])"
    command = [sys.executable, "-c", without, "--env", str(env_file), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", ["serve", "check-replays"])
def test_without_the_library_a_command_says_how_to_get_it(
    tmp_path: Path, recorded_sqlite: str, command: str
) -> None:
    ended = start(tmp_path, command, REPLAYS_URL="s3://bucket", DATABASE_URL=recorded_sqlite)
    assert ended.returncode == 2
    assert ended.stderr == "apidot: REPLAYS_URL=s3:// needs a package: .venv/bin/pip install obstore\n"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3://", "s3://bucket/prefix or file:///folder is accepted"),
        ("s3:///prefix", "s3://bucket/prefix or file:///folder is accepted"),
        ("s3://key:secret@bucket", "keys go into AWS_ settings"),
        ("file://folder", "s3://bucket/prefix or file:///folder is accepted"),
        ("http://bucket", "a URL that begins with s3:// or file:// is accepted"),
        ("folder", "a URL that begins with s3:// or file:// is accepted"),
    ],
)
def test_a_url_that_cannot_be_used(tmp_path: Path, url: str, text: str) -> None:
    ended = start(tmp_path, "serve", REPLAYS_URL=url)
    assert ended.returncode == 2
    assert text in ended.stderr
    assert "secret@" not in ended.stderr


def test_a_folder_may_be_named_by_url(tmp_path: Path, recorded_sqlite: str) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "805.osr").write_bytes(bare())
    with service(database_url=recorded_sqlite, replays_url=f"{folder.as_uri()}") as client:
        assert client.get("/v1/get_replay?id=805&include_headers=false").content == bare()
