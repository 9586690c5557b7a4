"""Whether a dependency can be reached, with a log line for each change."""

import logging
import time
from collections.abc import Callable

log = logging.getLogger("apidot")


class Availability:
    """Whether a dependency can be reached. Logs changes only, not every failed request."""

    def __init__(
        self,
        dependency: str,
        consequence: str,
        *,
        steady: float = 0,
        on_change: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`consequence` is the part of the log line that says what happens while it is down.

        It counts as up again once it has not failed for `steady` seconds. `on_change` is called with whether it is
        up: at once with True, then at each change.
        """
        self._dependency = dependency
        self._consequence = consequence
        self._steady = steady
        self._on_change = on_change
        self._is_down = False
        self._last_failure = 0.0
        on_change(True)

    def down(self, reason: object) -> None:
        """Record that a request to it failed."""
        self._last_failure = time.monotonic()
        if not self._is_down:
            self._is_down = True
            self._on_change(False)
            log.warning("%s does not answer (%s): %s", self._dependency, reason, self._consequence)

    def up(self) -> None:
        """Record that a request to it succeeded."""
        if self._is_down and time.monotonic() - self._last_failure >= self._steady:
            self._is_down = False
            self._on_change(True)
            log.warning("%s answers again", self._dependency)
