"""Ids of scores: as the names of replays, and many of them at once."""

import re
from collections.abc import Iterable, Iterator

INT64 = 2**63 - 1
_NAME = re.compile(r"(0|[1-9][0-9]{0,18})\.osr", re.ASCII)
_BITS = 1024


def file_name(score_id: int) -> str:
    """What the replay of a score is called where it is kept."""
    return f"{score_id}.osr"


def score_id(name: str) -> int | None:
    """The score whose replay is called `name`; None for the name of anything else."""
    match = _NAME.fullmatch(name)
    number = int(match[1]) if match else -1
    return number if 0 <= number <= INT64 else None


class ScoreIDs:
    """A set of ids that takes little memory where they are dense: a bit each, in blocks."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def update(self, ids: Iterable[int]) -> None:
        """Adds all of `ids`."""
        for each in ids:
            block, bit = divmod(each, _BITS)
            self._blocks[block] = self._blocks.get(block, 0) | 1 << bit

    def __contains__(self, each: int) -> bool:
        block, bit = divmod(each, _BITS)
        return bool(self._blocks.get(block, 0) >> bit & 1)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self._blocks.values())

    def __iter__(self) -> Iterator[int]:
        """All of them, the lowest first."""
        for block in sorted(self._blocks):
            bits, start = self._blocks[block], block * _BITS
            yield from (start + bit for bit in range(bits.bit_length()) if bits >> bit & 1)
