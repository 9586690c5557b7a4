"""What can go wrong with the replay of a score."""

from domain.errors import APIError, CannotOpen, ErrorSpec, Unavailable

NO_REPLAY = ErrorSpec(404, "Replay not found.")
REPLAYS_AWAY = ErrorSpec(503, "The replay storage did not answer.")


class NoReplay(APIError):
    """The score has no replay, or its replay is hidden from the public."""

    def __init__(self) -> None:
        super().__init__(*NO_REPLAY)


class StoreUnavailable(Unavailable):
    """The store of the replays does not answer."""

    def __init__(self, message: str = REPLAYS_AWAY.message) -> None:
        super().__init__(message)


class Unreadable(StoreUnavailable):
    """The store refuses this one replay."""


class Changed(Exception):
    """A replay is no longer the one that was opened; the text names it."""


class MissingPackage(CannotOpen):
    """The settings ask for a package that is not installed; the text says how to install it."""
