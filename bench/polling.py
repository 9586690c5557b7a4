"""A profile page that is open in many browsers, each of which asks for all of it once a second."""

import asyncio
import statistics
import time
from collections.abc import Sequence

import aiohttp

from bench.machine import taken
from bench.plan import Plan
from bench.results import Polling
from bench.serving import Serving
from bench.worlds import World

# What such a page asks for.
PAGE = (
    "/v1/get_player_info?scope=all&id={}",
    "/v1/get_player_scores?scope=best&id={}",
    "/v1/get_player_scores?scope=recent&id={}",
    "/v1/get_player_most_played?id={}",
    "/v1/get_player_status?id={}",
)
EVERY = 1.0


def poll(here: Serving, world: World, player: str, plan: Plan) -> Polling:
    """What the database and the worker had to do for it."""
    paths = [path.format(player) for path in PAGE]
    before = _statements(world)
    taken_ms, errors = asyncio.run(_clients(f"http://127.0.0.1:{here.port}", paths, plan))
    return Polling(
        clients=plan.polling_clients,
        seconds=plan.polling_seconds,
        questions=len(paths),
        requests=len(taken_ms),
        errors=errors,
        statements=_statements(world) - before,
        p50_ms=statistics.median(taken_ms),
        p99_ms=statistics.quantiles(taken_ms, n=100)[-1],
        memory=taken(here.process.pid).memory,
    )


def _statements(world: World) -> int:
    return int(str(world.rows("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1]))


async def _clients(url: str, paths: Sequence[str], plan: Plan) -> tuple[list[float], int]:
    """How long each answer took, in ms, and how many were none."""
    taken_ms: list[float] = []
    errors = 0

    async def ask(session: aiohttp.ClientSession, path: str) -> None:
        nonlocal errors
        began = time.perf_counter()
        async with session.get(path) as answer:
            await answer.read()
            errors += answer.status != 200
        taken_ms.append((time.perf_counter() - began) * 1000)

    async def browser(number: int) -> None:
        # Nobody opened the page at the same moment.
        await asyncio.sleep(EVERY * number / plan.polling_clients)
        end = time.monotonic() + plan.polling_seconds
        async with aiohttp.ClientSession(url) as session:
            while time.monotonic() < end:
                next_time = time.monotonic() + EVERY
                await asyncio.gather(*(ask(session, path) for path in paths))
                await asyncio.sleep(next_time - time.monotonic())

    await asyncio.gather(*(browser(number) for number in range(plan.polling_clients)))
    return taken_ms, errors
