"""Which scores have been sent: the id of the newest one, and the ids below it that may still appear.

Ids of scores become visible out of order: the game server inserts a score in a transaction, and one with a greater
id may be committed before it.
"""

import re
from heapq import nlargest
from typing import Self

import msgspec

# How many missing ids are watched, and how many of them a cursor names.
MAX_OPEN = 1_000
NAMED = 64
# For how many seconds: the transaction of an id that is still missing then was rolled back.
GIVE_UP = 10.0
# An id of 18 digits is one that fits into 64 bits.
PATTERN = rf"[0-9]{{1,18}}(?:\.[0-9]{{1,18}}){{0,{NAMED}}}"

_TEXT = re.compile(PATTERN)


class Cursor(msgspec.Struct, frozen=True):
    """The scores with an id up to `newest`, without those that are `open`."""

    newest: int
    open: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that str() has turned into `text`. Raise ValueError."""
        if not _TEXT.fullmatch(text):
            raise ValueError("not a cursor")
        newest, *missing = (int(number) for number in text.split("."))
        return cls(newest, frozenset(id for id in missing if id < newest))

    def __contains__(self, id: int) -> bool:
        return id <= self.newest and id not in self.open

    def __str__(self) -> str:
        # The greatest ones: they are missing for the shortest time.
        return ".".join(map(str, (self.newest, *nlargest(NAMED, self.open))))


class Progress:
    """The scores that have been sent so far."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        # When each missing id was first missed, the oldest first.
        self.open: dict[int, float] = {}

    def __contains__(self, id: int) -> bool:
        return id <= self.newest and id not in self.open

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.newest, frozenset(self.open))

    def add(self, id: int, now: float) -> None:
        """Note that the score with this id was sent. Ids between the newest one and it are missing so far."""
        if id <= self.newest:
            self.open.pop(id, None)
            return
        self.open |= dict.fromkeys(range(max(self.newest + 1, id - MAX_OPEN), id), now)
        self.newest = id
        for oldest in list(self.open)[: max(len(self.open) - MAX_OPEN, 0)]:
            del self.open[oldest]

    def give_up(self, missed_before: float) -> None:
        """Stop waiting for ids that have been missing since before that time."""
        self.open = {id: since for id, since in self.open.items() if since >= missed_before}
