"""Several workers: together they count, log, limit and forget like one."""

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.api.observability.test_logs import LINE, requests
from tests.api.observability.test_metrics import metrics_of, total
from tests.api.response.test_cache import assert_changes_are_seen, name_of
from tests.conftest import ROOT, Running, playground, running
from tests.storage.test_rate_limit import COUNT, NO_EXEMPTION, from_address
from tests.support import servers
from tests.support.processes import free_port, serve
from tests.support.servers import MariaDB
from tests.test_cli import assert_a_stop_waits_for_requests_in_flight


async def send(url: str, paths: list[str]) -> Counter[int]:
    """Request each path on a connection of its own, 16 at a time. Return how often each status was received."""
    turns = asyncio.Semaphore(16)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=False) as client:

        async def one(path: str) -> int:
            async with turns:
                return (await client.get(path, headers={"Connection": "close"})).status_code

        return Counter(await asyncio.gather(*(one(path) for path in paths)))


def started(here: Running, workers: int) -> set[int]:
    """Wait until that many workers are ready, and return their process ids."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ready = set(map(int, re.findall(r"worker (\d+) is ready", here.process.output(10_000))))
        if len(ready) >= workers:
            return ready
        time.sleep(0.05)
    raise AssertionError("not ready")


def test_two_workers_together_count_every_request(recorded_mysql: str, tmp_path: Path) -> None:
    paths = ["/v1/get_clan?id=1", "/get_clan?id=x", "/v2/clans/1", "/v1/get_replay?id=483", "/nothing"] * 80
    environment = {"database_url": recorded_mysql, "tmpdir": str(tmp_path)}
    with running("--workers", "2", data_directory=str(ROOT / "tests/conformance/world"), **environment) as here:
        started(here, 2)
        statuses = asyncio.run(send(str(here.client.base_url), paths))
        samples = metrics_of(here.client)

        assert statuses == {200: 240, 422: 80, 404: 80}
        assert total(samples, "apidot_http_requests_total") == len(paths)
        for route, status in {"/v1/get_clan": 200, "/v2/clans/{clan_id}": 200, "/v1/get_replay": 200}.items():
            assert total(samples, "apidot_http_requests_total", route=route, status=str(status)) == 80
        assert total(samples, "apidot_http_requests_total", route="/v1/get_clan", status="422") == 80
        assert total(samples, "apidot_http_requests_total", route="other", status="404") == 80
        assert total(samples, "apidot_http_request_seconds_count") == len(paths)
        assert total(samples, "apidot_http_request_seconds_bucket", le="+Inf") == len(paths)
        assert total(samples, "apidot_replay_sent_bytes_total") == 80 * len(
            here.client.get("/v1/get_replay?id=483").content
        )
        assert total(samples, "apidot_cache_answers_total") == 160
        # Each worker ran the statement once or a few times, then used its cache.
        assert 2 <= total(samples, "apidot_database_statement_seconds_count", statement="clan") < 80
        assert total(samples, "apidot_workers") == 2
        assert total(samples, "apidot_database_connections_limit") == 20
        # The test shows something only if both workers took part.
        (folder,) = tmp_path.glob("apidot-*")
        counting = [file for file in folder.glob("metrics/counter_*.db") if b'"/v1/get_clan"' in file.read_bytes()]
        assert len(counting) == 2

        assert here.process.stop() == 0
        assert not list(tmp_path.glob("apidot-*"))


def test_files_that_the_workers_map_are_in_memory(recorded_sqlite: str) -> None:
    with running("--workers", "2", database_url=recorded_sqlite) as here:
        for worker in started(here, 2):
            mapped = re.findall(r"\S*/apidot-\S+", Path(f"/proc/{worker}/maps").read_text())
            assert any("/metrics/" in file for file in mapped)
            assert all(file.startswith("/dev/shm/") for file in mapped)


def test_counters_of_a_dead_worker_stay(recorded_sqlite: str) -> None:
    with running("--workers", "2", database_url=recorded_sqlite) as here:
        first, _ = started(here, 2)
        url = str(here.client.base_url)
        asyncio.run(send(url, ["/v1/get_clan?id=1"] * 60))
        os.kill(first, signal.SIGKILL)
        started(here, 3)
        asyncio.run(send(url, ["/v1/get_clan?id=1"] * 60))
        time.sleep(1.2)
        samples = metrics_of(here.client)

        assert total(samples, "apidot_http_requests_total", route="/v1/get_clan") == 120
        assert total(samples, "apidot_workers") == 2


def test_without_standard_error_lines_are_dropped(recorded_sqlite: str, tmp_path: Path) -> None:
    port = free_port()
    command = f"exec '{sys.executable}' '{ROOT / 'main.py'}' serve --workers 2 --port {port} 2>&-"
    environment = {"DATABASE_URL": recorded_sqlite}
    with serve(["sh", "-c", command], port, environment, folder=tmp_path) as process:
        for _ in range(20):
            answer = httpx2.get(f"http://127.0.0.1:{port}/v1/get_clan?id=1", trust_env=False, verify=False)
            assert answer.status_code == 200
        time.sleep(0.3)
        assert "get_clan?id=1" not in process.output()
        assert process.stop() == 0


def test_lines_of_several_workers_are_not_interleaved(recorded_sqlite: str) -> None:
    async def send_forty(url: str) -> None:
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=False) as client:
            for _ in range(40):
                await client.get("/v1/get_clan?id=1", headers={"Connection": "close"})

    async def send_all(url: str) -> None:
        await asyncio.gather(*(send_forty(url) for _ in range(10)))

    with running("--workers", "2", database_url=recorded_sqlite) as service:
        asyncio.run(send_all(str(service.client.base_url)))
        lines = requests(service, 400)
        assert len({line["id"] for line in lines if line["path"] == "/v1/get_clan?id=1"}) == 400
        rest = [line for line in service.process.output(10_000).splitlines() if "path=" in line]
        assert all(LINE.fullmatch(line) for line in rest)


def codes_from_workers(url: str, headers: dict[str, str], times: int) -> list[int]:
    """Return the sorted status codes of requests on separate connections, which reach both workers."""
    with ThreadPoolExecutor(8) as many:
        sent = [many.submit(httpx2.get, url, headers=headers, trust_env=False, verify=False) for _ in range(times)]
        return sorted(request.result().status_code for request in sent)


def test_workers_count_together_in_redis_and_separately_without(recorded_sqlite: str) -> None:
    with servers.redis(private=True) as redis:
        settings = {**NO_EXEMPTION, "rate_limit": "0.01", "rate_limit_burst": "20", "redis_url": redis.url}
        # The test reads the log below, of which only the end is kept.
        settings["access_log"] = "off"
        with running("--workers", "2", database_url=recorded_sqlite, **settings) as (client, process):
            url = f"{client.base_url}{COUNT}"
            assert codes_from_workers(url, from_address("192.0.2.1"), 30) == [200] * 20 + [429] * 10
            redis.stop()
            codes = codes_from_workers(url, from_address("192.0.2.2"), 60)
            assert 20 <= codes.count(200) <= 40
            assert codes.count(200) + codes.count(429) == 60
            away = process.output().count("Redis does not answer")
            assert 1 <= away <= 2
            redis.start()
            time.sleep(1.1)
            codes_from_workers(url, from_address("192.0.2.3"), 20)
            assert codes_from_workers(url, from_address("192.0.2.4"), 30) == [200] * 20 + [429] * 10
            assert "Traceback" not in process.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_waits_for_requests_in_flight(mariadb: MariaDB, number: signal.Signals) -> None:
    assert_a_stop_waits_for_requests_in_flight(mariadb, 2, number)


def test_a_change_is_in_the_next_response_of_every_worker(tmp_path: Path, mariadb: MariaDB) -> None:
    with playground(tmp_path, mariadb.database("edited"), api_workers="2") as world:
        assert_changes_are_seen(world, name_of(tmp_path))
