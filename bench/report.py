"""What a run has found, as Markdown that can be put below a heading, and as lines for a terminal."""

from collections.abc import Iterable, Sequence

from bench.overview import overview
from bench.results import Alone, Check, Floor, Load, Polling, Results, Times
from bench.serving import AIOMYSQL, ASYNCMY

VERDICTS = {True: "PASS", False: "FAIL", None: "----"}


def summary(results: Results) -> str:
    """The floors, and a line for each promise."""
    lines = ["", "floors, in requests/s: the median, and between what it moved"]
    lines += [
        f"  {floor.name:18}{floor.rate:>8.0f}  {floor.lowest:.0f} to {floor.highest:.0f} in {floor.times}"
        for floor in results.floors
    ]
    lines.append("")
    lines += [f"{_verdict(check)}  {check.name}: {check.figure}" for check in results.checks]
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """Everything that was found."""
    scores = ", ".join(f"{name} {count:,} scores" for name, count in results.scores.items())
    built = ", ".join(f"{name} in {seconds:.0f} s" for name, seconds in results.building.items() if seconds)
    head, *lines = overview(results)
    parts = [
        f"Measured {results.began[:10]} in {results.minutes} minutes: {results.machine}; {results.database}.\n"
        f"Worlds: {scores}" + (f"; built: {built}." if built else "."),
        _table(["", "promise", "found"], [[_verdict(c), c.name, c.figure] for c in results.checks]),
        "**Overview** of the largest world, with `sql/indexes.sql` where it does not say otherwise: rates and"
        " their ratio to the floor; waits of the heaviest / of typical ones; how many times as long they are as in"
        " the smaller world for answers of the same length (the heaviest / typical ones).",
        _table(head, lines),
        "**Floors**: a bare application with so many bytes, and a bare handler with one row of the database.",
        _floors(results.floors),
        *_loads(results),
        *_waits(results),
        *_polling(results.polling),
        *_indexes(results),
        *_plans(results),
        "Not measured: " + "; ".join(f"`{route}`: {why}" for route, why in results.not_measured.items()) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(check: Check) -> str:
    return VERDICTS[check.passed]


def _floors(floors: Sequence[Floor]) -> str:
    head = ["floor", "requests/s", "lowest", "highest", "measured", "p50 ms", "p99 ms"]
    return _table(
        head,
        [
            [
                f.name,
                f"{f.rate:.0f}",
                f"{f.lowest:.0f}",
                f"{f.highest:.0f}",
                f"{f.times} ×",
                _ms(f.p50_ms),
                _ms(f.p99_ms),
            ]
            for f in floors
        ],
    )


def _loads(results: Results) -> Iterable[str]:
    """A table of the cached answers, and one for each state in which the database was asked."""
    states: dict[tuple[str, bool, str, bool], list[Load]] = {}
    for load in results.load:
        states.setdefault((load.world, load.indexes, load.driver, load.cache), []).append(load)
    for (world, indexes, driver, cache), loads in states.items():
        floor = "the bare application with the same bytes" if cache else f"the bare handler on {AIOMYSQL}"
        yield (
            f"**{'Hot' if cache else 'Cold'}**: {world} world, {driver}, {'with' if indexes else 'without'}"
            f" `sql/indexes.sql`; the ratio is to {floor}."
        )
        head = [
            "question",
            "bytes",
            "requests/s",
            "ratio",
            "p50 ms",
            "p99 ms",
            "errors",
            "server %",
            "database %",
            "MiB",
        ]
        head[4:4] = [f"to {ASYNCMY}"] if driver == ASYNCMY else []
        rows = []
        for load in loads:
            row = [load.question, load.body, f"{load.rate:.0f}", f"{load.ratio:.0%}", _ms(load.p50_ms)]
            if driver == ASYNCMY:
                row.insert(4, f"{load.rate / _rate(results.floors, ASYNCMY):.0%}")
            row += [_ms(load.p99_ms), load.errors, f"{load.server_cpu:.0f}", f"{load.database_cpu:.0f}"]
            rows.append([*row, f"{load.memory:.0f}"])
        yield _table(head, rows)


def _rate(floors: Iterable[Floor], name: str) -> float:
    return next(floor.rate for floor in floors if floor.name == name)


def _waits(results: Results) -> Iterable[str]:
    """What a single client waits, and how that grows with the scores."""
    states = list(dict.fromkeys((each.world, each.indexes) for each in results.alone))
    yield (
        "**A single client**: the median in ms, cold, of the heaviest there is / of typical ones; how many times"
        " as long in the larger world: answers of the same length (heaviest / typical ones, which grow longer)."
    )
    found: dict[str, dict[tuple[str, bool], Alone]] = {}
    for each in results.alone:
        found.setdefault(each.question, {})[each.world, each.indexes] = each
    head = ["question", *(f"{world}, {'with' if indexes else 'without'} indexes" for world, indexes in states)]
    rows = [[name, *(_wait(by.get(state)) for state in states)] for name, by in found.items()]
    if results.growth:
        head += ["times as long, with", "without"]
        for row, grown in zip(rows, results.growth, strict=True):
            row += [_times(grown.indexed), _times(grown.without)]
    yield _table(head, rows)


def _wait(each: Alone | None) -> str:
    return "" if each is None else _pair(each.heaviest_ms, each.typical_ms)


def _times(times: Times) -> str:
    return f"{times.alike:.2f} ({_pair(times.heaviest, times.typical)})"


def _pair(heaviest: float | None, typical: float) -> str:
    return f"{typical:.2f}" if heaviest is None else f"{heaviest:.2f} / {typical:.2f}"


def _polling(seen: Polling | None) -> Iterable[str]:
    if seen is not None:
        yield (
            f"**{seen.clients} clients with one profile page open** for {seen.seconds:.0f} s, each asking for"
            f" {seen.questions} answers a second: {seen.requests} requests, {seen.errors} errors,"
            f" {seen.statements} statements in the database, p50 {_ms(seen.p50_ms)} ms, p99 {_ms(seen.p99_ms)} ms,"
            f" the worker at {seen.memory:.0f} MiB."
        )


def _indexes(results: Results) -> Iterable[str]:
    """Those of sql/indexes.sql beside the tables' own."""
    yield "**Indexes** of the tables that `sql/indexes.sql` adds to; PRIMARY is the rows themselves."
    rows = []
    for index in results.indexes:
        created = "" if index.created_in is None else f"{index.created_in:.1f}"
        rows.append([index.world, index.table, index.name, f"{index.mebibytes:.1f}", created])
    yield _table(["world", "table", "index", "MiB", "created in s"], rows)


def _plans(results: Results) -> Iterable[str]:
    """How each statement is gone about, side by side where the indexes change it."""
    yield "**Plans** of every statement, asked about the heaviest there is: `table: access key(bytes), rows`."
    rows = []
    for plan in results.plans:
        if not plan.indexes:
            with_them = next(each for each in results.plans if each.indexes and each.statement == plan.statement)
            same = with_them.steps == plan.steps
            rows.append([plan.statement, "any" if same else "without", _took(plan.ms), _steps(plan.steps)])
            if not same:
                rows.append(["", "with", _took(with_them.ms), _steps(with_them.steps)])
    yield _table(["statement", "indexes", "ms", "plan"], rows)


def _took(ms: float | None) -> str:
    return "" if ms is None else f"{ms:.2f}"


def _steps(steps: list[str]) -> str:
    return "<br>".join(steps)


def _ms(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
