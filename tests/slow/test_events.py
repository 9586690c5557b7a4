"""Live events under load: many scores, many listeners, and several workers and services of which one dies.

The figures are printed: run with -s to see them.
"""

import asyncio
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit

import pytest
from redis import Redis as RedisClient

from tests.conftest import Running, running
from tests.storage.events.test_scores import HIDDEN, tell_all
from tests.support import conformance, mariadbd, servers
from tests.support.event_stream import Browser
from tests.support.new_scores import Commits, insert
from tests.support.servers import MariaDB

LISTENERS = 1_000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def test_two_hundred_scores_a_second_out_of_order(mariadb: MariaDB) -> None:
    database = mariadb.database("events_burst")
    conformance.load(database)
    # 1.5 s on a machine that has nothing else to do.
    tell_all(database, rate=200, seconds=30, longest=5)


class Listeners(asyncio.Protocol):
    """A connection that counts the events that it gets."""

    opened = 0
    scores = 0
    all_opened = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        Listeners.opened += data.count(b"event: hello")
        Listeners.scores += data.count(b"event: score")
        if Listeners.opened == LISTENERS:
            Listeners.all_opened.set()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident(pid: int) -> float:
    """Return the memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


# Sends 20 requests a second, and prints their times in ms. A process of its own waits for nothing but the service.
REQUESTS = """
import http.client, json, sys, time
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
end, times = time.monotonic() + float(sys.argv[2]), []
while time.monotonic() < end:
    begin = time.perf_counter()
    connection.request("GET", "/v1/get_clan?id=1")
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    times.append((time.perf_counter() - begin) * 1000)
    time.sleep(0.05)
print(json.dumps(times))
"""


async def requests(port: int, seconds: float) -> list[float]:
    command = (sys.executable, "-c", REQUESTS, str(port), str(seconds))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    times: list[float] = json.loads(output)
    return times


def percentiles(times: Sequence[float]) -> str:
    return f"median {statistics.median(times):.1f} ms, 99 % {statistics.quantiles(times, n=100)[-1]:.1f} ms"


async def measure(service: Running, database: str, seconds: float) -> tuple[float, float]:
    """Print the figures. Return which part of a core the listeners took, and how many MB."""
    client, process = service
    port, pid = client.base_url.port or 0, process.pid
    await requests(port, 2)
    cpu = cpu_seconds(pid)
    before = await requests(port, seconds)
    idle = (cpu_seconds(pid) - cpu) / seconds
    memory = resident(pid)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(Listeners, "127.0.0.1", port) for _ in range(LISTENERS)]
    await Listeners.all_opened.wait()
    inserted = 0

    async def insert_two_a_second() -> None:
        nonlocal inserted
        with closing(mariadbd.connect(database)) as connection:
            while True:
                connection.cursor().execute(insert())
                inserted += 1
                await asyncio.sleep(0.5)

    inserting = asyncio.create_task(insert_two_a_second())
    cpu = cpu_seconds(pid)
    during = await requests(port, seconds)
    used = (cpu_seconds(pid) - cpu) / seconds
    inserting.cancel()
    await asyncio.sleep(2.5)
    more = resident(pid) - memory
    assert Listeners.scores == inserted * LISTENERS
    for transport, _ in opened:
        transport.abort()
    print(
        f"\n{LISTENERS} listeners, {inserted} scores in {seconds:.0f} s: {used:.1%} of a core, {more:.1f} MB more"
    )
    print(f"other requests without them: {percentiles(before)} ({idle:.1%} of a core)")
    print(f"other requests with them: {percentiles(during)}")
    return used, more


def test_a_thousand_listeners(mariadb: MariaDB) -> None:
    soft, hard = getrlimit(RLIMIT_NOFILE)
    if hard < 3 * LISTENERS:
        pytest.fail(f"the operating system allows {hard} open files, too few for {LISTENERS} listeners")
    setrlimit(RLIMIT_NOFILE, (max(soft, 3 * LISTENERS), hard))
    database = mariadb.database("events_many")
    conformance.load(database)
    settings = {"event_streams_per_client": str(LISTENERS), "access_log": "off"}
    with running(database_url=database, **settings) as service:
        used, more = asyncio.run(measure(service, database, 15))
    # 10 % of a core on a machine that has nothing else to do.
    assert used < 0.2
    assert more < 60


def test_two_workers_of_two_services_and_the_poller_is_killed(mariadb: MariaDB) -> None:
    database = mariadb.database("events_workers")
    conformance.load(database)
    with servers.redis(private=True) as redis, ExitStack() as stack:
        settings = {"database_url": database, "redis_url": redis.url, "event_streams_per_client": "100"}
        services = [stack.enter_context(running("--workers", "2", **settings)) for _ in range(2)]
        # The kernel gives each connection to either of the workers.
        browsers = [Browser(str(service.client.base_url)) for service in services for _ in range(8)]
        for browser in browsers:
            assert browser.begun.wait(30)
        commits = Commits(database, hidden=HIDDEN, rate=20, seconds=24)
        commits.start()
        for _ in range(2):
            time.sleep(8)
            os.kill(poller(redis.url), signal.SIGKILL)
        commits.join()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(
            len(set(browser.scores)) < len(commits.committed) for browser in browsers
        ):
            time.sleep(0.1)
        time.sleep(2)
        for browser in browsers:
            browser.close()
    waits = []
    for browser in browsers:
        assert len(browser.scores) == len(set(browser.scores)), "told twice"
        assert set(browser.scores) == set(commits.committed), "lost, or of a hidden player"
        # Of clients whose worker was not killed; browsers wait for three seconds before they connect again.
        if browser.connections == 1:
            told = [event for event in browser.all if event.type == "score"]
            waits += [event.at - commits.committed[event.score] for event in told]
    print(f"\n{len(commits.committed)} scores, at most {max(waits):.1f} s late at {len(browsers)} clients")
    assert max(waits) < 5


def poller(redis: str) -> int:
    """Return the id of the process that looks for scores."""
    with closing(RedisClient.from_url(redis)) as client:
        (lock,) = client.scan_iter("apidot:events:*:scores:lock")
        return int(str(client.get(lock)).split()[1])
