"""The chart of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import figure

from bench.cases import Case
from bench.promises import HOT, LIST_MS, PROFILE, ROW, SMALL
from bench.results import Load, Results
from bench.serving import AIOMYSQL, ASYNCMY

HOT_COLOUR, COLD_COLOUR, OTHER_COLOUR = "#2a78b5", "#e08a2c", "#7a5aa6"
WITHOUT_COLOUR = "#b8b8b8"
PROMISE_COLOUR = "#c0392b"
INK = "#333333"


def draw(results: Results, cases: Sequence[Case], path: Path) -> None:
    """Write a PNG with three panels: hot and cold rates, and response times for a single client."""
    names = [case.name for case in cases]
    # Not created with pyplot, which would look for a display.
    picture = figure.Figure(figsize=(19, 2.6 + 0.36 * len(names)), facecolor="white", layout="constrained")
    panels = picture.subplots(1, 3, sharey=True, width_ratios=[1, 1, 1.15])
    _hot(panels[0], results, names)
    _cold(panels[1], results, names)
    _single_client(panels[2], results, names)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    for panel in panels:
        _tidy(panel)
    scores = ", ".join(f"{name}: {count:,}" for name, count in results.scores.items())
    picture.suptitle(
        f"Performance of one worker, compared with minimal applications\n{results.machine} · {results.database} ·"
        f" scores in each world: {scores} · {results.began[:10]}",
        fontsize=13,
        color=INK,
    )
    picture.savefig(path, dpi=110)


def _hot(panel: Any, results: Results, names: list[str]) -> None:
    """Draw the rates from the cache. For small responses, a line shows the promise."""
    loads = {load.case: load for load in results.load if load.cache}
    for position, name in enumerate(names):
        if load := loads.get(name):
            panel.barh(position, load.rate, 0.6, color=HOT_COLOUR)
            line = HOT * load.floor
            if load.body <= SMALL:
                panel.plot([line, line], [position - 0.42, position + 0.42], color=PROMISE_COLOUR, linewidth=2)
            panel.plot(load.floor, position, "D", color=INK, markersize=4)
            panel.text(
                load.rate, position, f" {load.rate:,.0f}  {load.ratio:.0%}", va="center", fontsize=8, color=INK
            )
    panel.plot([], [], "D", color=INK, markersize=4, linestyle="none", label="bare Starlette, same bytes")
    panel.plot([], [], color=PROMISE_COLOUR, linewidth=2, label=f"{HOT:.0%} of it, promised up to 4 kB")
    panel.set_title("Hot: cache on", color=INK)
    panel.set_xlabel("requests/s, 16 connections (and the ratio to the floor)")
    panel.set_xlim(0, 1.3 * max((max(load.rate, load.floor) for load in loads.values()), default=1))


def _cold(panel: Any, results: Results, names: list[str]) -> None:
    """Draw the rates without the cache, on both drivers."""
    world = results.largest
    cold = [load for load in results.load if not load.cache and load.indexes and load.world == world]
    bars = ((AIOMYSQL, COLD_COLOUR, -0.2), (ASYNCMY, OTHER_COLOUR, 0.2))
    for driver, colour, shift in bars:
        loads: dict[str, Load] = {load.case: load for load in cold if load.driver == driver}
        for position, name in enumerate(names):
            if load := loads.get(name):
                panel.barh(position + shift, load.rate, 0.38, color=colour)
                panel.text(
                    load.rate,
                    position + shift,
                    f" {load.rate:,.0f}  {load.ratio:.0%}",
                    va="center",
                    fontsize=7,
                    color=INK,
                )
        panel.barh([0], [0], color=colour, label=driver)
    floor = next(floor.rate for floor in results.floors if floor.name == AIOMYSQL)
    panel.axvline(floor, color=INK, linewidth=1.2, label=f"bare handler on aiomysql, one row: {floor:,.0f}")
    promised = (
        (PROFILE, "a profile", ":"),
        (ROW[AIOMYSQL], "one row", "--"),
        (ROW[ASYNCMY], "one row, asyncmy", "-."),
    )
    for ratio, what, style in promised:
        panel.axvline(
            ratio * floor,
            color=PROMISE_COLOUR,
            linewidth=1,
            linestyle=style,
            label=f"{ratio:.0%} of it, promised: {what}",
        )
    panel.set_title(f"Cold: cache off, {world} world, with sql/indexes.sql", color=INK)
    panel.set_xlabel("requests/s, 16 connections (and the ratio to the bare handler on aiomysql)")
    panel.set_xlim(0, 1.25 * max([load.rate for load in cold] + [ROW[ASYNCMY] * floor]))


def _single_client(panel: Any, results: Results, names: list[str]) -> None:
    """Draw the response times for the heaviest ids, in each world, with and without the indexes."""
    markers = ("o", "s")
    positions = {name: position for position, name in enumerate(names)}
    worlds = list(results.scores)
    for indexes, colour, shift in ((False, WITHOUT_COLOUR, 0.15), (True, COLD_COLOUR, -0.15)):
        for world, marker in zip(worlds, markers, strict=False):
            times = [t for t in results.single_client if t.world == world and t.indexes == indexes]
            if times:
                panel.plot(
                    [t.heaviest_ms or t.typical_ms for t in times],
                    [positions[t.case] + shift for t in times],
                    marker,
                    color=colour,
                    markersize=6,
                    markerfacecolor=colour if marker == markers[-1] or len(worlds) == 1 else "white",
                    label=f"{world} world, {'with' if indexes else 'without'} indexes",
                )
    for growth in results.growth:
        panel.text(
            1.0,
            positions[growth.case],
            f"×{growth.indexed.same_length:.1f} ",
            transform=panel.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=8,
            color=INK,
        )
    panel.axvline(LIST_MS, color=PROMISE_COLOUR, linewidth=1, linestyle=":", label="15 ms, promised for lists")
    panel.set_xscale("log")
    panel.set_title("A single client: heaviest ids, cold", color=INK)
    grown = "; ×: growth, same length" if results.growth else ""
    panel.set_xlabel(f"median ms, logarithmic{grown}")


def _tidy(panel: Any) -> None:
    panel.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    for position in panel.get_yticks():
        panel.axhline(position - 0.5, color="#f2f2f2", linewidth=0.6, zorder=0)
    # The unit is the height of the panel, which grows with the number of cases; that of the axis labels does not.
    below = -1.8 / len(panel.get_yticks())
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, below), ncols=2, fontsize=8, frameon=False)
