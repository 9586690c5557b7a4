"""What a start opens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextlib import closing as closed_after
from pathlib import Path

from api.dependencies import Dependencies
from api.services import Services
from config.settings import Settings
from domain.errors import Unavailable
from domain.live import Live, NoGameServer
from replays.store import open_store
from storage.api_keys import APIKeys
from storage.cache.beatmaps import BeatmapCache
from storage.cache.change_marker import ChangeMarker
from storage.cache.leaderboards import LeaderboardOrder
from storage.cache.pagination import Pagination
from storage.database import catalogue
from storage.database.database import Database
from storage.files.avatars import Avatars
from storage.files.beatmap_files import BeatmapFiles
from storage.game_server.cached import CachedGameServer
from storage.game_server.client import GameServerClient
from storage.game_server.live import GameServerLive
from storage.game_server.proxy import GameServerProxy
from storage.observer import Observer
from storage.pp.engine import PPEngine
from storage.ranks import DatabaseRanks, Ranks, RedisRanks
from storage.rate_limit import MemoryRateLimiter, RateLimiter, RedisRateLimiter

# In the folder that workers share.
EDITS = "edits"


@asynccontextmanager
async def open_services(
    settings: Settings, shared: str | None = None, observer: Observer | None = None
) -> AsyncIterator[Services]:
    """Everything the handlers work with, closed again at the end.

    `shared` is the folder that the workers of one service share, when there are several. `observer` is notified of
    every call to a dependency.
    """
    observer = observer or Observer()
    async with AsyncExitStack() as closing:
        database = await open_database(settings, closing, observer)
        ranks = open_ranks(settings, database, closing, observer)
        live: Live = NoGameServer()
        if settings.game_server:
            asked = await closing.enter_async_context(open_game_server(settings, settings.game_server, observer))
            live = open_live(settings, asked, database, closing)
        game_server_proxy = open_game_server_proxy(settings, closing)
        pagination = Pagination(database)
        closing.push_async_callback(pagination.close)
        change_marker = closing.enter_context(closed_after(ChangeMarker(Path(shared, EDITS) if shared else None)))
        beatmap_files = BeatmapFiles(settings)
        closing.push_async_callback(beatmap_files.close)
        pp_engine = PPEngine(settings)
        closing.push_async_callback(pp_engine.close)
        replays = open_store(settings)
        dependencies = Dependencies(settings, database=database, ranks=ranks, live=live, replays=replays)
        closing.push_async_callback(dependencies.close)
        yield Services(
            settings=settings,
            database=database,
            ranks=ranks,
            live=live,
            beatmaps=open_beatmaps(database, closing),
            pagination=pagination,
            leaderboard_order=open_leaderboard_order(settings, database, closing),
            game_server_proxy=game_server_proxy,
            replays=replays,
            api_keys=APIKeys(database, failures=settings.key_failures),
            rate_limiter=open_rate_limiter(settings, closing),
            beatmap_files=beatmap_files,
            pp_engine=pp_engine,
            avatars=Avatars(settings.data_directory),
            change_marker=change_marker,
            dependencies=dependencies,
        )


def open_beatmaps(database: Database, closing: AsyncExitStack) -> BeatmapCache:
    """The beatmaps that lists show."""
    beatmaps = BeatmapCache(database)
    closing.push_async_callback(beatmaps.close)
    return beatmaps


def open_leaderboard_order(settings: Settings, database: Database, closing: AsyncExitStack) -> LeaderboardOrder:
    """The order of leaderboards."""
    boards = LeaderboardOrder(database, visible=settings.visible_on_boards)
    closing.push_async_callback(boards.close)
    return boards


async def open_database(settings: Settings, closing: AsyncExitStack, observer: Observer) -> Database:
    """The database, which need not be there yet."""
    database = Database(
        settings.database or "",
        pool_max=settings.db_pool_max,
        wait=settings.db_pool_wait,
        statement_timeout=settings.db_statement_timeout,
        observer=observer,
    )
    await database.connect()
    closing.push_async_callback(database.disconnect)
    return database


def open_ranks(settings: Settings, database: Database, closing: AsyncExitStack, observer: Observer) -> Ranks:
    """Ranks from Redis, or counted in the database."""
    counted = DatabaseRanks(database)
    if not settings.redis:
        return counted
    ranks = RedisRanks(settings.redis, timeout=settings.redis_timeout, fallback=counted, observer=observer)
    closing.push_async_callback(ranks.close)
    return ranks


def open_game_server_proxy(settings: Settings, closing: AsyncExitStack) -> GameServerProxy | None:
    """Where requests are passed on to, if they are."""
    if not (settings.game_server and settings.passthrough):
        return None
    upstream = GameServerProxy(
        settings.game_server,
        host=f"api.{settings.domain}" if settings.domain else None,
        connect_timeout=settings.game_server_connect_timeout,
    )
    closing.push_async_callback(upstream.close)
    return upstream


def open_rate_limiter(settings: Settings, closing: AsyncExitStack) -> RateLimiter | None:
    """How often clients may ask: counted here, or in Redis when there are several workers. None: as they like."""
    if not settings.rate_limit:
        return None
    limits: RateLimiter
    limits = alone = MemoryRateLimiter(settings.rate_limit, settings.rate_limit_burst)
    if settings.api_workers > 1 and settings.redis:
        limits = RedisRateLimiter(settings.redis, alone, timeout=settings.redis_timeout)
    closing.push_async_callback(limits.close)
    return limits


def open_live(settings: Settings, client: GameServerClient, database: Database, closing: AsyncExitStack) -> Live:
    """Live state from that game server."""
    server = CachedGameServer(client)
    closing.push_async_callback(server.close)
    return GameServerLive(
        server,
        database,
        visible=settings.visible,
        counted=settings.visible_on_boards,
        timeout=settings.game_server_timeout,
    )


@asynccontextmanager
async def open_game_server(
    settings: Settings, url: str, observer: Observer | None = None
) -> AsyncIterator[GameServerClient]:
    """The game server at `url`, to be asked."""
    server = GameServerClient(
        url,
        domain=settings.domain,
        timeout=settings.game_server_timeout,
        connect_timeout=settings.game_server_connect_timeout,
        observer=observer,
    )
    try:
        yield server
    finally:
        await server.close()


# Seconds a start waits for what a neighbour has to say.
DEPENDENCY_TIMEOUT = 15.0


async def startup_report(settings: Settings) -> list[str]:
    """What a start finds of its dependencies, a line each."""
    async with open_services(settings) as services:
        there = await services.dependencies.look(DEPENDENCY_TIMEOUT)
        connections = await _connections(services)
    titles = {
        "database": "database     ",
        "redis": "ranks        ",
        "replays": "replays      ",
        "pp_engine": "pp engine    ",
        "game_server": "game server  ",
    }
    lines = [f"{title} {there[name].words}" for name, title in titles.items()]
    if settings.game_server:
        to = "passed on to the game server" if settings.passthrough else "not found (PASSTHROUGH is off)"
        lines.append(f"other paths   {to}")
    lines += [*connections, f"rate limits   {_rate_limits(settings)}"]
    return [*lines, *await asyncio.to_thread(_files, settings)]


async def _connections(services: Services) -> list[str]:
    """A line when the workers may want more connections than the database allows."""
    try:
        allowed = await services.database.one(catalogue.connections_allowed)
    except Unavailable:
        return []
    settings = services.settings
    fault = allowed.too_few(settings.api_workers, settings.db_pool_max) if allowed else None
    return [f"connections   TOO FEW: {fault}; make DB_POOL_MAX smaller"] if fault else []


def _rate_limits(settings: Settings) -> str:
    """How often a client may ask, and where that is counted."""
    if not settings.rate_limit:
        return "none (RATE_LIMIT is 0)"
    often = f"{settings.rate_limit_burst} requests at once, {settings.rate_limit:g} a second after that"
    if settings.api_workers == 1:
        return often
    return often + (", counted in Redis" if settings.redis else ", in each worker (no REDIS_HOST)")


def _files(settings: Settings) -> list[str]:
    """What a start finds on this machine, a line each."""
    there = Path(settings.data_directory).is_dir()
    return [f"data folder   {settings.data_directory}{'' if there else ' NOT FOUND'}"]
