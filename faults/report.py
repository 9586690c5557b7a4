"""The results as a Markdown table."""

from collections.abc import Sequence

from faults.load import Kind
from faults.suite import Result

HEAD = (
    *("fault", "driver", "rounds", "requests", *(kind.value for kind in Kind)),
    *("longest wait (limit), s", "first fresh response after, s", "files", "connections", "memory, MiB"),
)


def table(results: Sequence[Result]) -> str:
    """Return a table with a row for each fault and driver."""
    rows = [HEAD, ("---",) * len(HEAD), *map(_row, results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    before, after = result.before, result.after
    return (
        result.title,
        result.driver,
        str(result.rounds),
        str(result.kinds.total()),
        *(str(result.kinds[kind.value]) for kind in Kind),
        f"{result.longest_wait:.1f} ({result.allowed_wait:g})",
        "never" if result.recovery is None else f"{result.recovery:.1f}",
        *(f"{old:.0f} → {new:.0f}" for old, new in zip(before, after, strict=True)),
    )
