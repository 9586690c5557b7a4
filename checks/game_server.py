"""Whether the game server answers what only it knows."""

from urllib.parse import urlsplit

import msgspec

from checks.findings import Finding, error, ok, warning
from config.settings import EVERYWHERE, Settings
from storage.game_server.client import Down, GameServerClient, NoAnswer
from storage.game_server.pages import read_online

MEANWHILE = "nobody is shown online"


class Counts(msgspec.Struct):
    """How many players there are."""

    online: int


class PlayerCount(msgspec.Struct):
    """The answer of get_player_count, as far as it is needed."""

    counts: Counts


async def run(settings: Settings, *, demo: bool) -> list[Finding]:
    """Its API, and the page that lists who is online."""
    url = settings.game_server
    if url is None:
        text = f"none is configured: {MEANWHILE}"
        if demo:
            return [ok("game-server.none", text)]
        return [warning("game-server.none", text, "set APP_HOST and APP_PORT as the game server has them")]
    if _is_this_service(settings, url):
        text = f"{url} is where this service itself listens"
        return [error("game-server.itself", text, "API_PORT must differ from the game server's APP_PORT")]
    server = GameServerClient(
        url,
        domain=settings.domain,
        timeout=settings.game_server_timeout,
        connect_timeout=settings.game_server_connect_timeout,
    )
    try:
        return [await _api(server, url), await _page(server)]
    except Down:
        text = f"{url} refuses connections: {MEANWHILE}"
        return [
            warning("game-server.down", text, "does it run? is APP_PORT right? In Docker, set GAME_SERVER_URL")
        ]
    finally:
        await server.close()


def _is_this_service(settings: Settings, url: str) -> bool:
    parts = urlsplit(url)
    own = EVERYWHERE.get(settings.api_host, settings.api_host)
    return (parts.hostname, parts.port) == (own, settings.api_port)


async def _api(server: GameServerClient, url: str) -> Finding:
    try:
        answer = await server.call("get_player_count", PlayerCount)
    except NoAnswer as reason:
        advice = "is DOMAIN the game server's own, and is its log quiet?"
        return warning("game-server.api", f"{url} does not answer as a game server does: {reason}", advice)
    online = answer.counts.online if answer else 0
    return ok("game-server.api", f"{url} answers; {online} online")


async def _page(server: GameServerClient) -> Finding:
    advice = "without it players who have left may be called online for hours; does the fork have the page?"
    try:
        page = read_online(await server.get_page("/online"))
    except NoAnswer as reason:
        return warning("game-server.online-page", f"its page /online cannot be read: {reason}", advice)
    if page is None:
        return warning("game-server.online-page", "its page /online is not the list of players", advice)
    return ok("game-server.online-page", "its page /online lists who is there")
