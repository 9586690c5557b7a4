"""How the replay of a score may fail to be had."""

from domain.errors import APIError, CannotOpen, ErrorSpec, Unavailable

NO_REPLAY = ErrorSpec(404, "Replay not found.")
REPLAYS_AWAY = ErrorSpec(503, "The replay storage did not answer.")


class NoReplay(APIError):
    """There is no replay of this score, or none for everyone to see."""

    def __init__(self) -> None:
        super().__init__(*NO_REPLAY)


class Away(Unavailable):
    """The place where replays are kept does not answer."""

    def __init__(self, message: str = REPLAYS_AWAY.message) -> None:
        super().__init__(message)


class Unreadable(Away):
    """The place answers, but refuses this one replay."""


class Changed(Exception):
    """A replay is not what it was when it was opened; the text names it."""


class MissingPackage(CannotOpen):
    """The settings ask for a package that is not installed; the text says how to get it."""
