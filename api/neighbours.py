"""Asking what is around this service whether it is there: for a start's report, and for those who watch it run."""

import asyncio
from collections.abc import Awaitable, Callable

from domain.errors import Unavailable
from domain.live import Live
from domain.neighbours import Neighbour
from domain.settings import Settings
from replays.places import Place
from storage import catalogue
from storage.engine import engine_found
from storage.gameserver import Down, NoAnswer
from storage.kept import Kept
from storage.live import GameServerLive
from storage.query import Database
from storage.ranks import Ranks, RedisRanks

# Seconds for which an answer is good; the engine is asked by starting it, and is seldom another one.
FRESH = 2.0
FRESH_ENGINE = 600.0


class Neighbours:
    """Asks each neighbour once at a time, and at most once in a few seconds, whoever wants to know."""

    def __init__(
        self, settings: Settings, *, database: Database, ranks: Ranks, live: Live, replays: Place
    ) -> None:
        self._settings = settings
        self._database = database
        self._ranks = ranks
        self._live = live
        self._replays = replays
        self._asks: dict[str, Callable[[], Awaitable[Neighbour]]] = {
            "database": self._ask_database,
            "redis": self._ask_redis,
            "game_server": self._ask_game_server,
            "replays": self._ask_replays,
        }
        self._kept = Kept(self._ask, fresh=FRESH)
        self._engine = Kept(self._ask_engine, fresh=FRESH_ENGINE)

    async def look(self, patience: float) -> dict[str, Neighbour]:
        """Each neighbour by its name, after at most so many seconds.

        What takes longer goes on being asked; so one that hangs is never asked a second time meanwhile.
        """
        names = [*self._asks, "pp_engine"]
        found = [*(self._kept.get(name) for name in self._asks), self._engine.get(())]
        late = [Neighbour("down", f"NO ANSWER within {patience:g} s")] * len(self._asks)
        # Starting the engine on a busy machine takes longer than anybody waits here.
        late.append(Neighbour("unknown", "not started yet"))
        waits = (_within(patience, *each) for each in zip(found, late, strict=True))
        return dict(zip(names, await asyncio.gather(*waits), strict=True))

    async def close(self) -> None:
        """End what is still being asked."""
        await self._kept.close()
        await self._engine.close()

    async def _ask(self, name: str) -> Neighbour:
        return await self._asks[name]()

    async def _ask_database(self) -> Neighbour:
        try:
            row = await self._database.one(catalogue.server_version)
        except Unavailable as error:
            words = f"NOT REACHED, answering 503 until it is there ({error.__cause__})"
            return Neighbour("down", words)
        return Neighbour("up", row.version if row else "of unknown version")

    async def _ask_redis(self) -> Neighbour:
        if not isinstance(self._ranks, RedisRanks):
            return Neighbour("off", "counted in the database (no REDIS_HOST)")
        if await self._ranks.ping():
            return Neighbour("up", "Redis")
        return Neighbour("down", "Redis NOT REACHED, counting in the database")

    async def _ask_game_server(self) -> Neighbour:
        url = self._settings.game_server
        if not isinstance(self._live, GameServerLive):
            return Neighbour("off", "none (no APP_PORT, no GAME_SERVER_URL), so nobody is online")
        try:
            await self._live.reach()
        except Down as error:
            return Neighbour("down", f"{url} NOT REACHED ({error}), so nobody is online until it is there")
        except NoAnswer as error:
            words = f"{url} NOT ANSWERING AS ONE ({error.reason}): look at DOMAIN and GAME_SERVER_URL"
            return Neighbour("down", words)
        return Neighbour("up", str(url))

    async def _ask_replays(self) -> Neighbour:
        fault = await self._replays.fault()
        if fault is None:
            return Neighbour("up", self._replays.name)
        return Neighbour("down", f"{self._replays.name} NOT FOUND ({fault})")

    async def _ask_engine(self, _: tuple[()]) -> Neighbour:
        return await engine_found(self._settings)


async def _within(seconds: float, answer: Awaitable[Neighbour], late: Neighbour) -> Neighbour:
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        return late
