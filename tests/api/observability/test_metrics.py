"""Metrics: they add up over workers, only allowed clients may read them, and the dashboard uses what exists."""

import json
import re
import time
from typing import Any

import httpx2
import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT, service
from tests.support.game_server import DOMAIN, game_server
from tests.support.processes import free_port
from tests.support.servers import Redis

DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {target["expr"]: panel["title"] for panel in PANELS for target in panel["targets"]}
Samples = dict[str, float]


def metrics_of(client: httpx2.Client) -> Samples:
    """Return the value of every sample by its name and labels."""
    page = client.get("/metrics")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/plain; version=")
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples of that name with these labels."""
    named = {key: value for key, value in samples.items() if key.partition("{")[0] == name}
    pairs = [f'"{label}": "{value}"' for label, value in labels.items()]
    return sum(value for key, value in named.items() if all(pair in key for pair in pairs))


def test_one_worker(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client:
        for _ in range(7):
            client.get("/v1/get_clan?id=1")
        client.head("/v1/get_clan?id=1")
        client.get("/")
        samples = metrics_of(client)
        assert total(samples, "apidot_http_requests_total", route="/v1/get_clan", method="GET") == 7
        assert total(samples, "apidot_http_requests_total", route="/v1/get_clan", method="HEAD") == 1
        assert total(samples, "apidot_http_requests_total", route="/", status="404") == 1
        assert total(samples, "apidot_http_requests_in_flight") == 1
        assert total(samples, "apidot_process_resident_memory_bytes") > 10_000_000
        assert total(samples, "apidot_process_cpu_seconds_total") > 0.01
        assert not [key for key in samples if "_created" in key]
        assert total(metrics_of(client), "apidot_http_requests_total", route="/metrics") == 1


def test_the_number_of_samples_is_bounded(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client:
        client.get("/one")
        client.request("PROPFIND", "/one")
        before = len(metrics_of(client))
        metrics_of(client)
        before = len(metrics_of(client))
        for number in range(50):
            client.get(f"/one/{number}")
            client.get(f"/v2/clans/{number}00?x={number}")
        client.request("SEARCH", "/two")
        client.request("REPORT", "/two")
        grown = len(metrics_of(client)) - before
        assert grown < 40


def test_calls_to_dependencies(recorded_mysql: str, redis: Redis) -> None:
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
        samples = metrics_of(client)
        assert total(samples, "apidot_calls_total", neighbour="redis", question="ranks", outcome="answered") == 1
        assert total(samples, "apidot_calls_total", neighbour="game_server", outcome="answered") == 2
        assert total(samples, "apidot_call_seconds_count", neighbour="game_server", question="/online") == 1
        assert total(samples, "apidot_http_requests_total", route="passthrough") == 1
        assert total(samples, "apidot_database_wait_seconds_count") >= 3
        assert {total(samples, "apidot_up", neighbour=name) for name in ("database", "redis", "game_server")} == {
            1
        }

        server.mode = "hung"
        time.sleep(1.1)
        client.get("/v1/get_player_status?id=12")
        samples = metrics_of(client)
        assert total(samples, "apidot_calls_total", neighbour="game_server", outcome="TooLate") == 2
        assert total(samples, "apidot_up", neighbour="game_server") == 0
        assert total(samples, "apidot_up", neighbour="database") == 1


def test_an_unavailable_database(recorded_mysql: str) -> None:
    url = re.sub(r":\d+/", f":{free_port()}/", recorded_mysql)
    with service(database_url=url) as client:
        assert client.get("/v1/get_clan?id=1").status_code == 503
        samples = metrics_of(client)
        assert total(samples, "apidot_up", neighbour="database") == 0
        assert total(samples, "apidot_database_waits_given_up_total") == 1
        assert total(samples, "apidot_http_requests_total", status="503") == 1


OUTSIDE = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Real-IP": "203.0.113.9"},
    {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9"},
    # Written by a client behind a proxy that passes these headers on unchecked.
    {"CF-Connecting-IP": "127.0.0.1", "X-Forwarded-For": "203.0.113.9"},
    {"CF-Connecting-IP": "127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1", "CF-Connecting-IP": ""},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "::ffff:127.0.0.1, 127.0.0.1"},
    {"X-Forwarded-For": "unknown"},
]


def test_only_allowed_clients_may_read_metrics_and_the_path_is_never_passed_on(recorded_sqlite: str) -> None:
    with game_server() as server:
        settings = {"database_url": recorded_sqlite, "game_server_url": server.url}
        with service(**settings) as client:
            for headers in OUTSIDE:
                refused(client.get("/metrics", headers=headers))
            refused(client.post("/metrics", headers=OUTSIDE[0]))
            assert client.post("/metrics").status_code == 405
            assert client.head("/metrics").status_code == 200
            assert metrics_of(client)
        with service(**settings, metrics_for="") as client:
            refused(client.get("/metrics"))
        with service(**settings, metrics_for="203.0.113.0/24") as client:
            refused(client.get("/metrics"))
            assert client.get("/metrics", headers=OUTSIDE[0]).status_code == 200
        assert "/metrics" not in server.asked


def refused(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_dashboard_is_valid(query: str) -> None:
    promql_parser.parse(filled_in(query))


def filled_in(query: str) -> str:
    """Return the query as Grafana sends it."""
    return query.replace("$job", "apidot").replace("$__rate_interval", "4s")


def test_the_dashboard_matches_grafanas_model() -> None:
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert_known(DASHBOARD, known)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    positions = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y) for p in positions for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == [
        "Traffic",
        "Latency",
        "Cache",
        "Database",
        "Game server and Redis",
        "Replays",
        "Live events",
        "Process",
    ]


def assert_known(ours: Any, known: Any) -> None:
    """Assert that the model, which adds defaults, kept everything of ours."""
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
