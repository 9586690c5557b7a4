"""What a start finds of what is around it."""

import asyncio
from pathlib import Path

from api.services import Services
from domain.errors import Unavailable
from domain.settings import Settings
from startup import open_services
from storage import catalogue

# Seconds a start waits for what a neighbour has to say.
PATIENCE = 15.0


async def found(settings: Settings) -> list[str]:
    """What a start finds of its neighbours, a line each."""
    async with open_services(settings) as services:
        there = await services.neighbours.look(PATIENCE)
        connections = await found_connections(services)
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
    lines += [*connections, f"rate limits   {found_limits(settings)}"]
    return [*lines, *await asyncio.to_thread(found_files, settings)]


async def found_connections(services: Services) -> list[str]:
    """A line when the workers may want more connections than the database allows."""
    try:
        allowed = await services.database.one(catalogue.connections_allowed)
    except Unavailable:
        return []
    settings = services.settings
    fault = allowed.too_few(settings.api_workers, settings.db_pool_max) if allowed else None
    return [f"connections   TOO FEW: {fault}; make DB_POOL_MAX smaller"] if fault else []


def found_limits(settings: Settings) -> str:
    """How often a client may ask, and where that is counted."""
    if not settings.rate_limit:
        return "none (RATE_LIMIT is 0)"
    often = f"{settings.rate_limit_burst} requests at once, {settings.rate_limit:g} a second after that"
    if settings.api_workers == 1:
        return often
    return often + (", counted in Redis" if settings.redis else ", in each worker (no REDIS_HOST)")


def found_files(settings: Settings) -> list[str]:
    """What a start finds on this machine, a line each."""
    there = Path(settings.data_directory).is_dir()
    return [f"data folder   {settings.data_directory}{'' if there else ' NOT FOUND'}"]
