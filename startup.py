"""What a start opens."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextlib import closing as closed_after
from pathlib import Path

from api.neighbours import Neighbours
from api.services import Services
from domain.live import Live, Nobody
from domain.settings import Settings
from replays.places import open_place
from storage import catalogue
from storage.avatars import Avatars
from storage.beatmap_files import BeatmapFiles
from storage.beatmaps import B, Beatmaps
from storage.boards import Boards
from storage.edits import Edits
from storage.engine import Engine
from storage.gameserver import GameServer
from storage.keys import Keys
from storage.limits import Limits, MemoryLimits, RedisLimits
from storage.live import GameServerLive
from storage.observer import Observer
from storage.pages import Pages
from storage.query import Database, Query
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
        database = await open_database(settings, closing, observer)
        ranks = open_ranks(settings, database, closing, observer)
        live: Live = Nobody()
        if settings.game_server:
            asked = await closing.enter_async_context(open_game_server(settings, settings.game_server, observer))
            live = open_live(settings, asked, database, closing)
        upstream = open_upstream(settings, closing)
        pages = Pages(database)
        closing.push_async_callback(pages.close)
        edits = closing.enter_context(closed_after(Edits(Path(shared, EDITS) if shared else None)))
        engine = Engine(settings)
        closing.push_async_callback(engine.close)
        replays = open_place(settings)
        neighbours = Neighbours(settings, database=database, ranks=ranks, live=live, replays=replays)
        closing.push_async_callback(neighbours.close)
        yield Services(
            settings=settings,
            database=database,
            ranks=ranks,
            live=live,
            beatmaps=open_beatmaps(database, catalogue.beatmaps_by_md5, closing),
            v2_beatmaps=open_beatmaps(database, catalogue.v2_beatmaps_by_md5, closing),
            pages=pages,
            boards=open_boards(settings, database, closing),
            upstream=upstream,
            replays=replays,
            keys=Keys(database, failures=settings.key_failures),
            limits=open_limits(settings, closing),
            beatmap_files=BeatmapFiles(settings),
            engine=engine,
            avatars=Avatars(settings.data_directory),
            edits=edits,
            neighbours=neighbours,
        )


def open_beatmaps(database: Database, query: Query[B], closing: AsyncExitStack) -> Beatmaps[B]:
    """The beatmaps that `query` finds, as lists show them."""
    beatmaps = Beatmaps(database, query)
    closing.push_async_callback(beatmaps.close)
    return beatmaps


def open_boards(settings: Settings, database: Database, closing: AsyncExitStack) -> Boards:
    """The order of leaderboards."""
    boards = Boards(database, visible=settings.visible_on_boards)
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


def open_upstream(settings: Settings, closing: AsyncExitStack) -> Upstream | None:
    """Where requests are passed on to, if they are."""
    if not (settings.game_server and settings.passthrough):
        return None
    upstream = Upstream(
        settings.game_server,
        host=f"api.{settings.domain}" if settings.domain else None,
        connect_timeout=settings.game_server_connect_timeout,
    )
    closing.push_async_callback(upstream.close)
    return upstream


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
