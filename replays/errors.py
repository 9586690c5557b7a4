"""How the replay of a score may fail to be had."""

from domain.errors import CannotOpen, Refusal, Unavailable


class NoReplay(Refusal):
    """There is no replay of this score, or none for everyone to see."""

    def __init__(self) -> None:
        super().__init__(404, "Replay not found.")


class Away(Unavailable):
    """The place where replays are kept does not answer."""

    def __init__(self, message: str = "The replay storage did not answer.") -> None:
        super().__init__(message)


class Unreadable(Away):
    """The place answers, but refuses this one replay."""


class Changed(Exception):
    """A replay is not what it was when it was opened; the text names it."""


class MissingPackage(CannotOpen):
    """The settings ask for a package that is not installed; the text says how to get it."""
