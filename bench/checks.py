"""What the service promises, compared with what was measured."""

from collections.abc import Callable, Iterable, Sequence

from bench.plan import LARGE
from bench.questions import Question
from bench.results import Alone, Check, Floor, Growth, Load, Results, Times
from bench.serving import AIOMYSQL, ASYNCMY

SMALL = 4096  # bytes
HOT = 0.5  # of the bare application with the same bytes
ROW = {AIOMYSQL: 0.75, ASYNCMY: 1.3}  # of the bare handler on aiomysql
PROFILE = 0.3
LIST_RATE = 300 / 4000  # requests a second, for each of the floor
LIST_ALONE = 15.0  # ms
GROWTH = 1.5
TAIL = 5.0
POLLING_P99 = 50.0  # ms
WORKER = 150.0  # MiB


def checks(results: Results, asked: Sequence[Question]) -> list[Check]:
    """A line for each promise, in the order in which they are made."""
    by_name = {question.name: question for question in asked}
    return [
        *_hot(results, by_name),
        *_rows(results, by_name),
        *_lists(results, by_name),
        *_growth(results.growth),
        *_polling(results),
        *_tail(results, by_name),
        _errors(results),
    ]


def growth(alone: Iterable[Alone], smaller: str, larger: str) -> list[Growth]:
    """How many times as long a single client waits in the larger world."""
    found = {(each.question, each.world, each.indexes): each for each in alone}

    def times(question: str, indexes: bool) -> Times:
        before, after = found[question, smaller, indexes], found[question, larger, indexes]
        heaviest = None
        if before.heaviest_ms and after.heaviest_ms:
            heaviest = after.heaviest_ms / before.heaviest_ms
        return Times(
            alike=after.alike_ms / before.alike_ms,
            heaviest=heaviest,
            typical=after.typical_ms / before.typical_ms,
        )

    questions = dict.fromkeys(question for question, world, _ in found if world == larger)
    return [Growth(question=each, indexed=times(each, True), without=times(each, False)) for each in questions]


def _hot(results: Results, asked: dict[str, Question]) -> list[Check]:
    small = [each for each in results.load if each.cache and asked[each.question].json and each.body <= SMALL]
    return [_least("1. hot, answers up to 4 kB, of the bare application", small, HOT)]


def _rows(results: Results, asked: dict[str, Question]) -> list[Check]:
    cold = [each for each in _cold(results) if not each.question.startswith("v2 ")]
    found = [
        _least(
            f"2. cold, one row, {driver}, of the bare handler on aiomysql",
            [each for each in cold if each.driver == driver and asked[each.question].rows == "one"],
            least,
        )
        for driver, least in ROW.items()
    ]
    profiles = [each for each in cold if each.driver == AIOMYSQL and asked[each.question].rows == "profile"]
    return [*found, _least("2. cold, get_player_info scope=all, of the same", profiles, PROFILE)]


def _lists(results: Results, asked: dict[str, Question]) -> list[Check]:
    lists = [each for each in _cold(results) if each.driver == AIOMYSQL and asked[each.question].rows == "list"]
    floor = _rate(results.floors, AIOMYSQL)
    rates = [(each.rate, each.question) for each in lists]
    least = floor * LIST_RATE
    name = f"3. cold lists, at least {least:.0f} requests/s (300 where the floor is 4000)"
    waits = [
        (max(each.heaviest_ms or 0, each.typical_ms), each.question)
        for each in results.alone
        if each.indexes and each.world == _largest(results) and asked[each.question].rows == "list"
    ]
    return [
        _judged(name, min(rates, default=None), lambda rate: rate >= least, "{:.0f}/s"),
        _judged(
            "3. cold lists, a single client, heaviest included, below 15 ms",
            max(waits, default=None),
            lambda ms: ms < LIST_ALONE,
            "{:.1f} ms",
        ),
    ]


def _growth(grown: list[Growth]) -> list[Check]:
    """Of answers of the same length; those of the others have up to thirty times as many rows, for information."""
    name = "4. from the smaller world to the larger, with the indexes, median"
    alike = max(((each.indexed.alike, each.question) for each in grown), default=None)
    others = {
        "each world's typical ids": max(((each.indexed.typical, each.question) for each in grown), default=None),
        "its heaviest id": max(((each.indexed.heaviest or 0, each.question) for each in grown), default=None),
    }
    return [
        _judged(f"{name}, same length: at most 1.5 times", alike, lambda times: times <= GROWTH, "{:.2f} times"),
        *(
            Check(
                name=f"{name} for {whom}, whatever the length",
                passed=None,
                figure="this run does not measure it" if worst is None else f"{worst[0]:.2f} times ({worst[1]})",
            )
            for whom, worst in others.items()
        ),
    ]


def _tail(results: Results, asked: dict[str, Question]) -> list[Check]:
    """Where the answers are alike: among others those to heavy ids take longer than five of the usual ones."""
    alike = [each for each in results.load if each.cache or asked[each.question].rows == "one"]
    worst = max(((each.p99_ms / each.p50_ms, each.question) for each in alike), default=None)
    name = "the slowest hundredth, hot, and cold for one row, of the median: at most 5 times"
    return [_judged(name, worst, lambda times: times <= TAIL, "{:.1f} times")]


def _polling(results: Results) -> list[Check]:
    seen = results.polling
    if seen is None:
        return []
    most = seen.questions * seen.seconds
    page = f"5. {seen.clients} clients on a page for {seen.seconds:.0f} s"
    return [
        Check(
            name=f"{page}: at most {most:.0f} statements",
            passed=seen.statements <= most and not seen.errors,
            figure=f"{seen.statements}, for {seen.requests} requests with {seen.errors} errors",
        ),
        Check(name=f"{page}: p99 below 50 ms", passed=seen.p99_ms < POLLING_P99, figure=f"{seen.p99_ms:.1f} ms"),
        Check(
            name=f"{page}: the worker below 150 MiB", passed=seen.memory < WORKER, figure=f"{seen.memory:.0f} MiB"
        ),
    ]


def _errors(results: Results) -> Check:
    failed = {each.question: each.errors for each in results.load if each.errors}
    return Check(name="no errors under load", passed=not failed, figure=str(failed or 0))


def _cold(results: Results) -> list[Load]:
    """In the world with the most scores, with the indexes."""
    world = _largest(results)
    return [each for each in results.load if each.world == world and each.indexes and not each.cache]


def _largest(results: Results) -> str:
    return LARGE if LARGE in results.scores else max(results.scores, key=results.scores.__getitem__)


def _rate(floors: list[Floor], name: str) -> float:
    return next(floor.rate for floor in floors if floor.name == name)


def _least(name: str, loads: list[Load], least: float) -> Check:
    worst = min(((each.ratio, each.question) for each in loads), default=None)
    return _judged(f"{name}: at least {least:.0%}", worst, lambda ratio: ratio >= least, "{:.0%}")


def _judged(name: str, worst: tuple[float, str] | None, good: Callable[[float], bool], form: str) -> Check:
    if worst is None:
        return Check(name=name, passed=None, figure="this run does not measure it")
    return Check(name=name, passed=good(worst[0]), figure=f"{form.format(worst[0])} ({worst[1]})")
