"""The report of a run: as lines for the terminal, and as Markdown."""

from collections.abc import Iterable, Sequence

from bench.results import BesidePeer, Floor, Load, Polling, Promise, Ratios, Results, SingleClient
from bench.serving import AIOMYSQL, ASYNCMY

VERDICTS = {True: "PASS", False: "FAIL", None: "----"}


def summary(results: Results) -> str:
    """Return the floors and the promises, a line for each."""
    lines = ["", "floors, in requests/s: median, lowest and highest"]
    lines += [
        f"  {floor.name:18}{floor.rate:>8.0f}  {floor.lowest:.0f} to {floor.highest:.0f} in {floor.times}"
        for floor in results.floors
    ]
    lines.append("")
    lines += [f"{VERDICTS[promise.passed]}  {promise.name}: {promise.figure}" for promise in results.promises]
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """Return all results as Markdown, without a heading."""
    scores = ", ".join(f"{name} {count:,} scores" for name, count in results.scores.items())
    built = ", ".join(f"{name} in {seconds:.0f} s" for name, seconds in results.building.items() if seconds)
    parts = [
        f"Measured {results.began[:10]} in {results.minutes} minutes: {results.machine}; {results.database}.\n"
        f"Worlds: {scores}" + (f"; built: {built}." if built else "."),
        *_promises(results.promises),
        *_overview(results),
        *_floors(results.floors),
        *_loads(results),
        *_beside_peer(results),
        *_single_client(results),
        *_polling(results.polling),
        *_indexes(results),
        *_query_plans(results),
        "Not measured: " + "; ".join(f"`{route}`: {why}" for route, why in results.not_measured.items()) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _promises(promises: Sequence[Promise]) -> Iterable[str]:
    rows = [[VERDICTS[promise.passed], promise.name, promise.figure] for promise in promises]
    yield _table(["", "promise", "result"], rows)


def _overview(results: Results) -> Iterable[str]:
    """Yield the table that docs/performance.md shows: a row for each case. What was not measured is empty."""
    yield (
        "**Overview** of the largest world, with the indexes of `sql/indexes.sql` unless stated otherwise. Rates"
        " with their ratio to the floor; median response times for a single client, for the heaviest id / typical"
        " ids; growth of these from the smaller world, for responses of the same length (heaviest id / typical"
        " ids)."
    )
    world = results.largest
    loads = {(load.case, load.driver, load.cache): load for load in results.load if _is_of(load, world)}
    times = {result.case: result for result in results.single_client if _is_of(result, world)}
    growths = {growth.case: growth for growth in results.growth}
    rows = []
    for case in dict.fromkeys(load.case for load in results.load):
        growth = growths.get(case)
        rows.append(
            [
                case,
                _rate(loads.get((case, AIOMYSQL, True))),
                _rate(loads.get((case, AIOMYSQL, False))),
                _rate(loads.get((case, ASYNCMY, False))),
                _times(times.get(case), 1),
                _ratios(growth.indexed if growth else None, 1),
                _ratios(growth.without if growth else None, 1),
            ]
        )
    head = ["request", "hot, requests/s", "cold, aiomysql", "cold, asyncmy", "one client, ms"]
    yield _table([*head, "growth", "growth without the indexes"], rows)


def _is_of(result: Load | SingleClient, world: str) -> bool:
    return result.world == world and result.indexes


def _rate(load: Load | None) -> str:
    return "" if load is None else f"{load.rate:,.0f} ({load.ratio:.0%})".replace(",", " ")


def _floors(floors: Sequence[Floor]) -> Iterable[str]:
    yield "**Floors**: a bare application that returns so many bytes, and a bare handler that reads one row."
    head = ["floor", "requests/s", "lowest", "highest", "measured", "p50 ms", "p99 ms"]
    rows = []
    for floor in floors:
        rates = [f"{rate:.0f}" for rate in (floor.rate, floor.lowest, floor.highest)]
        rows.append([floor.name, *rates, f"{floor.times} ×", _ms(floor.p50_ms), _ms(floor.p99_ms)])
    yield _table(head, rows)


def _loads(results: Results) -> Iterable[str]:
    """Yield a table for each combination of world, indexes, driver and cache."""
    asyncmy_floor = next(floor.rate for floor in results.floors if floor.name == ASYNCMY)
    groups: dict[tuple[str, bool, str, bool], list[Load]] = {}
    for load in results.load:
        groups.setdefault((load.world, load.indexes, load.driver, load.cache), []).append(load)
    for (world, indexes, driver, cache), loads in groups.items():
        floor = "the bare application that returns the same bytes" if cache else f"the bare handler on {AIOMYSQL}"
        yield (
            f"**{'Hot' if cache else 'Cold'}**: {world} world, {driver}, {'with' if indexes else 'without'}"
            f" `sql/indexes.sql`; the ratio is to {floor}."
        )
        head = ["request", "bytes", "requests/s", "ratio", "p50 ms", "p99 ms", "errors", "server %", "database %"]
        rows = []
        for load in loads:
            row = [load.case, load.body, f"{load.rate:.0f}", f"{load.ratio:.0%}", _ms(load.p50_ms)]
            row += [_ms(load.p99_ms), load.errors, f"{load.server_cpu:.0f}", f"{load.database_cpu:.0f}"]
            if driver == ASYNCMY:
                row.insert(4, f"{load.rate / asyncmy_floor:.0%}")
            rows.append([*row, f"{load.memory:.0f}"])
        if driver == ASYNCMY:
            head.insert(4, f"to {ASYNCMY}")
        yield _table([*head, "MiB"], rows)


def _beside_peer(results: Results) -> Iterable[str]:
    if not results.beside_peer:
        return
    yield (
        "**Beside bancho.py** in the largest world, in requests/s: without the response cache, on the stock schema"
        " and with `sql/indexes.sql`, and how many times as many those are; with the cache."
    )
    by_case: dict[str, dict[bool, BesidePeer]] = {}
    for result in results.beside_peer:
        by_case.setdefault(result.case, {})[result.indexes] = result
    hot = {load.case: load for load in results.load if load.cache}
    rows = []
    for case, states in by_case.items():
        row: list[object] = [case]
        for indexes in (False, True):
            cold = states.get(indexes)
            row += [_number(cold.peer), f"{_number(cold.rate)} ({cold.ratio:.0f} ×)"] if cold else ["", ""]
        rows.append([*row, _number(hot[case].rate) if case in hot else ""])
    head = ["request", "bancho.py, stock schema", "apidot", "bancho.py, with the indexes", "apidot", "apidot, hot"]
    yield _table(head, rows)


def _number(rate: float) -> str:
    return f"{rate:,.0f}".replace(",", " ") if rate >= 10 else f"{rate:.1f}"


def _single_client(results: Results) -> Iterable[str]:
    yield (
        "**A single client**: median response times in ms, cold, for the heaviest id / typical ids; growth from"
        " the smaller world to the larger, for responses of the same length (heaviest id / typical ids)."
    )
    states = list(dict.fromkeys((result.world, result.indexes) for result in results.single_client))
    by_case: dict[str, dict[tuple[str, bool], SingleClient]] = {}
    for result in results.single_client:
        by_case.setdefault(result.case, {})[result.world, result.indexes] = result
    head = ["request", *(f"{world}, {'with' if indexes else 'without'} indexes" for world, indexes in states)]
    rows = [[case, *(_times(by_state.get(state), 2) for state in states)] for case, by_state in by_case.items()]
    if results.growth:
        head += ["growth with indexes", "without"]
        for row, growth in zip(rows, results.growth, strict=True):
            row += [_ratios(growth.indexed, 2), _ratios(growth.without, 2)]
    yield _table(head, rows)


def _times(result: SingleClient | None, digits: int) -> str:
    return "" if result is None else _pair(result.heaviest_ms, result.typical_ms, digits)


def _ratios(ratios: Ratios | None, digits: int) -> str:
    if ratios is None:
        return ""
    return f"{ratios.same_length:.{digits}f} ({_pair(ratios.heaviest, ratios.typical, digits)})"


def _pair(heaviest: float | None, typical: float, digits: int) -> str:
    return " / ".join(f"{figure:.{digits}f}" for figure in (heaviest, typical) if figure is not None)


def _polling(polling: Polling | None) -> Iterable[str]:
    if polling is not None:
        yield (
            f"**{polling.clients} clients with one profile page open** for {polling.seconds:.0f} s, each sending"
            f" {polling.paths} requests a second: {polling.requests} requests, {polling.errors} errors,"
            f" {polling.statements} statements in the database, p50 {_ms(polling.p50_ms)} ms,"
            f" p99 {_ms(polling.p99_ms)} ms, the worker at {polling.memory:.0f} MiB."
        )


def _indexes(results: Results) -> Iterable[str]:
    yield "**Indexes** of the tables for which `sql/indexes.sql` has one. PRIMARY contains the rows."
    rows = []
    for index in results.indexes:
        created = "" if index.created_in is None else f"{index.created_in:.1f}"
        rows.append([index.world, index.table, index.name, f"{index.mebibytes:.1f}", created])
    yield _table(["world", "table", "index", "MiB", "created in s"], rows)


def _query_plans(results: Results) -> Iterable[str]:
    """Yield the plan of each statement; two plans where the indexes change it."""
    yield "**Query plans** of every statement, for the heaviest ids: `table: access index(bytes), rows`."
    with_indexes = {plan.statement: plan for plan in results.query_plans if plan.indexes}
    rows = []
    for plan in results.query_plans:
        if not plan.indexes:
            indexed = with_indexes[plan.statement]
            same = indexed.steps == plan.steps
            variants = [(plan.statement, "any" if same else "without", plan), ("", "with", indexed)]
            for name, indexes, variant in variants[: 1 if same else 2]:
                ms = "" if variant.ms is None else f"{variant.ms:.2f}"
                rows.append([name, indexes, ms, "<br>".join(variant.steps)])
    yield _table(["statement", "indexes", "ms", "plan"], rows)


def _ms(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
