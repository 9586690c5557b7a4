"""What a start finds around it."""

from pathlib import Path

from api.services import Services
from domain.errors import Unavailable
from storage import catalogue
from storage.engine import engine_found
from storage.ranks import RedisRanks


async def neighbours(services: Services) -> list[str]:
    """What there is of the database, the ranks, the files, the pp engine and the game server, a line each."""
    lines = []
    try:
        row = await services.database.one(catalogue.server_version)
        lines.append(f"database      {row.version if row else 'of unknown version'}")
    except Unavailable as error:
        lines.append(f"database      NOT REACHED, answering 503 until it is there ({error.__cause__})")
    if isinstance(services.ranks, RedisRanks):
        there = await services.ranks.ping()
        lines.append("ranks         " + ("Redis" if there else "Redis NOT REACHED, counting in the database"))
    else:
        lines.append("ranks         counted in the database (no REDIS_HOST)")
    return [
        *lines,
        f"data folder   {_folder(services.settings.data_directory)}",
        f"pp engine     {await engine_found(services.settings)}",
        "game server   none, so nobody is online",
    ]


def _folder(path: str) -> str:
    return path if Path(path).is_dir() else f"{path} NOT FOUND"
