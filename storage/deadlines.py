"""Deadlines that something else enforces, for the watchdog, which ends a process in which one is not enforced."""

from collections.abc import Hashable


class Deadlines(dict[Hashable, float]):
    """What has to end, and the time of time.monotonic() by which it has to have ended.

    Whoever starts something with a time limit of its own adds it, and removes it when it has ended. Its `str` is
    what the log names.
    """

    def exceeded(self, now: float) -> list[Hashable]:
        """Return what has not ended in time. Another thread may call this."""
        # dict.copy runs no Python code, so the dict cannot change meanwhile.
        return [subject for subject, deadline in self.copy().items() if deadline < now]
