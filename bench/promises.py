"""The promises of the service, which are performance targets, compared with the results."""

from collections.abc import Callable, Iterable, Sequence

from bench.cases import Case
from bench.peer import TIMES
from bench.results import Growth, Load, Promise, Ratios, Results, SingleClient
from bench.serving import AIOMYSQL, ASYNCMY

SMALL = 4096  # bytes
# Rates, relative to their floor.
HOT = 0.75
ROW = {AIOMYSQL: 0.75, ASYNCMY: 1.1}
PROFILE = 0.3
LIST = 300 / 4000
# Other limits.
LIST_MS = 15.0
GROWTH = 1.5
TAIL = 5.0
HOT_TAIL = 2.0
TWIN = 0.8
POLLING_P99_MS = 50.0
# Responses that are asked for often are renewed after two thirds of their time.
RENEWALS = 1.5
WORKER_MIB = 150.0


def promises(results: Results, cases: Sequence[Case]) -> list[Promise]:
    """Return every promise, and whether it was met."""
    by_name = {case.name: case for case in cases}
    return [
        *_hot(results, by_name),
        *_rows(results, by_name),
        *_lists(results, by_name),
        _longest(results, by_name),
        *_growth(results.growth, by_name),
        *_twins(results, by_name),
        *_beside_peer(results),
        *_polling(results),
        *_tail(results, by_name),
        _errors(results),
    ]


def growth(results: Iterable[SingleClient], smaller: str, larger: str) -> list[Growth]:
    """Compare the response times in the larger world with those in the smaller one."""
    by_key = {(result.case, result.world, result.indexes): result for result in results}

    def ratios(case: str, indexes: bool) -> Ratios:
        before, after = by_key[case, smaller, indexes], by_key[case, larger, indexes]
        heaviest = None
        if before.heaviest_ms and after.heaviest_ms:
            heaviest = after.heaviest_ms / before.heaviest_ms
        return Ratios(
            same_length=after.same_length_ms / before.same_length_ms,
            heaviest=heaviest,
            typical=after.typical_ms / before.typical_ms,
        )

    names = dict.fromkeys(case for case, world, _ in by_key if world == larger)
    return [Growth(case=name, indexed=ratios(name, True), without=ratios(name, False)) for name in names]


def _hot(results: Results, cases: dict[str, Case]) -> list[Promise]:
    small = [load for load in results.load if load.cache and cases[load.case].json and load.body <= SMALL]
    tails = [(load.p99_ms / load.floor_p99_ms, load.case) for load in _cached(results, cases)]
    name = "1. hot, p99 relative to the bare application's: at most twice"
    return [
        _at_least("1. hot, responses up to 4 kB, relative to the bare application", small, HOT),
        _promise(name, max(tails, default=None), lambda ratio: ratio <= HOT_TAIL, "{:.1f} times"),
    ]


def _rows(results: Results, cases: dict[str, Case]) -> list[Promise]:
    cold = [load for load in _cold(results) if not load.case.startswith("v2 ")]
    rows = [
        _at_least(
            f"2. cold, one row, {driver}, relative to the bare handler on aiomysql",
            [load for load in cold if load.driver == driver and cases[load.case].rows == "one"],
            minimum,
        )
        for driver, minimum in ROW.items()
    ]
    profiles = [load for load in cold if load.driver == AIOMYSQL and cases[load.case].rows == "profile"]
    return [*rows, _at_least("2. cold, get_player_info scope=all, relative to the same", profiles, PROFILE)]


def _lists(results: Results, cases: dict[str, Case]) -> list[Promise]:
    lists = [load for load in _cold(results) if load.driver == AIOMYSQL and cases[load.case].rows == "list"]
    minimum = LIST * next(floor.rate for floor in results.floors if floor.name == AIOMYSQL)
    slowest = min(((load.rate, load.case) for load in lists), default=None)
    times = [
        (max(result.heaviest_ms or 0, result.typical_ms), result.case)
        for result in results.single_client
        if result.indexes and result.world == results.largest and cases[result.case].rows == "list"
    ]
    return [
        _promise(
            f"3. cold lists, at least {minimum:.0f} requests/s (300 where the floor is 4000)",
            slowest,
            lambda rate: rate >= minimum,
            "{:.0f}/s",
        ),
        _promise(
            "3. cold lists, a single client, heaviest id included, below 15 ms",
            max(times, default=None),
            lambda ms: ms < LIST_MS,
            "{:.1f} ms",
        ),
    ]


def _longest(results: Results, cases: dict[str, Case]) -> Promise:
    """Compare what a single client waits for with the most that it may be."""
    waits = [
        (max(result.heaviest_ms or 0, result.typical_ms) / most, result.case)
        for result in results.single_client
        if result.indexes and result.world == results.largest and (most := cases[result.case].most_ms)
    ]
    name = "6. cold, a single client, heaviest id included, of what is allowed for the case (most_ms)"
    return _promise(name, max(waits, default=None), lambda share: share <= 1, "{:.0%}")


def _growth(growths: list[Growth], cases: dict[str, Case]) -> list[Promise]:
    """Promise the growth for responses of the same length. Others get up to thirty times as many rows.

    For cases that are measured alone, many more rows are read than are in the response.
    """
    name = "4. from the smaller world to the larger, with the indexes, median"
    lengths = [growth for growth in growths if not cases[growth.case].alone]
    same_length = max(((growth.indexed.same_length, growth.case) for growth in lengths), default=None)
    typical = max(((growth.indexed.typical, growth.case) for growth in growths), default=None)
    heaviest = max(((growth.indexed.heaviest or 0, growth.case) for growth in growths), default=None)
    return [
        _promise(
            f"{name}, same length: at most 1.5 times", same_length, lambda ratio: ratio <= GROWTH, "{:.2f} times"
        ),
        _promise(f"{name} for each world's typical ids, any length", typical, None, "{:.2f} times"),
        _promise(f"{name} for each world's heaviest id, any length", heaviest, None, "{:.2f} times"),
    ]


def _tail(results: Results, cases: dict[str, Case]) -> list[Promise]:
    """Compare p99 with the median where all responses are of similar length."""
    similar = _cached(results, cases)
    similar += [load for load in results.load if not load.cache and cases[load.case].rows == "one"]
    worst = max(((load.p99_ms / load.p50_ms, load.case) for load in similar), default=None)
    name = "p99, hot, and cold for one row, relative to the median: at most 5 times"
    return [_promise(name, worst, lambda ratio: ratio <= TAIL, "{:.1f} times")]


def _twins(results: Results, cases: dict[str, Case]) -> list[Promise]:
    """Compare the rates of the osu! API v1 with those of the cases that read the same."""
    promised = []
    for state, loads in {"hot": [load for load in results.load if load.cache], "cold": _cold(results)}.items():
        rates = {load.case: load.rate for load in loads if load.driver == AIOMYSQL}
        ratios = [
            (rate / rates[cases[case].twin], case) for case, rate in rates.items() if cases[case].twin in rates
        ]
        name = f"6. osu! API v1, {state}, relative to versions 1 and 2: at least {TWIN:.0%}"
        promised.append(_promise(name, min(ratios, default=None), lambda ratio: ratio >= TWIN, "{:.0%}"))
    return promised


def _beside_peer(results: Results) -> list[Promise]:
    """Compare each case's ratio to bancho.py with the one that is promised, with the indexes.

    Without them, the database is the bottleneck of both.
    """
    promised = []
    for indexes in (False, True):
        ratios = [
            (result.ratio / TIMES[result.case], f"{result.case}, {result.ratio:.1f} times")
            for result in results.beside_peer
            if result.indexes == indexes
        ]
        state = "with the indexes: all of it" if indexes else "stock schema"
        name = f"7. cold, of the times bancho.py's rate that are promised for the case, {state}"
        met = (lambda share: share >= 1) if indexes else None
        promised.append(_promise(name, min(ratios, default=None), met, "{:.0%}"))
    return promised


def _polling(results: Results) -> list[Promise]:
    polling = results.polling
    if polling is None:
        return []
    maximum = polling.paths * polling.seconds * RENEWALS
    name = f"5. {polling.clients} clients on a page for {polling.seconds:.0f} s"
    return [
        Promise(
            name=f"{name}: at most {maximum:.0f} statements",
            passed=polling.statements <= maximum and not polling.errors,
            figure=f"{polling.statements}, for {polling.requests} requests with {polling.errors} errors",
        ),
        Promise(
            name=f"{name}: p99 below 50 ms",
            passed=polling.p99_ms < POLLING_P99_MS,
            figure=f"{polling.p99_ms:.1f} ms",
        ),
        Promise(
            name=f"{name}: the worker below 150 MiB",
            passed=polling.memory < WORKER_MIB,
            figure=f"{polling.memory:.0f} MiB",
        ),
    ]


def _errors(results: Results) -> Promise:
    failed = {load.case: load.errors for load in results.load if load.errors}
    return Promise(name="no errors under load", passed=not failed, figure=str(failed or 0))


def _cold(results: Results) -> list[Load]:
    world = results.largest
    return [load for load in results.load if load.world == world and load.indexes and not load.cache]


def _cached(results: Results, cases: dict[str, Case]) -> list[Load]:
    """Return the loads whose responses all come from the cache.

    Of cases that are measured alone, the warm-up is too short to cache the responses for all ids.
    """
    return [load for load in results.load if load.cache and not cases[load.case].alone]


def _at_least(name: str, loads: list[Load], minimum: float) -> Promise:
    worst = min(((load.ratio, load.case) for load in loads), default=None)
    return _promise(f"{name}: at least {minimum:.0%}", worst, lambda ratio: ratio >= minimum, "{:.0%}")


def _promise(
    name: str, worst: tuple[float, str] | None, met: Callable[[float], bool] | None, number_format: str
) -> Promise:
    """Return the promise for the worst figure and its case. Without `met`, it is for information."""
    if worst is None:
        return Promise(name=name, passed=None, figure="not measured in this run")
    figure = f"{number_format.format(worst[0])} ({worst[1]})"
    return Promise(name=name, passed=met(worst[0]) if met else None, figure=figure)
