"""Whether the game server answers, and whether it has the page that lists who is online."""

import msgspec

from api.routes import additions_to_routes
from api.server import leads_here
from checks.findings import Finding, error, ok, warning
from config.settings import Settings
from storage.game_server.client import Down, GameServerClient, NoAnswer, NotPermitted
from storage.game_server.description import Declared, declared_by
from storage.game_server.pages import read_online

# What players and clients notice meanwhile.
CONSEQUENCE = "nobody is shown online"


class Counts(msgspec.Struct):
    """How many players are online."""

    online: int


class PlayerCount(msgspec.Struct):
    """The response of the game server's get_player_count, as far as it is used here."""

    counts: Counts


async def run(server: GameServerClient | None, settings: Settings, *, demo: bool) -> list[Finding]:
    """Check the game server's API, and its page /online."""
    if server is None:
        text = f"none is configured: {CONSEQUENCE}"
        if demo:
            return [ok("game-server.none", text)]
        return [warning("game-server.none", text, "set APP_HOST and APP_PORT as the game server has them")]
    url = settings.game_server or ""
    if leads_here(url, settings.api_host, settings.api_port):
        text = f"{url} is where this service itself listens"
        return [error("game-server.itself", text, "API_PORT must differ from the game server's APP_PORT")]
    try:
        findings = [await _api(server, settings), await _online_page(server)]
        if settings.passes_on:
            findings.append(await _passed_on(server, settings))
        return findings
    except Down as reason:
        text = f"{url} cannot be reached, {reason}: {CONSEQUENCE}"
        advice = "does it run? are APP_HOST and APP_PORT right? In Docker, set GAME_SERVER_URL"
        return [warning("game-server.down", text, advice)]
    except NotPermitted as reason:
        text = f"{url} cannot be used, {reason}: nothing can be said about who is online"
        return [warning("game-server.permission", text, "let the user of apidot read and write this socket")]


async def _api(server: GameServerClient, settings: Settings) -> Finding:
    """Raise Down, NotPermitted."""
    try:
        count = await server.call("get_player_count", PlayerCount)
    except NotPermitted:
        raise
    except NoAnswer as reason:
        advice = "is DOMAIN the game server's own, and is its log quiet?"
        text = f"{settings.game_server} does not answer as a game server does: {reason}"
        return warning("game-server.api", text, advice)
    online = count.counts.online if count else 0
    return ok("game-server.api", f"{settings.game_server} answers; {online} online")


async def _online_page(server: GameServerClient) -> Finding:
    advice = "without it players who have left may be called online for hours; does the fork have the page?"
    try:
        page = read_online(await server.get_page("/online"))
    except NoAnswer as reason:
        return warning("game-server.online-page", f"its page /online cannot be read: {reason}", advice)
    if page is None:
        return warning("game-server.online-page", "its page /online is not the list of players", advice)
    return ok("game-server.online-page", "its page /online lists who is there")


async def _passed_on(server: GameServerClient, settings: Settings) -> Finding:
    """Raise Down."""
    declared: Declared = {}
    source = "its /openapi.json is not read (LEARN_FORK is off)"
    if settings.learn_fork:
        try:
            declared = await declared_by(server)
            source = "its /openapi.json is read"
        except NoAnswer as reason:
            source = f"its /openapi.json tells nothing ({reason})"
    passed_on = additions_to_routes(settings, declared) or "only paths that are not served here"
    return ok("game-server.passed-on", f"{source}; passed on: {passed_on}")
