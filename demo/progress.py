"""How far along a long piece of work is."""

from collections.abc import Callable

Stage = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
TELL_EVERY = 1000


def silent(stage: str, done: int, total: int) -> None:
    pass


class Counter:
    """Called with how many more are done; tells a `Stage` at the start, now and then, and at the end."""

    def __init__(self, tell: Stage, stage: str, total: int) -> None:
        self._tell, self._stage, self._total, self._done = tell, stage, total, 0
        tell(stage, 0, total)

    def __call__(self, more: int) -> None:
        before, self._done = self._done, self._done + more
        if before // TELL_EVERY != self._done // TELL_EVERY or self._done == self._total:
            self._tell(self._stage, self._done, self._total)
