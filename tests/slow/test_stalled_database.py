"""Packets to the database are lost again and again: every wait is bounded, and answers are back at once."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import uvloop

from domain.errors import Unavailable
from storage.database import catalogue
from storage.database.database import Database
from tests.conftest import connected
from tests.storage.database.test_database import DRIVERS
from tests.support import conformance, lossy_proxy, servers
from tests.support.lossy_proxy import LossyProxy

ROUNDS = 20
WAIT, STATEMENT = 0.6, 0.6
BOUND = WAIT + STATEMENT + 1  # as docs/operating.md says
SLACK = 0.5  # for a busy machine
RECOVERY = 2.0
POOL = 5


@pytest.fixture
def proxied() -> Iterator[tuple[LossyProxy, str]]:
    with servers.mariadb(private=True) as server:
        conformance.load(server.database("recorded"))
        with lossy_proxy.in_front_of(server.url + "recorded") as (proxy, url):
            yield proxy, url


class Load:
    """Reads twenty rows a second, each in a task of its own, and notes how long each read took."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.longest = 0.0
        self.outcomes: Counter[str] = Counter()
        self.running: set[asyncio.Task[None]] = set()
        self.answer = asyncio.Event()

    async def run(self) -> None:
        while True:
            task = asyncio.create_task(self._read())
            self.running.add(task)
            task.add_done_callback(self.running.discard)
            await asyncio.sleep(0.05)

    async def _read(self) -> None:
        start = time.monotonic()
        try:
            player = await self._database.one(catalogue.player, id=3, safe_name=None, visible=0)
            assert player
            assert player.id == 3
            self.answer.set()
            self.outcomes["answered"] += 1
        except Unavailable:
            self.outcomes["unavailable"] += 1
        self.longest = max(self.longest, time.monotonic() - start)


async def rounds(proxy: LossyProxy, database: Database) -> None:
    load = Load(database)
    loading = asyncio.create_task(load.run())
    chances = random.Random(20261123)
    slowest = 0.0
    for number in range(ROUNDS):
        # Nothing at all, a part of the greeting, a part of what follows it, a part of a result.
        proxy.stall(chances.choice((0, 0, 20, 110, 150, 400)))
        if number % 2:
            # New connections, too.
            proxy.reset()
        await asyncio.sleep(chances.uniform(0.2, 2.5))
        proxy.resume()
        load.answer.clear()
        over = time.monotonic()
        async with asyncio.timeout(10):
            await load.answer.wait()
        slowest = max(slowest, time.monotonic() - over)
        await asyncio.sleep(0.3)
    loading.cancel()
    if load.running:
        await asyncio.wait(load.running, timeout=10)
    print(f"{load.outcomes}, the longest wait {load.longest:.2f} s, answers back after {slowest:.2f} s")
    assert load.longest < BOUND + SLACK
    assert slowest < RECOVERY + SLACK
    assert load.outcomes["answered"] > load.outcomes["unavailable"] / 5


@DRIVERS
def test_every_wait_is_bounded(proxied: tuple[LossyProxy, str], driver: str) -> None:
    proxy, url = proxied

    async def test() -> None:
        url_of_driver = url.replace("mysql://", f"{driver}://")
        database = Database(url_of_driver, pool_max=POOL, wait=WAIT, statement_timeout=STATEMENT)
        async with connected(database):
            await rounds(proxy, database)
            # Neither tasks nor sockets are left.
            await asyncio.sleep(2)
            assert len(asyncio.all_tasks()) == 1
            assert proxy.open <= POOL
        await asyncio.sleep(0.5)
        assert proxy.open == 0

    uvloop.run(test())
