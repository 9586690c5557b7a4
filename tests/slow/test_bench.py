"""The benchmark runs to its end, from building the worlds to the chart. The figures are not tested."""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import msgspec
import pytest
from PIL import Image

from bench.cases import Case
from bench.chart import draw
from bench.explain import statements
from bench.load import Client
from bench.peer import TIMES, UnfitPeer
from bench.plan import Plan
from bench.report import markdown
from bench.results import Results
from bench.run import run
from bench.worlds import UnfitFolder, setup
from demo.world import Sizes

SOME = {"players": 120, "beatmaps": 150, "replays": 24, "files": 0}
PLAN = Plan(
    worlds={"medium": Sizes(**SOME, scores=3000)},
    warm_up=0.0,
    window=0.05,
    floor_window=0.05,
    turns=2,
    single_client_requests=2,
    single_client_seconds=0.1,
    polling_seconds=2.0,
    polling_clients=10,
)


# Stands in for bancho.py, which no package index has. It answers every second request for a replay only.
PEER = """
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Host


async def answer(scope, receive, send):
    lacking = scope["path"].endswith("get_replay") and int(scope["query_string"].partition(b"=")[2]) % 2
    await Response("{}", 500 if lacking else 200)(scope, receive, send)


asgi_app = Starlette(routes=[Host("api.example.test", answer)])
"""
SCHEMA = """create table startups
(
    id int primary key
);

create table users
(
    id int primary key
);
"""


class Ran(NamedTuple):
    folder: Path
    results: Results
    cases: list[Case]


def stand_in(folder: Path) -> Path:
    """Make a checkout in the folder that looks like one of bancho.py, with the environment of the tests."""
    for name, text in {"app/api/init_api.py": PEER, "migrations/base.sql": SCHEMA}.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run on a tiny world, which is kept."""
    folder = tmp_path_factory.mktemp("bench")
    plan = msgspec.structs.replace(PLAN, peer=stand_in(tmp_path_factory.mktemp("peer")))
    results, cases = run(plan, folder, lambda _: None, keep=True)
    return Ran(folder, results, cases)


def test_every_case_is_measured_in_every_state(ran: Ran) -> None:
    names = {case.name for case in ran.cases}
    cached = {case.name for case in ran.cases if case.cached}
    uncached = {case.name for case in ran.cases if not case.alone}
    for driver, cache in (("aiomysql", False), ("asyncmy", False), ("aiomysql", True)):
        loads = [load for load in ran.results.load if load.driver == driver and load.cache == cache]
        assert {load.case for load in loads} == (cached if cache else uncached)
        assert all(load.rate > 0 and load.ratio > 0 and load.memory > 10 and load.body > 1 for load in loads)
    assert [(load.case, load.driver, load.errors) for load in ran.results.load if load.errors] == []
    assert {result.case for result in ran.results.single_client} == names


def test_the_floors_and_the_polling_are_measured(ran: Ran) -> None:
    floors = {floor.name: floor for floor in ran.results.floors}
    assert floors.keys() == {"starlette 400 B", "starlette 4000 B", "starlette 40000 B", "aiomysql", "asyncmy"}
    assert all(floor.lowest <= floor.rate <= floor.highest and floor.times > 2 for floor in floors.values())
    assert ran.results.polling is not None
    assert ran.results.polling.requests >= 2 * 10 * ran.results.polling.paths
    assert ran.results.polling.errors == 0
    assert ran.results.polling.statements > 0


def test_bancho_py_is_measured_beside_it(ran: Ran) -> None:
    for indexes in (False, True):
        beside = [result for result in ran.results.beside_peer if result.indexes == indexes]
        assert {result.case for result in beside} == TIMES.keys()
        assert all(result.rate > 0 and result.peer > 0 and result.ratio > 0 for result in beside)
        assert [result for result in beside if result.errors or result.peer_errors] == []
    promised = [promise for promise in ran.results.promises if promise.name.startswith("7.")]
    assert [promise.passed is None for promise in promised] == [True, False]
    assert "**Beside bancho.py**" in markdown(ran.results)


def test_a_folder_that_is_no_bancho_py_is_refused(ran: Ran, tmp_path: Path) -> None:
    with pytest.raises(UnfitPeer, match=r"there is no app/api/init_api\.py"):
        run(msgspec.structs.replace(PLAN, peer=tmp_path), ran.folder, lambda _: None, keep=True)
    (stand_in(tmp_path) / ".venv").unlink()
    with pytest.raises(UnfitPeer, match=r"\.venv/bin/python or venv/bin/python"):
        run(msgspec.structs.replace(PLAN, peer=tmp_path), ran.folder, lambda _: None, keep=True)


def test_every_statement_has_a_query_plan_with_and_without_indexes(ran: Ran) -> None:
    for indexes in (True, False):
        explained = [plan.statement for plan in ran.results.query_plans if plan.indexes == indexes]
        assert explained == [name for name, _ in statements()]
    assert all(plan.steps for plan in ran.results.query_plans)


def test_the_saved_results_can_be_read(ran: Ran, tmp_path: Path) -> None:
    again = msgspec.json.decode(msgspec.json.encode(ran.results), type=Results)
    assert again == ran.results
    text = markdown(again)
    for name in (*(load.case for load in again.load), *(promise.name for promise in again.promises)):
        assert name in text
    draw(again, ran.cases, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.width > 1000


def test_a_kept_world_is_not_built_again_nor_replaced_by_another(ran: Ran) -> None:
    with setup(PLAN, ran.folder, keep=True) as again:
        assert again.worlds["medium"].built_in == 0
        assert again.worlds["medium"].rows("SELECT COUNT(*) FROM scores") == ((3000,),)
    other = msgspec.structs.replace(PLAN, worlds={"medium": Sizes(**SOME, scores=4000)})
    with pytest.raises(UnfitFolder, match="other sizes"), setup(other, ran.folder, keep=True):
        pass


class Slow(BaseHTTPRequestHandler):
    """Takes longer to respond than a window."""

    def do_GET(self) -> None:
        time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_window_without_a_response_is_measured_again() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever).start()
        try:
            result = Client(server.server_port, os.sched_getaffinity(0), connections=1).load(["/"], 0.05)
        finally:
            server.shutdown()
    assert result.requests > 0
    assert result.seconds > 0.3
    assert result.errors == 0
