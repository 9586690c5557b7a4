"""Faults of the game server."""

import itertools
import time

from config.settings import Settings
from faults.fault import Context, Fault
from faults.servers import polled
from tests.support.game_server import MODES

GARBLED: tuple[MODES, ...] = ("html", "nonsense", "failing")


def longest_wait(settings: Settings) -> float:
    """Return the time for two calls that time out, one after the other."""
    return 2 * settings.game_server_timeout


def game_server_is_asked(context: Context, seconds: float) -> float | None:
    """Wait until the game server is asked."""
    asked = context.servers.game_server.asked
    before = asked.total()
    return polled(lambda: asked.total() > before, seconds)


def hung(context: Context) -> None:
    context.servers.game_server.mode = "hung"
    time.sleep(context.seconds)
    context.servers.game_server.mode = "up"


def garbled(context: Context) -> None:
    deadline = time.monotonic() + context.seconds
    for mode in itertools.cycle(GARBLED):
        if time.monotonic() > deadline:
            break
        context.servers.game_server.mode = mode
        time.sleep(0.3)
    context.servers.game_server.mode = "up"


def refusing(context: Context) -> None:
    context.servers.game_server.stop()
    try:
        time.sleep(context.seconds)
    finally:
        context.servers.game_server.start()


FAULTS = (
    Fault("game-server-hung", "game server hung", hung, longest_wait, game_server_is_asked),
    Fault("game-server-garbled", "game server answers nonsense", garbled, longest_wait, game_server_is_asked),
    Fault(
        "game-server-down",
        "game server stopped: connections refused",
        refusing,
        longest_wait,
        game_server_is_asked,
        game_server_is_down=True,
    ),
)
