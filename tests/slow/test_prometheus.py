"""Prometheus reads the metrics, and the shipped nginx configuration hides them."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.api.observability.test_metrics import QUERIES, filled_in, metrics_of, refused, total
from tests.conftest import ROOT, service
from tests.support import install
from tests.support.game_server import DOMAIN, game_server
from tests.support.nginx import NAME, nginx
from tests.support.processes import Process, answers, free_port
from tests.support.servers import MariaDB, Redis


def test_the_shipped_nginx_configuration_hides_metrics(recorded_sqlite: str) -> None:
    with service(database_url=recorded_sqlite) as client, nginx(client.base_url.port or 0) as front:
        hidden = httpx2.get(f"{front.http}/metrics", headers={"Host": NAME}, trust_env=False)
        named = httpx2.get(f"{front.http}/v1/get_clan?id=1", headers={"Host": NAME, "X-Request-ID": "mine"})
        refused(hidden)
        assert hidden.headers["Content-Type"] == "application/json"
        assert re.fullmatch("[0-9a-f]{32}", named.headers["X-Request-ID"])
        assert total(metrics_of(client), "apidot_http_requests_total", route="/metrics") == 0


@contextmanager
def prometheus(port: int) -> Iterator[httpx2.Client]:
    """Run a Prometheus that scrapes the service on that port every second."""
    binary = install.require(install.PROMETHEUS)
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        folder, own = Path(name), free_port()
        guide = (ROOT / "docs/operating.md").read_text("utf-8")
        (example,) = re.findall(r"^(scrape_configs:\n(?: .*\n)+)", guide, re.MULTILINE)
        assert '"127.0.0.1:8000"' in example
        example = example.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        (folder / "prometheus.yml").write_text(f"global:\n  scrape_interval: 1s\n{example}")
        command = [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address=127.0.0.1:{own}"]
        url = f"http://127.0.0.1:{own}"
        ready = lambda: answers(own, f"{url}/-/ready")  # noqa: E731
        with (
            Process(command, ready=ready, log=folder / "log"),
            httpx2.Client(base_url=url, trust_env=False) as client,
        ):
            yield client


def result(client: httpx2.Client, query: str) -> list[Any]:
    """Return Prometheus' result for a query."""
    body = client.get("/api/v1/query", params={"query": filled_in(query)}).json()
    assert body["status"] == "success", body
    samples: list[Any] = body["data"]["result"]
    return samples


def test_prometheus_scrapes_the_service_and_answers_every_query(
    mariadb: MariaDB, recorded_mysql: str, redis: Redis
) -> None:
    paths = ["/v1/get_player_info?scope=all&id=3", "/v1/get_replay?id=483", "/fork/anything", "/v1/get_clan?id=1"]
    with (
        game_server() as server,
        service(
            database_url=recorded_mysql,
            redis_url=redis.url,
            game_server_url=server.url,
            domain=DOMAIN,
            data_directory=str(ROOT / "tests/conformance/world"),
        ) as client,
        prometheus(client.base_url.port or 0) as monitor,
        client.stream("GET", "/v1/events") as events,
    ):
        assert "event: hello" in events.iter_lines()
        # A rate needs two samples of a metric, and Prometheus takes some seconds before the first.
        deadline = time.monotonic() + 30
        while not result(monitor, "count_over_time(up[10s]) >= 5") and time.monotonic() < deadline:
            for path in [*paths, "/v1/get_player_status?id=12"]:
                client.get(path)
            time.sleep(0.1)
        exported = re.findall(r"^# TYPE (\w+) \w+$", client.get("/metrics").text, re.MULTILINE)
        empty = {query for query in QUERIES if not result(monitor, query)}
        targets = monitor.get("/api/v1/targets").json()["data"]["activeTargets"]

    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")]
    used = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"apidot_\w+", str([*QUERIES]))}
    assert used == {name for name in exported if name.startswith("apidot_")}
    # A counter without events has no samples.
    assert {QUERIES[query] for query in empty} <= {"Failures"}
