"""What a start opens, and what it finds of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from api.neighbours import Neighbours
from api.services import Services
from domain.live import Live, Nobody
from domain.settings import Settings
from replays.places import open_place
from storage.avatars import Avatars
from storage.beatmap_files import BeatmapFiles
from storage.engine import Engine
from storage.gameserver import GameServer
from storage.keys import Keys
from storage.live import GameServerLive
from storage.pages import Pages
from storage.query import Database
from storage.questions import Questions
from storage.ranks import DatabaseRanks, Ranks, RedisRanks
from storage.upstream import Upstream

# Seconds a start waits for what a neighbour has to say.
PATIENCE = 15.0


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Everything the handlers work with, closed again at the end."""
    async with AsyncExitStack() as closing:
        database = Database(
            settings.database or "",
            pool_max=settings.db_pool_max,
            wait=settings.db_pool_wait,
            statement_timeout=settings.db_statement_timeout,
        )
        await database.connect()
        closing.push_async_callback(database.disconnect)
        ranks: Ranks = DatabaseRanks(database)
        if settings.redis:
            ranks = redis = RedisRanks(settings.redis, timeout=settings.redis_timeout, fallback=ranks)
            closing.push_async_callback(redis.close)
        live: Live = Nobody()
        if settings.game_server:
            live = await open_live(settings, settings.game_server, database, closing)
        upstream = open_upstream(settings, closing)
        pages = Pages(database)
        closing.push_async_callback(pages.close)
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
            pages=pages,
            upstream=upstream,
            replays=replays,
            keys=Keys(database, failures=settings.key_failures),
            beatmap_files=BeatmapFiles(settings),
            engine=engine,
            avatars=Avatars(settings.data_directory),
            neighbours=neighbours,
        )


def open_upstream(settings: Settings, closing: AsyncExitStack) -> Upstream | None:
    """Where requests are passed on to, None when they are not."""
    if not (settings.game_server and settings.passthrough):
        return None
    upstream = Upstream(
        settings.game_server,
        host=f"api.{settings.domain}" if settings.domain else None,
        connect_timeout=settings.game_server_connect_timeout,
    )
    closing.push_async_callback(upstream.close)
    return upstream


async def open_live(settings: Settings, url: str, database: Database, closing: AsyncExitStack) -> Live:
    """Live state from the game server at `url`."""
    questions = Questions(await closing.enter_async_context(open_game_server(settings, url)))
    closing.push_async_callback(questions.close)
    return GameServerLive(
        questions,
        database,
        visible=settings.visible,
        counted=settings.visible_on_boards,
        patience=settings.game_server_timeout,
    )


@asynccontextmanager
async def open_game_server(settings: Settings, url: str) -> AsyncIterator[GameServer]:
    """The game server at `url`, to be asked."""
    server = GameServer(
        url,
        domain=settings.domain,
        timeout=settings.game_server_timeout,
        connect_timeout=settings.game_server_connect_timeout,
    )
    try:
        yield server
    finally:
        await server.close()


async def found(settings: Settings) -> list[str]:
    """What a start finds of its neighbours, a line each."""
    async with open_services(settings) as services:
        there = await services.neighbours.look(PATIENCE)
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
    return [*lines, *await asyncio.to_thread(found_files, settings)]


def found_files(settings: Settings) -> list[str]:
    """What a start finds on this machine, a line each."""
    there = Path(settings.data_directory).is_dir()
    return [f"data folder   {settings.data_directory}{'' if there else ' NOT FOUND'}"]
