"""One log line when something goes away, one when it is back."""

import logging

log = logging.getLogger("apidot")


class Outage:
    """Whether a neighbour answers; tells the log about changes only, not about each request."""

    def __init__(self, neighbour: str, meanwhile: str) -> None:
        self._neighbour = neighbour
        self._meanwhile = meanwhile
        self._away = False

    def begin(self, reason: object) -> None:
        """The neighbour did not answer."""
        if not self._away:
            self._away = True
            log.warning("%s does not answer (%s): %s", self._neighbour, reason, self._meanwhile)

    def end(self) -> None:
        """The neighbour answered."""
        if self._away:
            self._away = False
            log.warning("%s answers again", self._neighbour)
