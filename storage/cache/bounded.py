"""A map that never outgrows its bound: the oldest entries make room for new ones."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedMap(Generic[K, V]):
    """A map of at most `size` entries, or of entries that weigh at most `size` together.

    Putting an entry makes it the newest. Reading one does not, so an entry that is put again and again stays, and
    one that is never put again goes first.
    """

    def __init__(self, size: int, *, weigh: Callable[[V], int] = lambda _: 1) -> None:
        """`weigh` must always return the same weight for one value."""
        self._size = size
        self._weigh = weigh
        # An OrderedDict, because the first key of a plain dict takes longer to find after each deletion before it.
        self._entries: OrderedDict[K, V] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of `key`, or None."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Store `value` as the newest entry, and drop the oldest ones beyond the bound.

        A value that weighs more than the whole map may is not stored.
        """
        self.pop(key)
        weight = self._weigh(value)
        if weight > self._size:
            return
        self._entries[key] = value
        self.weight += weight
        while self.weight > self._size:
            _, dropped = self._entries.popitem(last=False)
            self.weight -= self._weigh(dropped)

    def pop(self, key: K) -> V | None:
        """Remove `key`. Return its value, or None if there was none."""
        if key not in self._entries:
            return None
        value = self._entries.pop(key)
        self.weight -= self._weigh(value)
        return value
