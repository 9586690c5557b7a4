"""Asking what is around this service whether it is there: for a start's report, and for those who watch it run."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from config.settings import Settings
from domain.errors import Unavailable
from domain.live import Live
from replays.store import ReplayStore
from storage.cache.cache import SingleFlightCache
from storage.database import catalogue
from storage.database.database import Database
from storage.game_server.client import Down, NoAnswer
from storage.game_server.live import GameServerLive
from storage.pp.engine import ENGINE, NoEngine, Worker
from storage.ranks import Ranks, RedisRanks

# `off` is what the operator has not set up, `unknown` what has not been found out yet.
State = Literal["up", "down", "off", "unknown"]


# What is different, for everybody, while one of them is not up.
DEGRADED = {
    "database": "what is kept there is answered with 503",
    "redis": "ranks are counted in the database",
    "game_server": "nobody can be seen to be online",
    "replays": "there are no replays",
    "pp_engine": "pp is not calculated",
}


class Dependency(msgspec.Struct, frozen=True):
    """How a neighbour is found; `words` are for the log alone: they may name addresses and reasons."""

    state: State
    words: str


# Seconds for which an answer is good; the engine is asked by starting it, and is seldom another one.
FRESH = 2.0
FRESH_ENGINE = 600.0


class Dependencies:
    """Asks each neighbour once at a time, and at most once in a few seconds, whoever wants to know."""

    def __init__(
        self, settings: Settings, *, database: Database, ranks: Ranks, live: Live, replays: ReplayStore
    ) -> None:
        self._settings = settings
        self._database = database
        self._ranks = ranks
        self._live = live
        self._replays = replays
        self._asks: dict[str, Callable[[], Awaitable[Dependency]]] = {
            "database": self._ask_database,
            "redis": self._ask_redis,
            "game_server": self._ask_game_server,
            "replays": self._ask_replays,
        }
        self._kept = SingleFlightCache(self._ask, fresh=FRESH)
        self._engine = SingleFlightCache(self._ask_engine, fresh=FRESH_ENGINE)

    async def look(self, patience: float) -> dict[str, Dependency]:
        """Each neighbour by its name, after at most so many seconds.

        What takes longer goes on being asked; so one that hangs is never asked a second time meanwhile.
        """
        names = [*self._asks, "pp_engine"]
        found = [*(self._kept.get(name) for name in self._asks), self._engine.get(())]
        late = [Dependency("down", f"NO ANSWER within {patience:g} s")] * len(self._asks)
        # Starting the engine on a busy machine takes longer than anybody waits here.
        late.append(Dependency("unknown", "not started yet"))
        waits = (_within(patience, *each) for each in zip(found, late, strict=True))
        return dict(zip(names, await asyncio.gather(*waits), strict=True))

    async def close(self) -> None:
        """End what is still being asked."""
        await self._kept.close()
        await self._engine.close()

    async def _ask(self, name: str) -> Dependency:
        return await self._asks[name]()

    async def _ask_database(self) -> Dependency:
        try:
            row = await self._database.one(catalogue.server_version)
        except Unavailable as error:
            words = f"NOT REACHED, answering 503 until it is there ({error.__cause__})"
            return Dependency("down", words)
        return Dependency("up", row.version if row else "of unknown version")

    async def _ask_redis(self) -> Dependency:
        if not isinstance(self._ranks, RedisRanks):
            return Dependency("off", "counted in the database (no REDIS_HOST)")
        if await self._ranks.ping():
            return Dependency("up", "Redis")
        return Dependency("down", "Redis NOT REACHED, counting in the database")

    async def _ask_game_server(self) -> Dependency:
        url = self._settings.game_server
        if not isinstance(self._live, GameServerLive):
            return Dependency("off", "none (no APP_PORT, no GAME_SERVER_URL), so nobody is online")
        try:
            await self._live.ping()
        except Down as error:
            return Dependency("down", f"{url} NOT REACHED ({error}), so nobody is online until it is there")
        except NoAnswer as error:
            words = f"{url} NOT ANSWERING AS ONE ({error.reason}): look at DOMAIN and GAME_SERVER_URL"
            return Dependency("down", words)
        return Dependency("up", str(url))

    async def _ask_replays(self) -> Dependency:
        fault = await self._replays.unavailable_reason()
        if fault is None:
            return Dependency("up", self._replays.name)
        return Dependency("down", f"{self._replays.name} NOT FOUND ({fault})")

    async def _ask_engine(self, _: tuple[()]) -> Dependency:
        return await engine_found(self._settings)


async def _within(seconds: float, answer: Awaitable[Dependency], late: Dependency) -> Dependency:
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        return late


async def engine_found(settings: Settings) -> Dependency:
    """Whether the engine is there, found out by starting it."""
    worker = Worker(settings.pp_python or sys.executable, settings.pp_memory)
    try:
        await worker.start()
    except NoEngine:
        return Dependency("off", f"{ENGINE} NOT INSTALLED, so calculate_pp answers 501")
    except Unavailable:
        return Dependency("down", f"{ENGINE} DOES NOT START, so calculate_pp answers 503")
    await worker.stop()
    return Dependency("up", ENGINE)
