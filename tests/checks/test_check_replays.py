"""The command `check-replays`."""

import asyncio
import json
import lzma
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from checks.check_replays import check_replays
from checks.replay_scan import Problem, ScoreIDs, compare, decode, decode_batch, list_replays
from config.environment import settings_from
from config.settings import Settings
from demo.load import load_sqlite
from domain.replays import ScoreStatus
from replays.osr import LAZER_VERSION
from replays.store import ReplayStore
from tests.conftest import ROOT
from tests.support import conformance
from tests.support.checks import Outcome, run_command
from tests.support.http_stub import Answer, Asked, answering
from tests.support.osr import REPLAY, TARGET_PRACTICE
from tests.support.osr import whole as whole_file
from tests.support.replay_bodies import bare
from tests.support.servers import S3

RECORDED = {file.stem: file.read_bytes() for file in (conformance.WORLD / "osr").iterdir()}
BAD = {
    "6001": bare()[:100],
    "6002": b"neither bare nor whole, " * 9,
    "6003": b"",
    "6004": bare()[:30] + bytes(200),
    "7001": bare(),
}


def run(folder: Path, *options: str, **settings: str) -> Outcome:
    return run_command(check_replays, folder, *options, **settings)


def by_problem(document: str) -> dict[str, list[int]]:
    """Return the ids in a JSON report, lowest first, by what is wrong with them."""
    found: dict[str, list[int]] = {}
    for finding in json.loads(document)["findings"]:
        found.setdefault(finding["problem"], []).append(finding["id"])
    return {problem: sorted(ids) for problem, ids in found.items()}


def expected(statuses: dict[str, int], files: set[str]) -> dict[str, list[int]]:
    passed = {int(score) for score, status in statuses.items() if status > 0}
    return {
        "missing": sorted(passed - {int(file) for file in files}),
        "orphaned": sorted(int(file) for file in files if file not in statuses),
        "truncated": [6001, 6003],
        "undecodable": [6002, 6004],
    }


@pytest.fixture(scope="module")
def statuses() -> dict[str, int]:
    """The status of each recorded score."""
    columns, rows = next((columns, rows) for name, columns, rows in conformance.tables() if name == "scores")
    return {str(row[columns.index("id")]): row[columns.index("status")] for row in rows}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a folder with the recorded replays, bad ones, and files that are not replays."""
    folder = tmp_path_factory.mktemp("check") / "osr"
    folder.mkdir()
    for score, content in (RECORDED | BAD | {"x": b"x", "007": b"x"}).items():
        (folder / f"{score}.osr").write_bytes(content)
    (folder / "6.osr.tmp").touch()
    return {"data_directory": str(folder.parent)}


@pytest.fixture(scope="module")
def bucket(s3: S3) -> dict[str, str]:
    """The settings of a bucket with the same."""
    settings = s3.settings("check", "osr")
    for score, content in (RECORDED | BAD | {"x": b"x", "007": b"x"}).items():
        s3.put("check", f"osr/{score}.osr", content)
    return settings


@pytest.mark.parametrize(("database", "store"), [("recorded_mysql", "folder"), ("recorded_sqlite", "bucket")])
def test_json(
    request: pytest.FixtureRequest, tmp_path: Path, statuses: dict[str, int], database: str, store: str
) -> None:
    settings = {"database_url": request.getfixturevalue(database)} | request.getfixturevalue(store)
    status, out, err = run(tmp_path, "--json", "--jobs", "1", **settings)
    assert (status, err) == (1, "")
    want = expected(statuses, set(RECORDED) | set(BAD))
    assert by_problem(out) == want
    totals = json.loads(out)
    del totals["findings"]
    assert totals == {
        "replays": len(RECORDED) + len(BAD),
        "scores": len(statuses),
        **{problem: len(ids) for problem, ids in want.items()},
    }


def test_the_command_line(tmp_path: Path, recorded_sqlite: str, folder: dict[str, str]) -> None:
    env_file = tmp_path / "env"
    settings = folder | {"database_url": recorded_sqlite}
    env_file.write_text("".join(f"{name.upper()}={value}\n" for name, value in settings.items()))
    command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "check-replays", "--json"]
    ended = subprocess.run(
        [*command, "--since-id", "6001", "--jobs", "2"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert by_problem(ended.stdout)["truncated"] == [6001, 6003]


def whole(tail: bytes = b"", frames: bytes = bare(), **changes: Any) -> bytes:
    """Return a whole file, and `tail` after it."""
    return whole_file(msgspec.structs.replace(REPLAY, **changes), frames) + tail


LAZER: dict[str, Any] = {"game_version": LAZER_VERSION}
FINDINGS: dict[str, bytes | None] = {
    "ok": whole(),
    "ok, with bytes after its end": whole(b"more"),
    "ok, without a score id in 2012": whole(game_version=20121007),
    "ok, with a short score id in 2013": whole(game_version=20130319),
    "ok, with a long life bar": whole(life_bar="1|0.5," * 300_000),
    "ok, by osu!(lazer)": whole(b"\x02\0\0\0{}", **LAZER),
    "ok, by osu!(lazer) without score information": whole(b"\xff\xff\xff\xff", **LAZER),
    "ok, with Target Practice": whole(mods=TARGET_PRACTICE, target_accuracy=0.5),
    "truncated before its score id": whole()[:-8],
    "truncated in its score id": whole()[:-4],
    "truncated in its short score id": whole(game_version=20130319)[:-1],
    "truncated before its target accuracy": whole(mods=TARGET_PRACTICE, target_accuracy=0.5)[:-8],
    "truncated before its score information": whole(**LAZER),
    "truncated in its score information": whole(b"\x03\0\0\0{}", **LAZER),
    "undecodable: There is no mode 5": whole(mode=5),
    "undecodable: It has no frames": whole(frames=b""),
    "undecodable: It has no frames.": lzma.compress(b",,-12345|0|0|7,", format=lzma.FORMAT_ALONE),
    "undecodable: It is no file": None,
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_findings(tmp_path: Path, finding: str) -> None:
    (tmp_path / "osr").mkdir()
    file = tmp_path / "osr" / "7.osr"
    content = FINDINGS[finding]
    if content is None:
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    problems = decode_batch(Settings(data_directory=str(tmp_path)), [7])
    if finding.startswith("ok"):
        assert problems == []
    else:
        (problem,) = problems
        assert f"{problem.problem}: {problem.why}".startswith(finding.partition(" ")[0])
        assert finding.partition(": ")[2] in problem.why


@contextmanager
def refusing(server: str, path: str) -> Iterator[int]:
    """Run a proxy for an S3 server that denies access to `path`. Yield its port."""

    def answer(asked: Asked) -> Answer:
        if asked.path == path:
            return Answer(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
        response = httpx2.request(asked.method, server + asked.path, headers=asked.headers, trust_env=False)
        kept = ("etag", "last-modified", "content-range", "content-type")
        headers = [(name, response.headers[name]) for name in kept if name in response.headers]
        return Answer(response.status_code, response.content, headers)

    with answering(answer) as port:
        yield port


def test_one_replay_that_the_storage_refuses(bucket: dict[str, str]) -> None:
    settings = settings_from({name.upper(): value for name, value in bucket.items()}, Path())
    with refusing(settings.aws_endpoint_url, "/check/osr/6001.osr") as port:
        through = replace(settings, aws_endpoint_url=f"http://127.0.0.1:{port}")
        problems = decode_batch(through, [805, 6001, 6003])
    assert [(problem.problem, problem.id) for problem in problems] == [("undecodable", 6001), ("truncated", 6003)]


def test_no_process_or_thread_is_left(tmp_path: Path) -> None:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / "7.osr").write_bytes(b"")
    (tmp_path / "osr" / "8.osr").symlink_to("8.osr")
    replays = ScoreIDs()
    replays.update([7, 8])

    async def problems() -> list[Problem]:
        settings = Settings(data_directory=str(tmp_path))
        return [problem async for problem in decode(settings, replays, 1, lambda _: None)]

    before, children = set(threading.enumerate()), multiprocessing.active_children()
    truncated, unreadable = asyncio.run(problems())
    assert (truncated.problem, truncated.id) == ("truncated", 7)
    assert (unreadable.problem, unreadable.id) == ("undecodable", 8)
    assert "Too many levels of symbolic links" in unreadable.why
    assert set(threading.enumerate()) <= before
    assert set(multiprocessing.active_children()) <= set(children)


def test_table(tmp_path: Path, recorded_sqlite: str, folder: dict[str, str]) -> None:
    status, out, _ = run(tmp_path, "--since-id", "6000", "--jobs", "1", database_url=recorded_sqlite, **folder)
    summary, _, heading, *lines = out.splitlines()
    assert status == 1
    assert summary.endswith("2 orphaned, 2 truncated, 2 undecodable")
    assert heading.split() == ["problem", "score", "why"]
    assert any(line.split()[:2] == ["truncated", "6001"] for line in lines)
    assert any(line.split()[:2] == ["orphaned", "7001"] for line in lines)


def test_the_first_of_many_problems(tmp_path: Path, recorded_sqlite: str, statuses: dict[str, int]) -> None:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / "1.osr").write_bytes(b"")
    settings = {"database_url": recorded_sqlite, "data_directory": str(tmp_path)}
    missing = sum(status > 0 for status in statuses.values()) - (statuses.get("1", 0) > 0)
    status, out, _ = run(tmp_path, "--jobs", "1", **settings)
    assert status == 1
    assert out.startswith(f"1 replays and {len(statuses)} scores checked: {missing} missing, ")
    assert [line.split()[0] for line in out.splitlines()[3:]].count("missing") == 6
    assert f"{missing - 5}  more; --all lists them" in out
    _, out, _ = run(tmp_path, "--jobs", "1", "--all", **settings)
    assert sum(line.startswith("missing ") for line in out.splitlines()) == missing


def test_the_highest_score_id(tmp_path: Path) -> None:
    highest = 2**63 - 1
    file = tmp_path / "world.sqlite"
    load_sqlite(file, [("scores", columns, [(highest, *values)]) for columns, values in [one_score()]])
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / f"{highest}.osr").write_bytes(bare())
    settings = {"database_url": f"sqlite:///{file}", "data_directory": str(tmp_path)}
    assert run(tmp_path, "--since-id", str(highest), "--jobs", "1", **settings).status == 0
    assert run(tmp_path, "--names-only", **settings).status == 0


def one_score() -> tuple[list[str], list[Any]]:
    """Return the columns of a recorded score, the id first, and its values without the id."""
    columns, rows = next((columns, rows) for name, columns, rows in conformance.tables() if name == "scores")
    row = dict(zip(columns, next(iter(rows)), strict=True))
    del row["id"]
    return ["id", *row], list(row.values())


@pytest.mark.parametrize("store", ["folder", "bucket"])
def test_names_only(request: pytest.FixtureRequest, tmp_path: Path, recorded_sqlite: str, store: str) -> None:
    options = ("--names-only", "--json", "--since-id", "7001")
    settings = request.getfixturevalue(store)
    status, out, _ = run(tmp_path, *options, database_url=recorded_sqlite, **settings)
    assert status == 1
    assert by_problem(out) == {"orphaned": [7001, 999999999]}


def test_no_problems(tmp_path: Path, recorded_sqlite: str, statuses: dict[str, int]) -> None:
    (tmp_path / "osr").mkdir()
    last = max(int(score) for score in statuses)
    for score in range(last - 9, last + 1):
        if statuses[str(score)]:
            (tmp_path / "osr" / f"{score}.osr").write_bytes(bare())
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "osr").iterdir()}
    settings = {"database_url": recorded_sqlite, "data_directory": str(tmp_path)}
    status, out, err = run(tmp_path, "--since-id", str(last - 9), "--jobs", "1", **settings)
    assert (status, err) == (0, "")
    assert out.endswith("0 missing, 0 orphaned, 0 truncated, 0 undecodable\n")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "osr").iterdir()} == before
    status, out, _ = run(tmp_path, "--since-id", str(last + 1), "--json", **settings)
    assert (status, json.loads(out)["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"data_directory": "nowhere"}, "nowhere/osr cannot be read: No such file or directory"),
        ({"replays_url": "s3://bucket", "aws_endpoint_url": "http://127.0.0.1:1"}, "s3://bucket cannot be read"),
        ({"database_url": "mysql://u@127.0.0.1:1/x"}, "The database did not answer."),
        ({"database_url": ""}, "there is no SQLite file"),
    ],
)
def test_what_cannot_be_checked(tmp_path: Path, recorded_sqlite: str, settings: dict[str, str], text: str) -> None:
    (tmp_path / "osr").mkdir()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    given = {"database_url": recorded_sqlite, "data_directory": str(tmp_path), **keys, **settings}
    status, out, err = run(tmp_path, **given)
    assert (status, out) == (2, "")
    assert err.startswith("apidot: ")
    assert text in err
    assert len(err.splitlines()) == 1


class Listed:
    """A store that only lists ids."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    async def ids(self) -> AsyncGenerator[list[int], None]:
        for id in self._ids:
            yield [id]


async def pages_of(scores: dict[int, int], since: int) -> AsyncIterator[list[ScoreStatus]]:
    """Yield the scores with their status, two at a time."""
    rows = [ScoreStatus(id, status) for id, status in sorted(scores.items()) if id >= since]
    for start in range(0, len(rows), 2):
        yield rows[start : start + 2]


@pytest.mark.parametrize(
    ("scores", "files", "since", "newest", "missing", "orphaned"),
    [
        ({1: 1, 2: 2, 3: 0}, [1, 2], 0, 3, [], []),
        ({1: 1, 2: 2, 3: 0}, [], 0, 3, [1, 2], []),
        ({1: 1, 2: 2, 3: 0}, [3], 0, 3, [1, 2], []),
        ({}, [5, 4], 0, 0, [], [4, 5]),
        ({2: 1, 4: 1, 6: 1, 8: 1, 9: 2}, [9, 1, 3, 4, 5, 10], 0, 9, [2, 6, 8], [1, 3, 5, 10]),
        ({2: 1, 4: 1, 6: 1, 8: 1, 9: 2}, [9, 1, 3, 4, 5, 10], 5, 9, [6, 8], [5, 10]),
        ({1: 1, 2: 1, 3: 1}, [], 0, 2, [1, 2], []),
        ({0: 1, 2**63 - 1: 1}, [0, 2**63 - 1], 0, 2**63 - 1, [], []),
    ],
)
def test_compare(
    scores: dict[int, int], files: list[int], since: int, newest: int, missing: list[int], orphaned: list[int]
) -> None:
    store: ReplayStore = Listed(files)  # type: ignore[assignment]

    async def problems() -> list[Problem]:
        replays = await list_replays(store, since, lambda _: None)
        pages = pages_of(scores, since)
        return [problem async for problem in compare(replays, pages, newest, lambda _: None)]

    found = asyncio.run(problems())
    assert [problem.id for problem in found if problem.problem == "missing"] == missing
    assert [problem.id for problem in found if problem.problem == "orphaned"] == orphaned


def test_a_set_of_ids() -> None:
    ids = ScoreIDs()
    some = [0, 1, 1023, 1024, 1025, 5_000_000, 2**63 - 1]
    ids.update(reversed(some))
    ids.update(some)
    assert list(ids) == some
    assert len(ids) == len(some)
