"""One log line when something goes away, one when it is back."""

import logging
import time
from collections.abc import Callable

log = logging.getLogger("apidot")
Reach = Callable[[bool], None]


def ignore(_: bool) -> None:
    """For whom nobody listens to."""


class Availability:
    """Whether a neighbour answers; tells the log about changes only, not about each request."""

    def __init__(self, neighbour: str, meanwhile: str, *, steady: float = 0, tell: Reach = ignore) -> None:
        """`steady` is for how many seconds it must have answered every time to count as back.

        `tell` is told whether it is there, at first that it is.
        """
        self._tell = tell
        tell(True)
        self._neighbour = neighbour
        self._meanwhile = meanwhile
        self._steady = steady
        self._away = False
        self._failed = 0.0

    def down(self, reason: object) -> None:
        """The neighbour did not answer."""
        self._failed = time.monotonic()
        if not self._away:
            self._away = True
            self._tell(False)
            log.warning("%s does not answer (%s): %s", self._neighbour, reason, self._meanwhile)

    def up(self) -> None:
        """The neighbour answered."""
        if self._away and time.monotonic() - self._failed >= self._steady:
            self._away = False
            self._tell(True)
            log.warning("%s answers again", self._neighbour)
