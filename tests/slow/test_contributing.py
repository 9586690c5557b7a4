"""CONTRIBUTING.md is followed to the letter: its steps make an endpoint that passes the tests and is served."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from tests.conftest import ROOT
from tests.support.processes import free_port, serve
from tests.test_readme_examples import EXAMPLE

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
STEPS = TEXT.partition("## How to add an endpoint")[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# A file, and where in it the blocks that follow belong.
PLACE = re.compile(r"(New file|At the end of|In) `([\w./]+)`[^`]*:$", re.MULTILINE | re.IGNORECASE)
BLOCK = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
# The tests that look at every statement, endpoint, parameter or example. (`make test` runs all.)
TESTS = [
    "tests/api/v1/test_largest_clans.py",
    "tests/test_layout.py",
    "tests/test_docs.py",
    "tests/test_readme_examples.py",
    "tests/api/test_hostile.py",
    "tests/api/test_http.py",
    "tests/api/test_round_trips.py",
    "tests/api/openapi",
    "tests/api/request/test_params.py",
    "tests/api/response/test_cache.py",
    "tests/bench",
]
# Of tests that are repeated for each of them, those of the new ones are enough.
REPEATED = ["columns_equal", "dialects", "readme_examples", "hostile", "test_http", "failures", "recorded_answers"]
REPEATED += ["demo_world", "test_params", "test_cache"]
SELECTED = f"largest or only_reads or not ({' or '.join(REPEATED)})"


class Edit(NamedTuple):
    """What a block says to do with a file."""

    kind: str
    place: str
    file: str
    text: str


def edits() -> Iterator[Edit]:
    """Yield the blocks of the steps, each with the file that was named last, and `make` commands."""
    for block in BLOCK.finditer(STEPS):
        place, file = PLACE.findall(STEPS, 0, block.start())[-1]
        yield Edit(block[2], place.lower(), file, block[3])


def apply(edit: Edit, folder: Path) -> None:
    """Do what the block says. Raise AssertionError if it does not fit the files."""
    if edit.kind == "sh":
        make(edit.text, folder)
        return
    file = folder / edit.file
    if edit.place == "new file":
        assert not file.exists(), edit.file
        file.write_text(edit.text, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    if edit.kind != "diff":
        assert edit.place == "at the end of"
        file.write_text(f"{text}\n\n{edit.text}", encoding="utf-8")
        return
    lines = edit.text.splitlines()
    before = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[1:] + "\n" for line in lines if not line.startswith("-"))
    assert f"\n{text}".count(f"\n{before}") == 1, f"{edit.file} does not hold this once: {before}"
    file.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


def make(command: str, folder: Path) -> None:
    """Run the recipe of a target in the folder, with this Python instead of the one in .venv/."""
    target = command.removeprefix("make ").strip()
    [recipe] = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    run(folder, *recipe.strip().removeprefix(".venv/bin/python -m ").split())


def run(folder: Path, *command: str) -> None:
    outcome = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout after the six steps."""
    folder = tmp_path_factory.mktemp("contributing") / "apidot"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv*", ".data", ".git", ".*_cache"))
    for edit in edits():
        apply(edit, folder)
    return folder


def test_there_are_six_steps() -> None:
    assert re.findall(r"^### (\d)\. ", STEPS, re.MULTILINE) == list("123456")
    assert {edit.file for edit in edits()} == {
        "sql/largest_clans.sql",
        "domain/clans.py",
        "storage/database/catalogue.py",
        "api/v1/clans.py",
        "api/routes.py",
        "tests/api/v1/test_largest_clans.py",
        "docs/api.md",
    }
    assert [edit.text for edit in edits() if edit.kind == "sh"] == ["make examples\n"]


def test_the_new_endpoint_passes_the_tests(copy: Path) -> None:
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", *TESTS, "-k", SELECTED)


def test_the_folders_on_the_map_are_those_of_the_checkout() -> None:
    table = TEXT.partition("## Where things are")[2].partition("\nTo find")[0]
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)
    }
    folders = {f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert named == folders | {"main.py"}


def test_the_new_code_is_clean(copy: Path) -> None:
    run(copy, "ruff", "check", "--no-cache", ".")
    run(copy, "ruff", "format", "--no-cache", "--check", ".")
    changed = [edit.file for edit in edits() if edit.file.endswith(".py")]
    run(copy, "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), *sorted(set(changed)))


def test_the_new_endpoint_responds_as_documented(copy: Path, tmp_path: Path) -> None:
    [(_, path, answer)] = EXAMPLE.findall(STEPS.replace("\n+", "\n"))
    (tmp_path / "settings").touch()
    port = free_port()
    command = [
        sys.executable,
        "main.py",
        "serve",
        "--demo",
        "--env",
        str(tmp_path / "settings"),
        "--port",
        str(port),
    ]
    url = f"http://127.0.0.1:{port}"
    with serve(command, port, {}, folder=copy):
        assert httpx2.get(f"{url}{path}", trust_env=False).text == answer
        # Every endpoint of version 1 is served under other prefixes too.
        assert httpx2.get(f"{url}{path.removeprefix('/v1')}", trust_env=False).text == answer


def test_the_targets_of_make_exist() -> None:
    documented = re.findall(r"^make ([\w-]+) ", TEXT, re.MULTILINE)
    assert sorted(documented) == sorted(set(re.findall(r"^([a-z-]+):.*  # ", MAKEFILE, re.MULTILINE)) - {"help"})
