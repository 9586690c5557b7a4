"""check-replays, as an operator runs it."""

import asyncio
import json
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from checks.replay_scan import Archive, Finding, Scores, compare, decode, stored
from config.settings import Settings
from demo.load import load_sqlite
from domain.replays import ScoreStatus
from replays.score_ids import ScoreIDs, score_id
from replays.store import ReplayStore, open_store
from tests.conftest import ROOT
from tests.support import conformance
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


def check(tmp_path: Path, *options: str, **settings: str) -> tuple[int, str, str]:
    """The exit code of check-replays, and what it wrote."""
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name.upper()}={value}\n" for name, value in settings.items()))
    command = [sys.executable, str(ROOT / "main.py"), "--env", str(env_file), "check-replays", *options]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def by_problem(document: str) -> dict[str, list[int]]:
    """The ids that a JSON report names, by what is wrong with them."""
    found: dict[str, list[int]] = {}
    for finding in json.loads(document)["findings"]:
        found.setdefault(finding["problem"], []).append(finding["id"])
    return found


def expected(database: dict[str, int], files: set[str]) -> dict[str, list[int]]:
    scores = {int(score) for score, status in database.items() if status > 0}
    return {
        "missing": sorted(scores - {int(file) for file in files}),
        "orphaned": sorted(int(file) for file in files if file not in database),
        "truncated": [6001, 6003],
        "undecodable": [6002, 6004],
    }


@pytest.fixture(scope="module")
def statuses() -> dict[str, int]:
    """The status of each recorded score."""
    columns, rows = next((columns, rows) for name, columns, rows in conformance.tables() if name == "scores")
    return {str(row[columns.index("id")]): row[columns.index("status")] for row in rows}


@pytest.fixture(scope="module", params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a place with the recorded replays, bad ones, and what is no replay."""
    files = RECORDED | BAD | {"x": b"x", "007": b"x"}
    if request.param == "folder":
        folder = tmp_path_factory.mktemp("check") / "osr"
        folder.mkdir()
        for score, content in files.items():
            (folder / f"{score}.osr").write_bytes(content)
        (folder / "6.osr.tmp").touch()
        return {"data_directory": str(folder.parent)}
    server: S3 = request.getfixturevalue("s3")
    settings = server.settings("check", "osr")
    for score, content in files.items():
        server.put("check", f"osr/{score}.osr", content)
    return settings


@pytest.fixture(params=["recorded_sqlite", "recorded_mysql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


def test_json(tmp_path: Path, database_url: str, place: dict[str, str], statuses: dict[str, int]) -> None:
    status, out, err = check(tmp_path, "--json", "--jobs", "2", database_url=database_url, **place)
    assert (status, err) == (1, "")
    found = by_problem(out)
    want = expected(statuses, set(RECORDED) | set(BAD))
    assert {problem: sorted(ids) for problem, ids in found.items()} == want
    totals = json.loads(out)
    del totals["findings"]
    assert totals == {
        "replays": len(RECORDED) + len(BAD),
        "scores": len(statuses),
        **{problem: len(ids) for problem, ids in want.items()},
    }


def test_nothing_of_the_processes_is_left(tmp_path: Path) -> None:
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / "7.osr").write_bytes(b"")
    settings = Settings(data_directory=str(tmp_path))
    archive = Archive(settings=settings, place=open_store(settings), scores=Few({7: 1}))
    files = ScoreIDs()
    files.update([7])

    async def found() -> list[Finding]:
        return [each async for each in decode(archive, files, 1, lambda _: None)]

    before = set(threading.enumerate())
    assert [each.problem for each in asyncio.run(found())] == ["truncated"]
    assert set(threading.enumerate()) <= before
    assert multiprocessing.active_children() == []


def test_table(tmp_path: Path, recorded_sqlite: str, place: dict[str, str]) -> None:
    status, out, _ = check(tmp_path, "--since-id", "6000", database_url=recorded_sqlite, **place)
    lines = out.splitlines()
    assert status == 1
    assert lines[0].split() == ["problem", "score", "why"]
    assert any(line.split()[:2] == ["truncated", "6001"] for line in lines)
    assert any(line.split()[:2] == ["orphaned", "7001"] for line in lines)
    assert lines[-1].endswith("2 orphaned, 2 truncated, 2 undecodable")


def test_the_highest_ids_there_are(tmp_path: Path) -> None:
    last = 2**63 - 1
    file = tmp_path / "world.sqlite"
    load_sqlite(file, [("scores", columns, [(last, *values)]) for columns, values in [one_score()]])
    (tmp_path / "osr").mkdir()
    (tmp_path / "osr" / f"{last}.osr").write_bytes(bare())
    settings = {"database_url": f"sqlite:///{file}", "data_directory": str(tmp_path)}
    assert check(tmp_path, "--since-id", str(last), **settings)[0] == 0
    assert check(tmp_path, **settings)[0] == 0


def one_score() -> tuple[list[str], list[Any]]:
    """The columns and the values of a recorded score; the first column is the id, whose value is left out."""
    columns, rows = next((columns, rows) for name, columns, rows in conformance.tables() if name == "scores")
    row = dict(zip(columns, next(iter(rows)), strict=True))
    del row["id"]
    return ["id", *row], list(row.values())


def test_names_only(tmp_path: Path, recorded_sqlite: str, place: dict[str, str]) -> None:
    options = ("--names-only", "--json", "--since-id", "7001")
    status, out, _ = check(tmp_path, *options, database_url=recorded_sqlite, **place)
    assert status == 1
    assert by_problem(out) == {"orphaned": [7001, 999999999]}


def test_nothing_found(tmp_path: Path, recorded_sqlite: str, statuses: dict[str, int]) -> None:
    (tmp_path / "osr").mkdir()
    last = max(int(score) for score in statuses)
    for score in range(last - 9, last + 1):
        if statuses[str(score)]:
            (tmp_path / "osr" / f"{score}.osr").write_bytes(bare())
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "osr").iterdir()}
    settings = {"database_url": recorded_sqlite, "data_directory": str(tmp_path)}
    status, out, err = check(tmp_path, "--since-id", str(last - 9), **settings)
    assert (status, err) == (0, "")
    assert out.endswith("0 missing, 0 orphaned, 0 truncated, 0 undecodable\n")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "osr").iterdir()} == before
    status, out, _ = check(tmp_path, "--since-id", str(last + 1), "--json", **settings)
    assert (status, json.loads(out)["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"data_directory": "nowhere"}, "nowhere/osr cannot be read: No such file or directory"),
        ({"replays_url": "s3://bucket", "aws_endpoint_url": "http://127.0.0.1:1"}, "s3://bucket cannot be read"),
        ({"database_url": "mysql://u@127.0.0.1:1/x"}, "The database did not answer."),
        ({"database_url": ""}, "there is no SQLite file"),
        ({"log_level": "loud"}, "LOG_LEVEL"),
    ],
)
def test_what_cannot_be_checked(tmp_path: Path, recorded_sqlite: str, settings: dict[str, str], text: str) -> None:
    (tmp_path / "osr").mkdir()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    given = {"database_url": recorded_sqlite, "data_directory": str(tmp_path), **keys, **settings}
    status, out, err = check(tmp_path, **given)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("apidot: ")
    assert text in err


class Listed:
    """A place of which only the names are known."""

    name = "listed"

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    async def ids(self) -> AsyncGenerator[list[int], None]:
        for each in self._ids:
            yield [each]


class Few:
    """Scores, two at a time."""

    def __init__(self, scores: dict[int, int]) -> None:
        self._scores = [ScoreStatus(id, status) for id, status in sorted(scores.items())]

    async def newest(self) -> int:
        return self._scores[-1].id

    async def since(self, score_id: int) -> list[ScoreStatus]:
        return [score for score in self._scores if score.id >= score_id][:2]


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
def test_comparing(
    scores: dict[int, int], files: list[int], since: int, newest: int, missing: list[int], orphaned: list[int]
) -> None:
    archive = archive_of(Listed(files), Few(scores))

    async def found() -> list[Finding]:
        ids = await stored(archive, since, lambda _: None)
        return [each async for each in compare(archive, ids, since, newest, lambda _: None)]

    findings = asyncio.run(found())
    assert [each.id for each in findings if each.problem == "missing"] == missing
    assert [each.id for each in findings if each.problem == "orphaned"] == orphaned


def archive_of(place: Any, scores: Scores) -> Archive:
    listed: ReplayStore = place
    return Archive(settings=Settings(), place=listed, scores=scores)


def test_a_set_of_ids() -> None:
    ids = ScoreIDs()
    some = [0, 1, 1023, 1024, 1025, 5_000_000, 2**63 - 1]
    ids.update(reversed(some))
    ids.update(some)
    assert list(ids) == some
    assert len(ids) == len(some)
    assert all(each in ids for each in some)
    assert not any(each in ids for each in (2, 1022, 1026, 2**62))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1.osr", 1),
        ("0.osr", 0),
        (f"{2**63 - 1}.osr", 2**63 - 1),
        (f"{2**63}.osr", None),
        ("01.osr", None),
        ("-1.osr", None),
        ("1.osr.tmp", None),
        (".1.osr", None),
        ("a/1.osr", None),
        ("1.OSR", None),
        ("١.osr", None),
        ("1.osr\n", None),
    ],
)
def test_the_score_of_a_name(name: str, expected: int | None) -> None:
    assert score_id(name) == expected
