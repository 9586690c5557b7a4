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
        fails: str = "does not answer",
        works: str = "answers again",
        steady: float = 0,
        on_change: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`consequence` is the part of the log line that says what happens while it is down.

        `fails` and `works` are the verbs of the two log lines. It counts as up again once it has not failed for
        `steady` seconds. `on_change` is called with whether it is up: at once with True, then at each change.
        """
        self._dependency = dependency
        self._consequence = consequence
        self._fails, self._works = fails, works
        self._steady = steady
        self._on_change = on_change
        self.is_down = False
        self._last_failure = 0.0
        on_change(True)

    def down(self, reason: object) -> None:
        """Record that a request to it failed."""
        self._last_failure = time.monotonic()
        if not self.is_down:
            self.is_down = True
            self._on_change(False)
            log.warning("%s %s (%s): %s", self._dependency, self._fails, reason, self._consequence)

    def up(self) -> None:
        """Record that a request to it succeeded."""
        if self.is_down and time.monotonic() - self._last_failure >= self._steady:
            self.is_down = False
            self._on_change(True)
            log.warning("%s %s", self._dependency, self._works)
