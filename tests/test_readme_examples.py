"""The examples in the README and docs/ are the responses of the demo world."""

import re

import httpx2
import pytest

from tests.conftest import ROOT
from tests.support import pp_engine

EXAMPLE = re.compile(r"^\$ curl -s (?:-H '(.*)' )?'127\.0\.0\.1:8000(\S+)'\n(.*)$", re.MULTILINE)
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [example for file in FILES for example in EXAMPLE.findall(file.read_text(encoding="utf-8"))]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize(
    ("header", "path", "response"),
    [pp_engine.param(*example, needed="calculate_pp" in example[1]) for example in EXAMPLES],
)
def test_example(demo: httpx2.Client, header: str, path: str, response: str) -> None:
    beginning, ellipsis, _ = response.partition("…")
    name, _, value = header.partition(": ")
    text = demo.get(path, headers={name: value} if header else {}).text

    if ellipsis and text != response:
        assert text[: len(beginning)] == beginning
    else:
        assert text == response
