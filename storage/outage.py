"""One log line when something goes away, one when it is back."""

import logging
import time

log = logging.getLogger("apidot")


class Outage:
    """Whether a neighbour answers; tells the log about changes only, not about each request."""

    def __init__(self, neighbour: str, meanwhile: str, *, steady: float = 0) -> None:
        """`steady` is for how many seconds it must have answered every time to count as back."""
        self._neighbour = neighbour
        self._meanwhile = meanwhile
        self._steady = steady
        self._away = False
        self._failed = 0.0

    def begin(self, reason: object) -> None:
        """The neighbour did not answer."""
        self._failed = time.monotonic()
        if not self._away:
            self._away = True
            log.warning("%s does not answer (%s): %s", self._neighbour, reason, self._meanwhile)

    def end(self) -> None:
        """The neighbour answered."""
        if self._away and time.monotonic() - self._failed >= self._steady:
            self._away = False
            log.warning("%s answers again", self._neighbour)
