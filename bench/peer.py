"""bancho.py, the game server whose API this service takes over, measured on the same world."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench import machine
from bench.load import Client
from bench.machine import Cores
from bench.worlds import World
from tests.support.game_server import DOMAIN
from tests.support.processes import free_port, serve

APPLICATION = "app.api.init_api:asgi_app"
SCHEMA = "migrations/base.sql"
TABLE = re.compile(r"^create table (?:if not exists )?`?(\w+)`?.*?;\s*$", re.IGNORECASE | re.DOTALL | re.MULTILINE)
PYTHONS = (".venv/bin/python", "venv/bin/python")
# The cases that it has too, and how many times its rate is promised, without the response cache.
TIMES = {
    "get_player_info all": 9.0,
    "get_player_status": 3.0,
    "get_player_scores best": 3.0,
    "get_player_scores recent": 3.0,
    "get_player_most_played": 3.0,
    "search_players": 20.0,
    "get_player_count": 3.0,
    "get_map_info": 3.0,
    "get_map_scores best": 7.0,  # the database is its bottleneck, since it shares a core with the load generator
    "get_score_info": 3.0,
    "get_leaderboard pp": 3.0,
    "get_replay": 6.0,
}
# What it writes to, or what is written for it.
NOT_LINKED = {".data", ".env", ".git", "logging.yaml"}
# Its settings, beside those of the world. Without internet access it starts too.
SETTINGS = {
    "APP_HOST": "127.0.0.1",
    "DOMAIN": DOMAIN,
    "DB_USE_SSL": "false",
    "REDIS_USER": "",
    "REDIS_PASS": "",
    "OSU_API_KEY": "",
    "COMMAND_PREFIX": "!",
    "SEASONAL_BGS": "",
    "MIRROR_SEARCH_ENDPOINT": "",
    "MIRROR_DOWNLOAD_ENDPOINT": "",
    "MENU_ICON_URL": "",
    "MENU_ONCLICK_URL": "",
    "DATADOG_API_KEY": "",
    "DATADOG_APP_KEY": "",
    "DEBUG": "false",
    "REDIRECT_OSU_URLS": "true",
    "PP_CACHED_ACCS": "100",
    "DISALLOWED_NAMES": "",
    "DISALLOWED_PASSWORDS": "",
    "DISALLOW_OLD_CLIENTS": "false",
    "DISALLOW_INGAME_REGISTRATION": "false",
    "DISCORD_AUDIT_LOG_WEBHOOK": "",
    "DISCORD_INVITE": "",
    "AUTOMATICALLY_REPORT_PROBLEMS": "false",
    "LOG_WITH_COLORS": "false",
    "DEVELOPER_MODE": "false",
}


class UnfitPeer(Exception):
    """The folder does not contain bancho.py with an environment in which it starts."""


def python_of(checkout: Path) -> Path:
    """Return the Python of the environment of a checkout. Raise UnfitPeer."""
    module = checkout / "app/api/init_api.py"
    if not module.is_file():
        raise UnfitPeer(f"{checkout} is no checkout of bancho.py: there is no {module.relative_to(checkout)}")
    found = next((path for name in PYTHONS if (path := checkout / name).is_file()), None)
    if found is None:
        raise UnfitPeer(
            f"{checkout} has no environment ({' or '.join(PYTHONS)}): make one there, with the dependencies of its"
            " pyproject.toml"
        )
    return found.absolute()


@contextmanager
def peer(checkout: Path, world: World, cores: Cores, connections: int) -> Iterator[Client]:
    """Run bancho.py on a world, on the server's core. Raise UnfitPeer, and NotReady if it does not start.

    The tables that only it uses are created in the database of the world, and it writes its version there. The
    checkout is not written to.
    """
    checkout, python, port = checkout.absolute(), python_of(checkout), free_port()
    with tempfile.TemporaryDirectory(prefix="apidot-") as folder:
        _prepare(Path(folder), checkout, world)
        _create_tables(checkout, world)
        command = [*machine.taskset(cores.server), str(python), "-m", "uvicorn", APPLICATION]
        # As in its main.py, but without a log line for each request.
        command += ["--port", str(port), "--log-level", "warning", "--no-server-header", "--no-date-header"]
        environment = {**SETTINGS, **_servers(world), "APP_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"}
        # It would ask for beatmaps on the internet. Through a proxy that does not exist, that fails at once.
        proxy = f"http://127.0.0.1:{free_port()}"
        environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy)
        with serve(command, port, environment, folder=Path(folder)):
            yield Client(port, cores.others, connections, host=f"api.{DOMAIN}")


def _prepare(folder: Path, checkout: Path, world: World) -> None:
    """Fill the folder that it runs in: links to the checkout, and a data folder with the replays of the world."""
    for path in checkout.iterdir():
        if path.name not in NOT_LINKED:
            (folder / path.name).symlink_to(path)
    (folder / "logging.yaml").write_text("version: 1\n", encoding="utf-8")
    data = folder / ".data"
    # It would download what is missing.
    (data / "assets/medals/client").mkdir(parents=True)
    (data / "avatars").mkdir()
    (data / "avatars/default.jpg").touch()
    (data / "osr").symlink_to((world.data / "osr").absolute())


def _create_tables(checkout: Path, world: World) -> None:
    existing = {str(name) for (name,) in world.rows("SHOW TABLES")}
    schema = (checkout / SCHEMA).read_text(encoding="utf-8")
    world.execute(*(table[0] for table in TABLE.finditer(schema) if table[1] not in existing))


def _servers(world: World) -> dict[str, str]:
    """Return the settings with which it uses the database and the Redis of a world."""
    database, redis = urlsplit(world.database), urlsplit(world.redis)
    return {
        "DB_HOST": database.hostname or "",
        "DB_PORT": str(database.port),
        "DB_USER": unquote(database.username or ""),
        "DB_PASS": unquote(database.password or ""),
        "DB_NAME": database.path.strip("/"),
        "REDIS_HOST": redis.hostname or "",
        "REDIS_PORT": str(redis.port),
        "REDIS_DB": redis.path.strip("/"),
    }
