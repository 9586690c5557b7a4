"""Figures: they add up over workers, only those named may read them, and the dashboard asks for what there is."""

import asyncio
import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT, Running, running, service
from tests.support.game_server import DOMAIN, game_server
from tests.support.processes import free_port
from tests.support.servers import Redis

DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {target["expr"]: panel["title"] for panel in PANELS for target in panel["targets"]}
Figures = dict[str, float]


def figures(client: httpx2.Client) -> Figures:
    """Every figure, by its name with its labels."""
    page = client.get("/metrics")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/plain; version=")
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def total(all: Figures, name: str, **labels: str) -> float:
    """The sum of the figures of that name with these labels."""
    found = {key: value for key, value in all.items() if key.partition("{")[0] == name}
    wanted = [f'"{label}": "{value}"' for label, value in labels.items()]
    return sum(value for key, value in found.items() if all_in(wanted, key))


def all_in(wanted: list[str], key: str) -> bool:
    """Whether each of these is in the key."""
    return all(each in key for each in wanted)


async def ask(url: str, paths: list[str], at_once: int = 16) -> Counter[int]:
    """Asks for each path on a connection of its own; how often there was which status."""
    turns = asyncio.Semaphore(at_once)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=False) as client:

        async def one(path: str) -> int:
            async with turns:
                return (await client.get(path, headers={"Connection": "close"})).status_code

        return Counter(await asyncio.gather(*(one(path) for path in paths)))


def test_two_workers_add_up_to_the_requests_sent(recorded_mysql: str, tmp_path: Path) -> None:
    paths = ["/v1/get_clan?id=1", "/get_clan?id=x", "/v2/clans/1", "/v1/get_replay?id=483", "/nothing"] * 80
    environment = {"database_url": recorded_mysql, "tmpdir": str(tmp_path)}
    with running("--workers", "2", data_directory=str(ROOT / "tests/conformance/world"), **environment) as here:
        started(here, 2)
        statuses = asyncio.run(ask(str(here.client.base_url), paths))
        seen = figures(here.client)

        assert statuses == {200: 240, 422: 80, 404: 80}
        assert total(seen, "apidot_http_requests_total") == len(paths)
        for route, status in {"/v1/get_clan": 200, "/v2/clans/{clan_id}": 200, "/v1/get_replay": 200}.items():
            assert total(seen, "apidot_http_requests_total", route=route, status=str(status)) == 80
        assert total(seen, "apidot_http_requests_total", route="/v1/get_clan", status="422") == 80
        assert total(seen, "apidot_http_requests_total", route="other", status="404") == 80
        assert total(seen, "apidot_http_request_seconds_count") == len(paths)
        assert total(seen, "apidot_http_request_seconds_bucket", le="+Inf") == len(paths)
        assert total(seen, "apidot_replay_sent_bytes_total") == 80 * len(
            here.client.get("/v1/get_replay?id=483").content
        )
        assert total(seen, "apidot_cache_answers_total") == 160
        # Each worker asked for itself, and then had it.
        assert 2 <= total(seen, "apidot_database_statement_seconds_count", statement="clan") < 80
        assert total(seen, "apidot_workers") == 2
        assert total(seen, "apidot_database_connections_limit") == 20
        # Both of them took part: else this shows nothing.
        (folder,) = tmp_path.glob("apidot-*")
        counting = [file for file in folder.glob("figures/counter_*.db") if b'"/v1/get_clan"' in file.read_bytes()]
        assert len(counting) == 2

        assert here.process.stop() == 0
        assert not list(tmp_path.glob("apidot-*"))


def started(here: Running, workers: int) -> set[int]:
    """The ids of that many workers, once they are ready."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ready = set(map(int, re.findall(r"worker (\d+) is ready", here.process.output(10_000))))
        if len(ready) >= workers:
            return ready
        time.sleep(0.05)
    raise AssertionError("not ready")


def test_what_a_dead_worker_counted_stays(recorded_sqlite: str) -> None:
    with running("--workers", "2", database_url=recorded_sqlite) as here:
        first, _ = started(here, 2)
        url = str(here.client.base_url)
        asyncio.run(ask(url, ["/v1/get_clan?id=1"] * 60))
        os.kill(first, signal.SIGKILL)
        started(here, 3)
        asyncio.run(ask(url, ["/v1/get_clan?id=1"] * 60))
        time.sleep(1.2)
        seen = figures(here.client)

        assert total(seen, "apidot_http_requests_total", route="/v1/get_clan") == 120
        assert total(seen, "apidot_workers") == 2


def test_one_worker_counts_too(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client:
        for _ in range(7):
            client.get("/v1/get_clan?id=1")
        client.head("/v1/get_clan?id=1")
        seen = figures(client)
        assert total(seen, "apidot_http_requests_total", route="/v1/get_clan", method="GET") == 7
        assert total(seen, "apidot_http_requests_total", route="/v1/get_clan", method="HEAD") == 1
        assert total(seen, "apidot_http_requests_in_flight") == 1
        assert total(seen, "apidot_process_resident_memory_bytes") > 10_000_000
        assert total(seen, "apidot_process_cpu_seconds_total") > 0.01
        assert not [key for key in seen if "_created" in key]
        assert total(figures(client), "apidot_http_requests_total", route="/metrics") == 1


def test_there_are_only_so_many_figures(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client:
        client.get("/one")
        client.request("PROPFIND", "/one")
        before = len(figures(client))
        figures(client)
        before = len(figures(client))
        for number in range(50):
            client.get(f"/one/{number}")
            client.get(f"/v2/clans/{number}00?x={number}")
        client.request("SEARCH", "/two")
        client.request("REPORT", "/two")
        grown = len(figures(client)) - before
        assert grown < 40


def test_neighbours(recorded_mysql: str, redis: Redis) -> None:
    with (
        game_server() as server,
        service(
            database_url=recorded_mysql,
            redis_url=redis.url,
            game_server_url=server.url,
            game_server_timeout="0.5",
            domain=DOMAIN,
            cache="off",
        ) as client,
    ):
        client.get("/v1/get_player_info?scope=all&id=3")
        client.get("/v1/get_player_status?id=12")
        assert client.get("/fork/anything").headers["X-Request-ID"]
        seen = figures(client)
        assert total(seen, "apidot_calls_total", neighbour="redis", question="ranks", outcome="answered") == 1
        assert total(seen, "apidot_calls_total", neighbour="game_server", outcome="answered") == 2
        assert total(seen, "apidot_call_seconds_count", neighbour="game_server", question="/online") == 1
        assert total(seen, "apidot_http_requests_total", route="passthrough") == 1
        assert total(seen, "apidot_database_wait_seconds_count") >= 3
        assert {total(seen, "apidot_up", neighbour=name) for name in ("database", "redis", "game_server")} == {1}

        server.mode = "hung"
        time.sleep(1.1)
        client.get("/v1/get_player_status?id=12")
        seen = figures(client)
        assert total(seen, "apidot_calls_total", neighbour="game_server", outcome="TooLate") == 1
        assert total(seen, "apidot_up", neighbour="game_server") == 0
        assert total(seen, "apidot_up", neighbour="database") == 1


def test_a_database_that_is_away(recorded_mysql: str) -> None:
    url = re.sub(r":\d+/", f":{free_port()}/", recorded_mysql)
    with service(database_url=url) as client:
        assert client.get("/v1/get_clan?id=1").status_code == 503
        seen = figures(client)
        assert total(seen, "apidot_up", neighbour="database") == 0
        assert total(seen, "apidot_database_waits_given_up_total") == 1
        assert total(seen, "apidot_http_requests_total", status="503") == 1


OUTSIDE = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Real-IP": "203.0.113.9"},
    {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9"},
    # Whoever may write any of it, from behind a proxy that passes it on.
    {"CF-Connecting-IP": "127.0.0.1", "X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": "127.0.0.1", "CF-Connecting-IP": ""},
]


def test_nobody_else_may_read_them_nor_asks_the_game_server(recorded_sqlite: str) -> None:
    with game_server() as server:
        settings = {"database_url": recorded_sqlite, "game_server_url": server.url}
        with service(**settings) as client:
            for headers in OUTSIDE:
                refused(client.get("/metrics", headers=headers))
            refused(client.post("/metrics", headers=OUTSIDE[0]))
            assert client.post("/metrics").status_code == 405
            assert client.head("/metrics").status_code == 200
            assert figures(client)
        with service(**settings, metrics_for="") as client:
            refused(client.get("/metrics"))
        with service(**settings, metrics_for="203.0.113.0/24") as client:
            refused(client.get("/metrics"))
            assert client.get("/metrics", headers=OUTSIDE[0]).status_code == 200
        assert "/metrics" not in server.asked


def refused(answer: httpx2.Response) -> None:
    """There is no such page."""
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_dashboard_is_one(query: str) -> None:
    promql_parser.parse(filled_in(query))


def filled_in(query: str) -> str:
    """The query as Grafana sends it."""
    return query.replace("$job", "apidot").replace("$__rate_interval", "4s")


def test_the_dashboard_is_one_by_grafanas_own_model() -> None:
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert_known(DASHBOARD, known)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    places = [each["gridPos"] for each in DASHBOARD["panels"]]
    cells = [
        (x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Traffic", "Latency", "Cache", "Database", "Game server and Redis", "Replays", "Process"]


def assert_known(ours: Any, known: Any) -> None:
    """All of ours is in what the model took over, which adds defaults."""
    if isinstance(ours, dict):
        assert ours.keys() <= known.keys()
        for name in ours:
            assert_known(ours[name], known[name])
    elif isinstance(ours, list):
        assert len(ours) == len(known)
        for one, other in zip(ours, known, strict=True):
            assert_known(one, other)
    else:
        assert ours == known
