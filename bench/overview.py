"""A line for each question: what docs/performance.md shows of a run."""

from collections.abc import Iterable

from bench.results import Alone, Load, Results, Times
from bench.serving import AIOMYSQL, ASYNCMY

HEAD = (
    "question",
    "hot, requests/s",
    "cold, aiomysql",
    "cold, asyncmy",
    "one client, ms",
    "growth",
    "growth without the indexes",
)


def overview(results: Results) -> list[list[str]]:
    """The lines, with the one that says what is in them on top.

    Each rate stands beside its ratio to its floor; what was not measured is empty. Waits are of the heaviest / of
    typical ones, growth is that of answers of the same length (heaviest / typical ones, which grow longer).
    """
    world = list(results.scores)[-1]
    loads = {(each.question, each.driver, each.cache): each for each in results.load if _is_of(each, world)}
    alone = {each.question: each for each in results.alone if each.world == world and each.indexes}
    grown = {each.question: each for each in results.growth}
    lines = [list(HEAD)]
    for question in dict.fromkeys(each.question for each in results.load):
        growth = grown.get(question)
        lines.append(
            [
                question,
                _rate(loads.get((question, AIOMYSQL, True))),
                _rate(loads.get((question, AIOMYSQL, False))),
                _rate(loads.get((question, ASYNCMY, False))),
                _waits(alone.get(question)),
                _times(growth.indexed if growth else None),
                _times(growth.without if growth else None),
            ]
        )
    return lines


def _is_of(load: Load, world: str) -> bool:
    return load.world == world and load.indexes


def _rate(load: Load | None) -> str:
    return "" if load is None else f"{load.rate:,.0f} ({load.ratio:.0%})".replace(",", " ")


def _waits(alone: Alone | None) -> str:
    return "" if alone is None else _both((alone.heaviest_ms, alone.typical_ms))


def _times(times: Times | None) -> str:
    return "" if times is None else f"{times.alike:.1f} ({_both((times.heaviest, times.typical))})"


def _both(figures: Iterable[float | None]) -> str:
    return " / ".join(f"{each:.1f}" for each in figures if each is not None)
