"""Opens the services at startup, each closed by an exit stack at the end, and reports on their dependencies."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from api.additions import Additions
from api.dependencies import Dependencies
from api.routes import additions_to_routes
from api.services import Services
from config.settings import Settings
from config.types import Networks
from domain.errors import Unavailable
from domain.live import Live
from replays.store import open_store
from storage.api_keys import APIKeys
from storage.cache.beatmap_search import BeatmapSearch
from storage.cache.beatmaps import BeatmapCache
from storage.cache.change_marker import ChangeMarker, RedisChangeMarker
from storage.cache.clans import ClanOrder
from storage.cache.first_places import FirstPlaces
from storage.cache.fork_columns import ForkColumns
from storage.cache.leaderboards import LeaderboardOrder
from storage.cache.pagination import Pagination
from storage.cache.player_names import PlayerNames
from storage.cache.stored_replays import StoredReplays
from storage.cache.top_plays import TopPlays
from storage.cache.totals import ServerTotals
from storage.database import catalogue
from storage.database.database import Database
from storage.database.replicas import Replica, ReplicatedDatabase
from storage.deadlines import Deadlines
from storage.events.hub import Hub
from storage.events.relay import Relay, namespace
from storage.files.avatars import Avatars
from storage.files.beatmap_files import BeatmapFiles
from storage.game_server.cached import CachedGameServer
from storage.game_server.client import Down, GameServerClient, NoAnswer
from storage.game_server.description import Declared, declared_by
from storage.game_server.live import GameServerLive
from storage.game_server.proxy import GameServerProxy
from storage.key_failures import KeyFailures, RedisKeyFailures
from storage.observer import Observer
from storage.pp.engine import PPEngine
from storage.ranks import Ranks, RedisRanks
from storage.rate_limit import RateLimiter, RedisRateLimiter
from storage.redis_client import RedisAway

# The ChangeMarker's file, in the folder that the workers share.
EDITS = "edits"
# Seconds a start waits for the state of the dependencies.
DEPENDENCY_TIMEOUT = 15.0
# And for what the game server declares, if it answers.
DESCRIPTION_TIMEOUT = 3.0
# The dependencies' titles in the start report.
TITLES = {
    "database": "database",
    "redis": "ranks",
    "replays": "replays",
    "pp_engine": "pp engine",
    "game_server": "game server",
}


class Closable(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


@asynccontextmanager
async def open_services(
    settings: Settings, shared: str | None = None, observer: Observer | None = None
) -> AsyncIterator[Services]:
    """Open everything the handlers use, and close it at the end.

    `shared` is a folder that all workers of the service share. `observer` is notified of every call to a
    dependency.
    """
    async with AsyncExitStack() as stack:
        yield await _opened(settings, shared, observer, stack)


async def _opened(
    settings: Settings, shared: str | None, observer: Observer | None, stack: AsyncExitStack
) -> Services:
    deadlines = Deadlines()
    change_marker = open_change_marker(settings, stack, shared)
    database = await open_database(settings, stack, observer, deadlines, change_marker)
    ranks = open_ranks(settings, database, stack, observer)
    game_server = open_game_server(settings, stack, observer)
    replays = open_store(settings)
    on_boards = settings.visible_on_boards
    leaderboard_order = closed_by(stack, LeaderboardOrder(database, visible=on_boards))
    rate_limiter = open_rate_limiter(settings, stack)
    dependencies = Dependencies(settings, database, ranks, rate_limiter, leaderboard_order, game_server, replays)
    live = open_live(settings, game_server, database, stack)
    return Services(
        settings=settings,
        database=database,
        ranks=ranks,
        live=live,
        events=open_events(settings, database, live, stack, observer),
        beatmaps=closed_by(stack, BeatmapCache(database)),
        beatmap_search=closed_by(stack, BeatmapSearch(database)),
        player_names=closed_by(stack, PlayerNames(database)),
        pagination=closed_by(stack, Pagination(database)),
        server_totals=closed_by(stack, ServerTotals(database)),
        leaderboard_order=leaderboard_order,
        first_places=closed_by(stack, FirstPlaces(database, visible=on_boards, wait=settings.db_pool_wait)),
        fork_columns=closed_by(stack, ForkColumns(database)),
        top_plays=closed_by(stack, TopPlays(database, visible=on_boards, wait=settings.db_pool_wait)),
        clan_order=closed_by(stack, ClanOrder(database, visible=on_boards)),
        game_server=game_server,
        game_server_proxy=open_game_server_proxy(settings, stack),
        replays=replays,
        stored_replays=StoredReplays(replays.stored),
        api_keys=closed_by(stack, APIKeys(database, open_key_failures(settings, stack))),
        rate_limiter=rate_limiter,
        beatmap_files=closed_by(stack, BeatmapFiles(settings)),
        pp_engine=closed_by(stack, PPEngine(settings)),
        avatars=closed_by(stack, Avatars(settings)),
        change_marker=change_marker,
        dependencies=closed_by(stack, dependencies),
        deadlines=deadlines,
    )


def closed_by(stack: AsyncExitStack, service: C) -> C:
    """Return `service`, which the stack will close."""
    stack.push_async_callback(service.close)
    return service


async def open_database(
    settings: Settings,
    stack: AsyncExitStack,
    observer: Observer | None = None,
    deadlines: Deadlines | None = None,
    change_marker: ChangeMarker | None = None,
) -> Database:
    """Return the database, which may still be unavailable. It has replicas only with a change marker.

    Raise CannotOpen if its driver is not installed, or the SQLite file does not exist.
    """
    options = database_options(settings, observer, deadlines)
    url = settings.database or ""
    if settings.replicas and change_marker:
        database: Database = ReplicatedDatabase(
            url,
            [open_replica(replica, options) for replica in settings.replicas],
            max_lag=settings.replica_max_lag,
            changes=(catalogue.profile_change,),
            version=lambda: change_marker.version,
            **options,
        )
    else:
        database = Database(url, **options)
    stack.push_async_callback(database.disconnect)
    await database.connect()
    return database


def database_options(
    settings: Settings, observer: Observer | None = None, deadlines: Deadlines | None = None
) -> dict[str, Any]:
    """Return the arguments of Database, but for its URL."""
    return {
        "pool_max": settings.db_pool_max,
        "wait": settings.db_pool_wait,
        "statement_timeout": settings.db_statement_timeout,
        "max_age": settings.db_connection_max_age,
        "encryption": settings.db_ssl,
        "authorities": settings.db_ssl_ca,
        "zone": settings.zone,
        "observer": observer,
        "deadlines": deadlines,
    }


def open_replica(url: str, options: dict[str, Any]) -> Replica:
    """Return a replica, which has less time than the database: that has to answer after it."""
    times = {name: options[name] / 2 for name in ("wait", "statement_timeout")}
    place = urlsplit(url)
    address = f"{place.hostname or 'localhost'}:{place.port or 3306}"
    database = Database(url, **options | times, replica=address)
    return Replica(address, database, tuple(catalogue.replica_status.values()))


def open_ranks(
    settings: Settings, database: Database, stack: AsyncExitStack, observer: Observer | None = None
) -> Ranks:
    """Return the ranks from Redis; without Redis in the settings, those counted in the database."""
    if not settings.redis:
        return Ranks(database)
    ranks = RedisRanks(database, settings.redis, timeout=settings.redis_timeout, observer=observer)
    return closed_by(stack, ranks)


def open_game_server(
    settings: Settings, stack: AsyncExitStack, observer: Observer | None = None
) -> GameServerClient | None:
    """Return the client of the game server, None without a game server in the settings."""
    if not settings.game_server:
        return None
    server = GameServerClient(
        settings.game_server,
        domain=settings.domain,
        timeout=settings.game_server_timeout,
        connect_timeout=settings.game_server_connect_timeout,
        observer=observer,
    )
    return closed_by(stack, server)


def open_live(
    settings: Settings, server: GameServerClient | None, database: Database, stack: AsyncExitStack
) -> Live:
    """Return the players and matches that are live on the game server. Without one, nobody is online."""
    if server is None:
        return Live()
    return GameServerLive(
        closed_by(stack, CachedGameServer(server)),
        database,
        visible=settings.visible,
        counted=settings.visible_on_boards,
        timeout=settings.game_server_timeout,
    )


def open_events(
    settings: Settings,
    database: Database,
    live: Live,
    stack: AsyncExitStack,
    observer: Observer | None = None,
) -> Hub:
    """Return the hub of live events. With Redis, one of all processes with this database looks for them."""
    open_relay = None
    if settings.redis:
        same = namespace(settings.database or "", settings.visible, settings.visible_on_boards, settings.time_zone)
        open_relay = partial(Relay, settings.redis, same, timeout=settings.redis_timeout)
    hub = Hub(
        database,
        live,
        visible=settings.visible,
        visible_on_boards=settings.visible_on_boards,
        per_client=settings.event_streams_per_client,
        total=settings.event_streams,
        open_relay=open_relay,
        observer=observer,
    )
    return closed_by(stack, hub)


def open_game_server_proxy(settings: Settings, stack: AsyncExitStack) -> GameServerProxy | None:
    """Return the proxy for requests to other paths, None if they are not passed on."""
    if not (settings.game_server and settings.passes_on):
        return None
    proxy = GameServerProxy(
        settings.game_server,
        host=f"api.{settings.domain}" if settings.domain else None,
        connect_timeout=settings.game_server_connect_timeout,
    )
    return closed_by(stack, proxy)


def open_rate_limiter(settings: Settings, stack: AsyncExitStack) -> RateLimiter | None:
    """Return the rate limiter, which all workers share that use the same Redis. None without a rate limit."""
    if not settings.rate_limit:
        return None
    rate, burst = settings.rate_limit, settings.rate_limit_burst
    if not settings.redis:
        return RateLimiter(rate, burst)
    return closed_by(stack, RedisRateLimiter(rate, burst, settings.redis, timeout=settings.redis_timeout))


def open_key_failures(settings: Settings, stack: AsyncExitStack) -> KeyFailures:
    """Return the counts of wrong API keys, which all workers share that use the same Redis."""
    if not settings.redis:
        return KeyFailures(settings.key_failures)
    failures = RedisKeyFailures(settings.key_failures, settings.redis, timeout=settings.redis_timeout)
    return closed_by(stack, failures)


def open_change_marker(settings: Settings, stack: AsyncExitStack, shared: str | None) -> ChangeMarker:
    """Return the marker of changes, which the workers share, and all hosts that use the same Redis."""
    file = Path(shared, EDITS) if shared else None
    if not settings.redis:
        return closed_by(stack, ChangeMarker(file))
    return closed_by(stack, RedisChangeMarker(file, settings.redis, timeout=settings.redis_timeout))


async def startup_report(settings: Settings) -> list[str]:
    """Return the lines that `serve` prints about its dependencies. Raise CannotOpen if it cannot serve."""
    async with open_services(settings) as services:
        states = await services.dependencies.states(DEPENDENCY_TIMEOUT)
        report = [(title, states[name].description) for name, title in TITLES.items()]
        if isinstance(services.database, ReplicatedDatabase):
            report += [("replica", text) for text in await _replicas(services.database)]
        if settings.game_server:
            to = "passed on to the game server" if settings.passthrough else "not found (PASSTHROUGH is off)"
            report.append(("other paths", to))
        if passed_on := await _additions(services, answers=states["game_server"].state == "up"):
            report.append(("passed on", str(passed_on)))
        if too_few := await _too_few_connections(services):
            report.append(("connections", f"TOO FEW: {too_few}; make DB_POOL_MAX smaller"))
        report.append(("rate limits", await _rate_limits(services)))
    if everybody := Networks(settings.trusted_proxies).too_large:
        report.append(("proxies", f"UNSAFE: {forgeable(everybody)}; make TRUSTED_PROXIES smaller"))
    missing = "" if await asyncio.to_thread(os.path.isdir, settings.data_directory) else " NOT FOUND"
    report.append(("data folder", f"{settings.data_directory}{missing}"))
    report += [("note", note) for note in (*settings.notes, *settings.unused)]
    return [f"{title:<13} {text}" for title, text in report]


async def _replicas(database: ReplicatedDatabase) -> list[str]:
    reasons = {replica.place: await replica.reason_against(database.max_lag) for replica in database.replicas}
    return [f"{place} NOT USED: {reason}" if reason else place for place, reason in reasons.items()]


async def _additions(services: Services, *, answers: bool) -> Additions:
    """Return what is passed on of the paths that are served. `answers` is whether the game server can be asked."""
    declared: Declared = {}
    settings = services.settings
    if services.game_server and answers and settings.passes_on and settings.learn_fork:
        with suppress(Down, NoAnswer, TimeoutError):
            async with asyncio.timeout(DESCRIPTION_TIMEOUT):
                declared = await declared_by(services.game_server)
    return additions_to_routes(settings, declared)


async def _too_few_connections(services: Services) -> str | None:
    try:
        allowed = await services.database.one(catalogue.connections_allowed)
    except Unavailable:
        return None
    settings = services.settings
    return allowed.too_few(settings.api_workers, settings.db_pool_max) if allowed else None


def forgeable(networks: list[str]) -> str:
    """Return what it means that these networks are in TRUSTED_PROXIES."""
    return f"every client in {', '.join(networks)} can claim any address"


async def _rate_limits(services: Services) -> str:
    settings, limiter = services.settings, services.rate_limiter
    if limiter is None:
        return "none (RATE_LIMIT is 0)"
    limits = f"{settings.rate_limit_burst} requests at once, {settings.rate_limit:g} a second after that"
    if not isinstance(limiter, RedisRateLimiter):
        return limits if settings.api_workers == 1 else f"{limits}, in each worker (no REDIS_HOST)"
    try:
        await limiter.check()
    except RedisAway as error:
        return f"{limits}, IN EACH WORKER until Redis counts them ({error})"
    return f"{limits}, counted in Redis"
