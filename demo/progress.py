"""Reporting the progress of a build."""

from collections.abc import Callable

Stage = Callable[[str, int, int], None]  # name of the stage, steps done, steps in total
REPORT_EVERY = 1000


def silent(stage: str, done: int, total: int) -> None:
    pass


class Counter:
    """Called with the number of steps done since the last call; reports to a `Stage` now and then."""

    def __init__(self, report: Stage, stage: str, total: int) -> None:
        self._report, self._stage, self._total, self._done = report, stage, total, 0
        report(stage, 0, total)

    def __call__(self, steps: int) -> None:
        before, self._done = self._done, self._done + steps
        if before // REPORT_EVERY != self._done // REPORT_EVERY or self._done == self._total:
            self._report(self._stage, self._done, self._total)
