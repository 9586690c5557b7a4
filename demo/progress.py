"""Reporting the progress of a build."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
Stage = Callable[[str, int, int], None]  # name of the stage, steps done, steps in total
REPORT_EVERY = 1000


def silent(stage: str, done: int, total: int) -> None:
    pass


def reporting(items: Iterable[T], report: Stage, stage: str, total: int) -> Iterator[T]:
    """Yield the items, and report now and then how many of the `total` are done."""
    report(stage, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        if done % REPORT_EVERY == 0 or done == total:
            report(stage, done, total)
