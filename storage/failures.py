"""Counting failures of somebody, to make who fails too often wait."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Failures:
    """How often each subject failed within a minute; of more subjects than `size` the oldest are forgotten."""

    def __init__(
        self,
        most: int,
        *,
        seconds: float = 60.0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._size = size
        self._clock = clock
        # subject -> [end of its minute, failures in it]
        self._counts: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def wait(self, subject: Hashable) -> int:
        """How many seconds the subject has to wait; 0 when it need not."""
        end, count = self._counts.get(subject, (0.0, 0))
        left = end - self._clock()
        return math.ceil(left) if count >= self._most and left > 0 else 0

    def add(self, subject: Hashable) -> int:
        """Count one more failure; how many there are now in the subject's minute."""
        now = self._clock()
        end, count = self._counts.pop(subject, (0.0, 0))
        if end <= now:
            end, count = now + self._seconds, 0
        self._counts[subject] = end, count + 1
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return count + 1
