"""The floors: how fast the bare applications are, asked again and again in the course of a run."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.load import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.results import Floor, Shot
from bench.serving import AIOMYSQL, DRIVERS, bare
from bench.worlds import World

SIZES = (400, 4_000, 40_000)


class Floors:
    """The bare applications, which run beside the service and idle while it is asked."""

    def __init__(
        self, constant: Client, rows: dict[str, Client], folder: Path, plan: Plan, paths: list[str]
    ) -> None:
        self._constant = constant
        self._rows = rows
        self._folder = folder
        self._plan = plan
        self._paths = paths
        self._shots: dict[str, list[Shot]] = {}
        for size in SIZES:
            (folder / f"size-{size}").write_bytes(b'"' + b"x" * (size - 2) + b'"')

    def measure(self) -> None:
        """Every floor once more."""
        for size in SIZES:
            self._measure(f"starlette {size} B", self._constant, [f"/?size-{size}"])
        for driver, client in self._rows.items():
            self._measure(driver, client, self._paths)

    def of_body(self, body: bytes) -> float:
        """Requests a second of the bare application that answers with these bytes."""
        name = f"body-{len(list(self._folder.iterdir()))}"
        (self._folder / name).write_bytes(body)
        self._constant.warm([f"/?{name}"], self._plan.warm / 3)
        return self._constant.load([f"/?{name}"], self._plan.floor_window).rate

    def of_row(self) -> float:
        """Requests a second of the bare handler on aiomysql, now."""
        self._measure(AIOMYSQL, self._rows[AIOMYSQL], self._paths)
        return self._shots[AIOMYSQL][-1].rate

    def all(self) -> list[Floor]:
        """The medians of what was measured."""
        return [_floor(name, shots) for name, shots in self._shots.items()]

    def rate(self, driver: str = AIOMYSQL) -> float:
        """The median of the floor with this driver, in requests a second."""
        return _floor(driver, self._shots[driver]).rate

    def _measure(self, name: str, client: Client, paths: list[str]) -> None:
        client.warm(paths, self._plan.warm)
        self._shots.setdefault(name, []).append(client.load(paths, self._plan.floor_window))


def _floor(name: str, shots: list[Shot]) -> Floor:
    rates = [shot.rate for shot in shots]
    return Floor(
        name=name,
        rate=statistics.median(rates),
        lowest=min(rates),
        highest=max(rates),
        times=len(shots),
        p50_ms=statistics.median(shot.p50_ms for shot in shots),
        p99_ms=statistics.median(shot.p99_ms for shot in shots),
    )


@contextmanager
def floors(plan: Plan, world: World, cores: Cores, score_ids: list[str]) -> Iterator[Floors]:
    """The floors on this machine, those with a database on this world's."""
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
