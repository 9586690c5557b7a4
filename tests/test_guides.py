"""docs/guides.md: its table of requests, its pictures, and the length of its programs."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import ROOT
from tests.slow.osu_v1.world import World

GUIDES = (ROOT / "docs/guides.md").read_text(encoding="utf-8")
TABLE = GUIDES.partition("\n## How do I …?\n")[2]
ROWS = re.findall(r"^\| ([^|]+\?) \| (.+) \| (.+) \|$", TABLE, re.MULTILINE)
QUOTED = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"\w+(?:\.\w+)+|rank|offset|total")
PROGRAMS = ["discord_bot.py", "profile-page/profile.ts", "overlay.html"]
RANKED = "FROM stats s JOIN users u ON u.id = s.id WHERE s.mode = 0 AND s.pp > 0 AND (u.priv & 3) = 3"
# Statements that answer the questions, in the order of the table.
STATEMENTS = [
    "SELECT id FROM users WHERE name LIKE '%raskos%'",
    f"SELECT COUNT(*) + 1, SUM(u.country = 'fi') + 1 AS national {RANKED}"
    " AND s.pp > (SELECT pp FROM stats WHERE id = 22 AND mode = 0)",
    "SELECT a.name, b.name AS other FROM users a JOIN users b WHERE a.id = 4 AND b.id = 22",
    "SELECT id FROM scores WHERE userid = 85 AND mode = 4 AND status = 2 ORDER BY pp DESC LIMIT 1",
    "SELECT pp, (SELECT COUNT(*) FROM scores o WHERE o.map_md5 = s.map_md5 AND o.mode = 0 AND o.status = 2 AND"
    " o.score >= s.score) FROM scores s JOIN maps m ON m.md5 = s.map_md5"
    " WHERE m.id = 436 AND s.userid = 22 AND s.mode = 0 AND s.status = 2",
    f"SELECT (SELECT name FROM users WHERE id = 4), COUNT(*) / 10 * 10 {RANKED} AND"
    " s.pp > (SELECT pp FROM stats WHERE id = 4 AND mode = 0)",
    f"SELECT u.name, COUNT(*) OVER () {RANKED} AND u.country = 'jp' ORDER BY s.pp DESC LIMIT 1",
    "SELECT id FROM maps WHERE artist LIKE '%velvet%' AND version LIKE '%hard%'",
    "SELECT u.name FROM scores s JOIN users u ON u.id = s.userid JOIN maps m ON m.md5 = s.map_md5"
    " WHERE m.id = 726 AND s.mode = 0 AND s.status = 2 AND (u.priv & 3) = 3 ORDER BY s.score DESC LIMIT 1",
    "SELECT m.title FROM scores s JOIN users u ON u.id = s.userid JOIN maps m ON m.md5 = s.map_md5"
    " WHERE (u.priv & 3) = 3 ORDER BY s.id DESC LIMIT 1",
    "SELECT MIN(s.id) FROM scores s JOIN users u ON u.id = s.userid WHERE s.id > 5997 AND (u.priv & 3) = 3",
]


@pytest.fixture(scope="module")
def world(demo_folder: Path) -> World:
    return World(demo_folder / ".data" / "demo")


def at(place: str, response: Any) -> Any:
    """Return what is at a place such as `scores.0.id`."""
    for key in place.split("."):
        response = response[int(key)] if isinstance(response, list) else response[key]
    return response


def test_every_question_has_a_statement() -> None:
    assert len(ROWS) == len(STATEMENTS) == TABLE.count("\n| ") - 1


@pytest.mark.parametrize(
    ("row", "statement"), list(zip(ROWS, STATEMENTS, strict=True)), ids=[row[0] for row in ROWS]
)
def test_a_request_answers_its_question(
    demo: httpx2.Client, world: World, row: tuple[str, str, str], statement: str
) -> None:
    _, requests, answer = row
    response = demo.get(QUOTED.findall(requests)[0])
    assert response.status_code == 200
    places = [name for name in QUOTED.findall(answer) if PLACE.fullmatch(name)]
    (expected,) = world.rows(statement)
    assert [at(place, response.json()) for place in places] == list(expected.values())


def test_the_replay_is_that_of_the_best_score(demo: httpx2.Client, world: World) -> None:
    ((_, requests, _),) = [row for row in ROWS if "get_replay" in row[1]]
    scores, replay = QUOTED.findall(requests)
    best = demo.get(scores).json()["scores"][0]["id"]
    assert replay == f"/v1/get_replay?id={best}"
    assert demo.get(replay).content == world.sample(best).whole


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_fewer_than_60_lines_of_code(name: str) -> None:
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) < 60


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"^!\[.+\]\((.+)\)$", GUIDES, re.MULTILINE)
    assert sorted(pictures) == sorted(file.name for file in (ROOT / "docs").glob("guide-*.png"))
    assert len(pictures) == 3
    for name in pictures:
        assert (ROOT / "docs" / name).stat().st_size < 150_000


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", GUIDES):
        assert (ROOT / "docs" / target).exists(), target
