"""CONTRIBUTING.md is followed to the letter: its steps make an endpoint that passes the tests and answers."""

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
# A place and its block, or another block for the same place.
PLACE = re.compile(r"(New file|At the end of|In) `([\w./]+)`[^`]*:$", re.MULTILINE | re.IGNORECASE)
BLOCK = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
# What needs no database server; the rest of the tests is for `make test`.
TESTS = ["tests/api/v1/test_largest_clans.py", "tests/test_docs.py", "tests/test_layout.py"]
LEFT_OUT = "not columns_equal_fields and not one_value_too_many"


class Edit(NamedTuple):
    """What a block says to do with a file."""

    kind: str
    place: str
    file: str
    text: str


def edits() -> Iterator[Edit]:
    """The blocks of the steps, each with the place that was named last."""
    for block in BLOCK.finditer(STEPS):
        place, file = PLACE.findall(STEPS, 0, block.start())[-1]
        yield Edit(block[2], place.lower(), file, block[3])


def apply(edit: Edit, folder: Path) -> None:
    """Does what the block says. A file that is there, or a place that is not, is a mistake of the text."""
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
    assert f"\n{text}".count(f"\n{before}") == 1, f"{edit.file} holds this not once: {before}"
    file.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout after the six steps."""
    folder = tmp_path_factory.mktemp("contributing") / "apidot"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".data", ".git", ".*_cache"))
    for edit in edits():
        apply(edit, folder)
    return folder


def run(copy: Path, *command: str) -> None:
    outcome = subprocess.run([sys.executable, "-m", *command], cwd=copy, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_there_are_six_steps() -> None:
    assert re.findall(r"^### (\d)\. ", STEPS, re.MULTILINE) == list("123456")
    assert len({edit.file for edit in edits()}) == 8


def test_the_new_endpoint_passes_its_test_and_those_of_the_layout(copy: Path) -> None:
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", *TESTS, "-k", LEFT_OUT)


def test_the_new_code_is_clean(copy: Path) -> None:
    run(copy, "ruff", "check", "--no-cache", ".")
    run(copy, "ruff", "format", "--no-cache", "--check", ".")
    changed = [edit.file for edit in edits() if edit.file.endswith(".py")]
    run(copy, "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), *sorted(set(changed)))


def test_the_new_endpoint_answers_as_its_documentation_says(copy: Path, tmp_path: Path) -> None:
    [(_, path, answer)] = EXAMPLE.findall(STEPS.replace("\n+", "\n"))
    (tmp_path / "settings").touch()
    port = free_port()
    command = [sys.executable, "main.py", "--env", str(tmp_path / "settings"), "serve", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with serve(command, port, {}, folder=copy):
        assert httpx2.get(f"{url}{path}", trust_env=False).text == answer
        # Under every form of its path, because it is in the table.
        assert httpx2.get(f"{url}{path.removeprefix('/v1')}", trust_env=False).text == answer


def test_what_it_says_of_make_is_true() -> None:
    targets = re.findall(r"^make (\w+) ", TEXT, re.MULTILINE)
    assert targets == ["test", "check", "format", "run"]
    assert set(targets) <= set(
        re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
