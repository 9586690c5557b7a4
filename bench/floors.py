"""The floors: the rates of the bare applications, measured again and again in the course of a run."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.load import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.results import Floor, WrkResult
from bench.serving import AIOMYSQL, DRIVERS, bare
from bench.worlds import World

SIZES = (400, 4_000, 40_000)


class Floors:
    """The bare applications. They run all the time, and are idle while the service is measured."""

    def __init__(
        self, constant: Client, rows: dict[str, Client], folder: Path, plan: Plan, paths: list[str]
    ) -> None:
        self._constant = constant
        self._rows = rows
        self._folder = folder
        self._plan = plan
        self._paths = paths
        self._results: dict[str, list[WrkResult]] = {}
        for size in SIZES:
            (folder / f"size-{size}").write_bytes(b'"' + b"x" * (size - 2) + b'"')

    def measure(self) -> None:
        """Measure every floor once more."""
        for size in SIZES:
            self._measure(f"starlette {size} B", self._constant, [f"/?size-{size}"])
        for driver, client in self._rows.items():
            self._measure(driver, client, self._paths)

    def of_body(self, body: bytes) -> WrkResult:
        """Measure the bare application that returns these bytes."""
        name = f"body-{len(list(self._folder.iterdir()))}"
        (self._folder / name).write_bytes(body)
        self._constant.warm_up([f"/?{name}"], self._plan.warm_up / 3)
        return self._constant.load([f"/?{name}"], self._plan.floor_window)

    def of_row(self) -> WrkResult:
        """Measure the bare handler on aiomysql."""
        self._measure(AIOMYSQL, self._rows[AIOMYSQL], self._paths)
        return self._results[AIOMYSQL][-1]

    def all(self) -> list[Floor]:
        """Return the medians of all measurements so far."""
        return [_floor(name, results) for name, results in self._results.items()]

    def rate(self, driver: str = AIOMYSQL) -> float:
        """Return the median rate of the bare handler on a driver, in requests per second."""
        return _floor(driver, self._results[driver]).rate

    def _measure(self, name: str, client: Client, paths: list[str]) -> None:
        client.warm_up(paths, self._plan.warm_up)
        self._results.setdefault(name, []).append(client.load(paths, self._plan.floor_window))


def _floor(name: str, results: list[WrkResult]) -> Floor:
    rates = [result.rate for result in results]
    return Floor(
        name=name,
        rate=statistics.median(rates),
        lowest=min(rates),
        highest=max(rates),
        times=len(results),
        p50_ms=statistics.median(result.p50_ms for result in results),
        p99_ms=statistics.median(result.p99_ms for result in results),
    )


@contextmanager
def floors(plan: Plan, world: World, cores: Cores, score_ids: list[str]) -> Iterator[Floors]:
    """Run the bare applications. Those with a database read scores of `world`."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="apidot-"))
        constant = stack.enter_context(bare("constant", cores, plan.connections, {"BODIES": folder}))
        rows = {
            driver: stack.enter_context(
                bare("row", cores, plan.connections, {"DATABASE": world.database, "DRIVER": driver})
            )
            for driver in DRIVERS
        }
        yield Floors(constant, rows, Path(folder), plan, [f"/?{id}" for id in score_ids])
