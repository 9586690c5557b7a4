"""The state of each dependency, for the start report, /health/ready and the command `check`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal

import msgspec

from config.settings import Settings
from domain.errors import Unavailable
from domain.modes import Mode
from replays.errors import StoreUnavailable
from replays.store import ReplayStore
from storage.cache.cache import SingleFlightCache
from storage.cache.leaderboards import LeaderboardKey, LeaderboardOrder
from storage.database import catalogue
from storage.database.database import Database
from storage.database.failures import describe, is_denied_table, is_missing_table, is_of_server, is_refusal
from storage.game_server.client import Down, GameServerClient, NoAnswer, NotPermitted
from storage.pp.engine import ENGINE, try_to_start
from storage.ranks import Ranks, RedisRanks
from storage.rate_limit import RateLimiter, RedisRateLimiter
from storage.redis_client import RedisAway
from storage.workers.process import NotInstalled, NotStarting

# `off`: not configured. `unknown`: not checked yet.
State = Literal["up", "down", "off", "unknown"]

# What a client notices while a dependency is not up.
DEGRADED = {
    "database": "what is kept there is answered with 503",
    "redis": "ranks are counted in the database",
    "game_server": "nobody can be seen to be online",
    "replays": "there are no replays",
    "pp_engine": "pp is not calculated",
}
# The same for what Redis may lack while it answers.
DEGRADED_LEADERBOARDS = "ranks in some modes are counted in the database"
DEGRADED_LIMITS = "each worker limits requests by itself"
DEGRADED_SCRIPTS = "Redis refuses EVAL, ranks are asked for without it"

# The tables without which most requests are answered with 503. Without others, only some are.
NEEDED = {"users", "stats", "scores", "maps", "clans"}

# Seconds for which a state is cached. The state of the pp engine costs the start of a process, and seldom changes.
FRESH = 2.0
FRESH_PP_ENGINE = 600.0


class Dependency(msgspec.Struct, frozen=True):
    """The state of a dependency, the description for the start report, and why the dependency is down.

    The description and the error may name addresses: they are for the operator, not for clients. `degraded` is
    what a client notices where that is not what DEGRADED says.
    """

    state: State
    description: str
    error: BaseException | None = None
    degraded: str = ""


async def server_state(database: Database) -> Dependency:
    """Return whether the database server answers. The description is its version."""
    try:
        row = await database.one(catalogue.server_version)
    except Unavailable as unavailable:
        return _not_reached(unavailable.__cause__)
    return Dependency("up", row.version if row else "of unknown version")


async def database_state(database: Database) -> Dependency:
    """Return whether everything can be read that requests read. The description is the server's version."""
    try:
        row = await database.one(catalogue.ping)
    except Unavailable as unavailable:
        error = unavailable.__cause__
        if error is not None and is_refusal(error):
            return await _partly_readable(database, error)
        return _not_reached(error)
    return Dependency("up", row.version if row else "of unknown version")


async def _partly_readable(database: Database, error: BaseException) -> Dependency:
    """Return the state of a database that answers, but lets something not be read, and what that is."""
    tables = {table: sorted(columns) for table, columns in catalogue.columns_needed().items()}
    try:
        refused = {
            table: await database.refusal(catalogue.readable(table, *tables[table])) for table in sorted(tables)
        }
    except Unavailable as unavailable:
        return _not_reached(unavailable.__cause__)
    missing = [table for table, reason in refused.items() if reason and is_missing_table(reason)]
    denied = [table for table, reason in refused.items() if reason and is_denied_table(reason)]
    columns = {table: reason for table, reason in refused.items() if reason and table not in {*missing, *denied}}
    if len(missing) == len(tables):
        fault = "WITHOUT TABLES: it has none of the game server's tables (is DB_NAME right?)"
        return Dependency("down", f"{fault}, answering 503 until it has them", error)
    faults = [f"tables {', '.join(missing)} are missing"] if missing else []
    faults += [f"its user may not read {', '.join(denied)}"] if denied else []
    faults += [f"not all columns of {table} can be read ({describe(reason)})" for table, reason in columns.items()]
    description = (
        f"NOT ALL READABLE: {'; '.join(faults)}; `main.py check` says what to do. What needs it gets a 503"
    )
    if NEEDED & {*missing, *denied}:
        return Dependency("down", description, error)
    names = ", ".join(table for table, reason in refused.items() if reason)
    return Dependency("up", description, error, f"what needs all of {names} is answered with 503")


def _not_reached(error: BaseException | None) -> Dependency:
    # A server that refuses the login has been reached.
    fault = "NOT REACHED" if error is None or not is_of_server(error) else "REFUSES THIS SERVICE"
    return Dependency("down", f"{fault}, answering 503 until it is there ({describe(error)})", error)


async def redis_state(ranks: Ranks, limiter: RateLimiter | None, order: LeaderboardOrder) -> Dependency:
    """Return whether ranks come from Redis, and rate limits if they should, by asking as requests do."""
    if not isinstance(ranks, RedisRanks):
        return Dependency("off", "counted in the database (no REDIS_HOST)")
    try:
        missing = await ranks.missing_modes()
    except RedisAway as error:
        return Dependency("down", f"Redis NOT REACHED, counting in the database ({error})", error)
    if lacking := await _modes_with_players(order, missing):
        modes = ", ".join(map(str, lacking))
        description = f"Redis, WITHOUT LEADERBOARDS of modes {modes}: those are counted in the database"
        return Dependency("down", description, degraded=DEGRADED_LEADERBOARDS)
    if isinstance(limiter, RedisRateLimiter):
        try:
            await limiter.check()
        except RedisAway as error:
            return Dependency("down", f"Redis, NOT COUNTING RATE LIMITS ({error})", error, DEGRADED_LIMITS)
    if ranks.script_refused:
        description = f"Redis, WITHOUT EVAL ({ranks.script_refused}): asked for with one command each"
        return Dependency("up", description, degraded=DEGRADED_SCRIPTS)
    return Dependency("up", "Redis")


async def _modes_with_players(order: LeaderboardOrder, modes: Iterable[Mode]) -> list[Mode]:
    """Return those of the modes in which a player has pp, none if the database cannot be reached."""
    try:
        return [mode for mode in modes if await order.page(LeaderboardKey("pp", mode, None), offset=0, limit=1)]
    except Unavailable:
        return []


async def game_server_state(settings: Settings, server: GameServerClient | None) -> Dependency:
    """Return whether the game server answers, and answers like one. The error is Down or NoAnswer."""
    url = settings.game_server
    if server is None:
        return Dependency("off", "none (no APP_PORT, no GAME_SERVER_URL), so nobody is online")
    try:
        await server.ping()
    except Down as error:
        return Dependency("down", f"{url} NOT REACHED ({error}), so nobody is online until it is there", error)
    except NotPermitted as error:
        return Dependency("down", f"{url} NOT PERMITTED: the user of apidot must have access to it", error)
    except NoAnswer as error:
        description = f"{url} NOT ANSWERING AS ONE ({error}): look at DOMAIN and GAME_SERVER_URL"
        return Dependency("down", description, error)
    return Dependency("up", str(url))


async def replays_state(store: ReplayStore) -> Dependency:
    """Return whether the store of the replays can be used."""
    reason = await store.unavailable_reason()
    if reason is None:
        return Dependency("up", store.name)
    return Dependency("down", f"{store.name} NOT FOUND ({reason})", StoreUnavailable(reason))


async def pp_engine_state(settings: Settings) -> Dependency:
    """Return whether the pp engine is installed and starts, by starting it."""
    try:
        await try_to_start(settings)
    except NotInstalled:
        advice = "run `make install` where CPython 3.11 is installed, or set PP_PYTHON"
        return Dependency("off", f"{ENGINE} NOT INSTALLED, so calculate_pp answers 501: {advice}")
    except NotStarting as error:
        return Dependency("down", f"{ENGINE} DOES NOT START ({error}), so calculate_pp answers 503", error)
    return Dependency("up", ENGINE)


class Dependencies:
    """The states of all dependencies, cached. Concurrent callers share one check of each."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        ranks: Ranks,
        rate_limiter: RateLimiter | None,
        leaderboard_order: LeaderboardOrder,
        game_server: GameServerClient | None,
        replays: ReplayStore,
    ) -> None:
        checks: dict[str, Callable[[], Awaitable[Dependency]]] = {
            "database": lambda: database_state(database),
            "redis": lambda: redis_state(ranks, rate_limiter, leaderboard_order),
            "game_server": lambda: game_server_state(settings, game_server),
            "replays": lambda: replays_state(replays),
            "pp_engine": lambda: pp_engine_state(settings),
        }
        self._names = list(checks)
        self._states = SingleFlightCache[str, Dependency](lambda name: checks[name]())

    async def states(self, within: float) -> dict[str, Dependency]:
        """Return the state of each dependency by name, after at most `within` seconds.

        A check that takes longer goes on in the background, and the next caller waits for the same one.
        """
        states = await asyncio.gather(*(self._state(name, within) for name in self._names))
        return dict(zip(self._names, states, strict=True))

    async def close(self) -> None:
        """Cancel the checks that are still running."""
        await self._states.close()

    async def _state(self, name: str, within: float) -> Dependency:
        try:
            async with asyncio.timeout(within):
                return await self._states.get(name, FRESH_PP_ENGINE if name == "pp_engine" else FRESH)
        except TimeoutError:
            # On a busy machine the engine takes longer to start than a health check may take.
            if name == "pp_engine":
                return Dependency("unknown", "not started yet")
            return Dependency("down", f"NO ANSWER within {within:g} s")
