"""What a start opens, and what it finds of it."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from api.services import Services
from domain.errors import CannotOpen, Unavailable
from domain.live import Live, Nobody
from domain.settings import EVERYWHERE, Settings
from replays.places import open_place
from storage import catalogue
from storage.avatars import Avatars
from storage.beatmap_files import BeatmapFiles
from storage.edits import Edits
from storage.engine import Engine, engine_found
from storage.gameserver import Down, GameServer, NoAnswer
from storage.keys import Keys
from storage.limits import Limits, MemoryLimits, RedisLimits
from storage.live import GameServerLive
from storage.observer import Observer
from storage.pages import Pages
from storage.query import Database
from storage.questions import Questions
from storage.ranks import DatabaseRanks, Ranks, RedisRanks
from storage.upstream import Upstream

# In the folder that workers share.
EDITS = "edits"


@asynccontextmanager
async def open_services(
    settings: Settings, shared: str | None = None, observer: Observer | None = None
) -> AsyncIterator[Services]:
    """Everything the handlers work with, closed again at the end.

    `shared` is a folder of the workers of one service, when there are several; `observer` is told what neighbours
    are asked.
    """
    observer = observer or Observer()
    async with AsyncExitStack() as closing:
        database = Database(
            settings.database or "",
            pool_max=settings.db_pool_max,
            wait=settings.db_pool_wait,
            statement_timeout=settings.db_statement_timeout,
            observer=observer,
        )
        await database.connect()
        closing.push_async_callback(database.disconnect)
        ranks: Ranks = DatabaseRanks(database)
        if settings.redis:
            timeout = settings.redis_timeout
            ranks = redis = RedisRanks(settings.redis, timeout=timeout, fallback=ranks, observer=observer)
            closing.push_async_callback(redis.close)
        live: Live = Nobody()
        if settings.game_server:
            asked = await closing.enter_async_context(open_game_server(settings, settings.game_server, observer))
            live = open_live(settings, asked, database, closing)
        upstream = open_upstream(settings)
        if upstream:
            closing.push_async_callback(upstream.close)
        pages = Pages(database)
        closing.push_async_callback(pages.close)
        edits = Edits(Path(shared, EDITS) if shared else None)
        closing.callback(edits.close)
        engine = Engine(settings)
        closing.push_async_callback(engine.close)
        yield Services(
            settings=settings,
            database=database,
            ranks=ranks,
            live=live,
            pages=pages,
            upstream=upstream,
            replays=open_place(settings),
            keys=Keys(database, failures=settings.key_failures),
            limits=open_limits(settings, closing),
            beatmap_files=BeatmapFiles(settings),
            engine=engine,
            avatars=Avatars(settings.data_directory),
            edits=edits,
        )


def open_upstream(settings: Settings) -> Upstream | None:
    """Where requests are passed on to, if they are."""
    if not (settings.game_server and settings.passthrough):
        return None
    return Upstream(
        settings.game_server,
        host=f"api.{settings.domain}" if settings.domain else None,
        connect_timeout=settings.game_server_connect_timeout,
    )


def open_limits(settings: Settings, closing: AsyncExitStack) -> Limits | None:
    """How often clients may ask: counted here, or in Redis when there are several workers. None: as they like."""
    if not settings.rate_limit:
        return None
    limits: Limits
    limits = alone = MemoryLimits(settings.rate_limit, settings.rate_limit_burst)
    if settings.api_workers > 1 and settings.redis:
        limits = RedisLimits(settings.redis, alone, timeout=settings.redis_timeout)
    closing.push_async_callback(limits.close)
    return limits


def open_live(settings: Settings, server: GameServer, database: Database, closing: AsyncExitStack) -> Live:
    """Live state from that game server."""
    questions = Questions(server)
    closing.push_async_callback(questions.close)
    return GameServerLive(
        questions,
        database,
        visible=settings.visible,
        counted=settings.visible_on_boards,
        patience=settings.game_server_timeout,
    )


@asynccontextmanager
async def open_game_server(
    settings: Settings, url: str, observer: Observer | None = None
) -> AsyncIterator[GameServer]:
    """The game server at `url`, to be asked."""
    server = GameServer(
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


async def found(settings: Settings) -> list[str]:
    """What a start finds of its neighbours, a line each."""
    lines = []
    async with open_services(settings) as services:
        try:
            row = await services.database.one(catalogue.server_version)
            lines.append(f"database      {row.version if row else 'of unknown version'}")
            allowed = await services.database.one(catalogue.connections_allowed)
            if allowed and (fault := allowed.too_few(settings.api_workers, settings.db_pool_max)):
                lines.append(f"connections   TOO FEW: {fault}; make DB_POOL_MAX smaller")
        except Unavailable as error:
            lines.append(f"database      NOT REACHED, answering 503 until it is there ({error.__cause__})")
        if isinstance(services.ranks, RedisRanks):
            there = await services.ranks.ping()
            lines.append("ranks         " + ("Redis" if there else "Redis NOT REACHED, counting in the database"))
        else:
            lines.append("ranks         counted in the database (no REDIS_HOST)")
        fault = await services.replays.fault()
        lines.append(f"replays       {services.replays.name}" + (f" NOT FOUND ({fault})" if fault else ""))
    lines.append(f"pp engine     {await engine_found(settings)}")
    lines.append(f"rate limits   {found_limits(settings)}")
    return [*lines, *await found_game_server(settings), *await asyncio.to_thread(found_files, settings)]


def found_limits(settings: Settings) -> str:
    """How often a client may ask, and where that is counted."""
    if not settings.rate_limit:
        return "none (RATE_LIMIT is 0)"
    often = f"{settings.rate_limit_burst} requests at once, {settings.rate_limit:g} a second after that"
    if settings.api_workers == 1:
        return often
    return often + (", counted in Redis" if settings.redis else ", in each worker (no REDIS_HOST)")


def require_port(host: str, port: int) -> None:
    """Raises CannotOpen when nobody could listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind(address)
    except OSError as error:
        hint = "; another --port or API_PORT may be free" if error.errno == errno.EADDRINUSE else ""
        raise CannotOpen(f"cannot listen on {url_of(host, port)}: {error.strerror}{hint}") from None


def url_of(host: str, port: int) -> str:
    """Where to reach, from this machine, who listens on `host`, which may mean everywhere."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def found_game_server(settings: Settings) -> list[str]:
    """What a start finds of the game server, a line each."""
    url = settings.game_server
    if url is None:
        return ["game server   none (no APP_PORT, no GAME_SERVER_URL), so nobody is online"]
    try:
        async with open_game_server(settings, url) as server:
            await server.reach()
        lines = [f"game server   {url}"]
    except Down as error:
        lines = [f"game server   {url} NOT REACHED ({error}), so nobody is online until it is there"]
    except NoAnswer as error:
        lines = [f"game server   {url} NOT ANSWERING AS ONE ({error.reason}): look at DOMAIN and GAME_SERVER_URL"]
    to = "passed on to the game server" if settings.passthrough else "not found (PASSTHROUGH is off)"
    return [*lines, f"other paths   {to}"]


def found_files(settings: Settings) -> list[str]:
    """What a start finds on this machine, a line each."""
    there = Path(settings.data_directory).is_dir()
    return [f"data folder   {settings.data_directory}{'' if there else ' NOT FOUND'}"]
