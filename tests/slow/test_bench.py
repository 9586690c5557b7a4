"""The bench works, from building the worlds to the picture; how fast anything is, is not tested here."""

import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import msgspec
import pytest
from PIL import Image
from starlette.routing import compile_path

from api.routes import V1, V2
from bench.chart import draw
from bench.load import Client
from bench.plan import Plan
from bench.plans import statements
from bench.questions import NOT_MEASURED, Question
from bench.report import markdown
from bench.results import Results
from bench.run import run
from bench.worlds import UnfitFolder, ground
from demo.world import Sizes

SOME = {"players": 120, "beatmaps": 150, "replays": 24, "files": 0}
PLAN = Plan(
    worlds={"medium": Sizes(**SOME, scores=3000)},
    warm=0.0,
    window=0.05,
    floor_window=0.05,
    turns=2,
    alone_requests=2,
    alone_seconds=0.1,
    polling_seconds=2.0,
    polling_clients=10,
)


class Ran(NamedTuple):
    """What a run left behind."""

    folder: Path
    results: Results
    asked: list[Question]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run on a tiny world, which is kept."""
    folder = tmp_path_factory.mktemp("bench")
    results, asked = run(PLAN, folder, lambda _: None, keep=True)
    return Ran(folder, results, asked)


def test_every_route_is_measured_or_named_with_the_reason(ran: Ran) -> None:
    routes = {f"/v1/{name}" for name in V1} | {f"/v2/{name}" for name in V2}
    patterns = {route: compile_path(route)[0] for route in routes}
    fixed = {route for route in routes if "{" not in route}
    measured = set()
    for question in ran.asked:
        path = (question.heavy + question.typical)[0].partition("?")[0]
        measured.add(path if path in fixed else next(route for route in routes if patterns[route].match(path)))
    assert measured | NOT_MEASURED.keys() == routes
    assert not measured & NOT_MEASURED.keys()


def test_every_question_is_answered_in_every_state(ran: Ran) -> None:
    names = {question.name for question in ran.asked}
    cached = {question.name for question in ran.asked if question.cached}
    for driver, cache in (("aiomysql", False), ("asyncmy", False), ("aiomysql", True)):
        found = [each for each in ran.results.load if each.driver == driver and each.cache == cache]
        assert {each.question for each in found} == (cached if cache else names)
        assert all(each.rate > 0 and each.ratio > 0 and each.memory > 10 and each.body > 1 for each in found)
    assert sum(each.errors for each in ran.results.load) == 0
    assert {each.question for each in ran.results.alone} == names


def test_the_floors_and_the_polling_are_measured(ran: Ran) -> None:
    floors = {floor.name: floor for floor in ran.results.floors}
    assert floors.keys() == {"starlette 400 B", "starlette 4000 B", "starlette 40000 B", "aiomysql", "asyncmy"}
    assert all(floor.lowest <= floor.rate <= floor.highest and floor.times > 2 for floor in floors.values())
    assert ran.results.polling is not None
    assert ran.results.polling.requests >= 2 * 10 * ran.results.polling.questions
    assert ran.results.polling.errors == 0
    assert ran.results.polling.statements > 0


def test_every_statement_has_its_plan_with_and_without_indexes(ran: Ran) -> None:
    for indexes in (True, False):
        found = [plan.statement for plan in ran.results.plans if plan.indexes == indexes]
        assert found == [name for name, _ in statements()]
    assert all(plan.steps for plan in ran.results.plans)


def test_what_is_saved_can_be_read(ran: Ran, tmp_path: Path) -> None:
    again = msgspec.json.decode(msgspec.json.encode(ran.results), type=Results)
    assert again == ran.results
    text = markdown(again)
    for name in (*(each.question for each in again.load), *(check.name for check in again.checks)):
        assert name in text
    draw(again, ran.asked, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.width > 1000


def test_a_kept_world_is_not_built_again_and_no_other_takes_its_place(ran: Ran) -> None:
    with ground(PLAN, ran.folder, keep=True) as again:
        assert again.worlds["medium"].built_in == 0
        assert again.worlds["medium"].rows("SELECT COUNT(*) FROM scores") == ((3000,),)
    other = msgspec.structs.replace(PLAN, worlds={"medium": Sizes(**SOME, scores=4000)})
    with pytest.raises(UnfitFolder, match="other sizes"), ground(other, ran.folder, keep=True):
        pass


class Slow(BaseHTTPRequestHandler):
    """Answers after longer than a window takes."""

    def do_GET(self) -> None:
        time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_window_without_an_answer_is_measured_again() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever).start()
        try:
            shot = Client(server.server_port, os.sched_getaffinity(0), connections=1).load(["/"], 0.05)
        finally:
            server.shutdown()
    assert shot.requests > 0
    assert shot.seconds > 0.3
    assert shot.errors == 0
