"""A profile page that is open in many browsers, each of which reloads all of it once a second."""

import asyncio
import statistics
import time
from collections.abc import Sequence

import aiohttp

from bench.machine import usage
from bench.plan import Plan
from bench.results import Polling
from bench.serving import Server
from bench.worlds import World

# What such a page requests.
PAGE = (
    "/v1/get_player_info?scope=all&id={}",
    "/v1/get_player_scores?scope=best&id={}",
    "/v1/get_player_scores?scope=recent&id={}",
    "/v1/get_player_most_played?id={}",
    "/v1/get_player_status?id={}",
)
INTERVAL = 1.0  # seconds


def poll(server: Server, world: World, player: str, plan: Plan) -> Polling:
    """Poll the page of a player. Return the load on the database and the worker."""
    paths = [path.format(player) for path in PAGE]
    before = _statements(world)
    times, errors = asyncio.run(_clients(f"http://127.0.0.1:{server.port}", paths, plan))
    return Polling(
        clients=plan.polling_clients,
        seconds=plan.polling_seconds,
        paths=len(paths),
        requests=len(times),
        errors=errors,
        statements=_statements(world) - before,
        p50_ms=statistics.median(times),
        p99_ms=statistics.quantiles(times, n=100)[-1],
        memory=usage(server.process.pid).memory,
    )


def _statements(world: World) -> int:
    return int(str(world.rows("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1]))


async def _clients(url: str, paths: Sequence[str], plan: Plan) -> tuple[list[float], int]:
    """Return the response times in ms, and the number of errors."""
    times: list[float] = []
    errors = 0

    async def get(session: aiohttp.ClientSession, path: str) -> None:
        nonlocal errors
        began = time.perf_counter()
        async with session.get(path) as response:
            await response.read()
            errors += response.status != 200
        times.append((time.perf_counter() - began) * 1000)

    async def browser(number: int) -> None:
        # The browsers did not open the page at the same moment.
        await asyncio.sleep(INTERVAL * number / plan.polling_clients)
        end = time.monotonic() + plan.polling_seconds
        async with aiohttp.ClientSession(url) as session:
            while time.monotonic() < end:
                next_time = time.monotonic() + INTERVAL
                await asyncio.gather(*(get(session, path) for path in paths))
                await asyncio.sleep(next_time - time.monotonic())

    await asyncio.gather(*(browser(number) for number in range(plan.polling_clients)))
    return times, errors
