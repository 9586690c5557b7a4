"""A set of score ids that takes little memory."""

from collections.abc import Iterable, Iterator

_BITS = 1024


class ScoreIDs:
    """A set of ids, as bits in blocks: ids of scores are dense, and a `set` takes some 60 bytes for each."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def update(self, ids: Iterable[int]) -> None:
        """Add `ids`."""
        for id in ids:
            block, bit = divmod(id, _BITS)
            self._blocks[block] = self._blocks.get(block, 0) | 1 << bit

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self._blocks.values())

    def __iter__(self) -> Iterator[int]:
        """Iterate over the ids, lowest first."""
        for block in sorted(self._blocks):
            bits, start = self._blocks[block], block * _BITS
            yield from (start + bit for bit in range(bits.bit_length()) if bits >> bit & 1)
