"""What can go wrong with the replay of a score."""

from domain.errors import APIError, ErrorSpec, Unavailable

NO_REPLAY = ErrorSpec(404, "Replay not found.")
REPLAYS_AWAY = ErrorSpec(503, "The replay storage did not answer.")


class NoReplay(APIError):
    """The score has no replay, or its replay is hidden from the public."""

    def __init__(self) -> None:
        super().__init__(*NO_REPLAY)


class NotAFile(NoReplay):
    """What has the name of the replay is no file, or a link to one that does not exist."""


class StoreUnavailable(Unavailable):
    """The store of the replays does not answer."""

    def __init__(self, message: str = REPLAYS_AWAY.message) -> None:
        super().__init__(message)


class Unreadable(StoreUnavailable):
    """The store refuses this one replay."""


class Changed(Exception):
    """A replay is no longer the one that was opened; the text names it."""


class BadReplay(ValueError):
    """These bytes are not a replay; the message says why."""


class Truncated(BadReplay):
    """These bytes begin like a replay of at least `needed` bytes, and end before that."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"Cut short: the replay has at least {needed} bytes.")
        self.needed = needed
