"""What a run has found, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import figure

from bench.checks import HOT, PROFILE, ROW, SMALL
from bench.questions import Question
from bench.results import Load, Results
from bench.serving import AIOMYSQL, ASYNCMY

HOT_COLOUR, COLD_COLOUR, OTHER_COLOUR = "#2a78b5", "#e08a2c", "#7a5aa6"
WITHOUT_COLOUR = "#b8b8b8"
INK = "#333333"


def draw(results: Results, asked: Sequence[Question], path: Path) -> None:
    """Three panels side by side: hot, cold, and what a single client waits. Written as a PNG."""
    names = [question.name for question in asked]
    # Made without pyplot, which would look for a screen.
    picture = figure.Figure(figsize=(19, 2.6 + 0.36 * len(names)), facecolor="white", layout="constrained")
    panels = picture.subplots(1, 3, sharey=True, width_ratios=[1, 1, 1.15])
    _hot(panels[0], results, names)
    _cold(panels[1], results, names)
    _alone(panels[2], results, names)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    for panel in panels:
        _tidy(panel)
    scores = ", ".join(f"{name}: {count:,}" for name, count in results.scores.items())
    picture.suptitle(
        f"How fast one worker answers, beside the least that could be\n{results.machine} · {results.database} ·"
        f" scores in each world: {scores} · {results.began[:10]}",
        fontsize=13,
        color=INK,
    )
    picture.savefig(path, dpi=110)


def _hot(panel: Any, results: Results, names: list[str]) -> None:
    """Requests a second out of the cache; small answers have a line to pass."""
    loads = {load.question: load for load in results.load if load.cache}
    for place, name in enumerate(names):
        if load := loads.get(name):
            panel.barh(place, load.rate, 0.6, color=HOT_COLOUR)
            line = HOT * load.floor
            if load.body <= SMALL:
                panel.plot([line, line], [place - 0.42, place + 0.42], color="#c0392b", linewidth=2)
            panel.plot(load.floor, place, "D", color=INK, markersize=4)
            panel.text(
                load.rate, place, f" {load.rate:,.0f}  {load.ratio:.0%}", va="center", fontsize=8, color=INK
            )
    panel.plot([], [], "D", color=INK, markersize=4, linestyle="none", label="bare Starlette, the same bytes")
    panel.plot([], [], color="#c0392b", linewidth=2, label="50 % of it, promised up to 4 kB")
    panel.set_title("Hot: cache on", color=INK)
    panel.set_xlabel("requests/s, 16 connections (and the ratio to the floor)")
    panel.set_xlim(0, 1.3 * max((max(load.rate, load.floor) for load in loads.values()), default=1))


def _cold(panel: Any, results: Results, names: list[str]) -> None:
    """Requests a second with the cache off, on both drivers."""
    world = list(results.scores)[-1]
    cold = [load for load in results.load if not load.cache and load.indexes and load.world == world]
    bars = ((AIOMYSQL, COLD_COLOUR, -0.2), (ASYNCMY, OTHER_COLOUR, 0.2))
    for driver, colour, shift in bars:
        loads: dict[str, Load] = {load.question: load for load in cold if load.driver == driver}
        for place, name in enumerate(names):
            if load := loads.get(name):
                panel.barh(place + shift, load.rate, 0.38, color=colour)
                panel.text(
                    load.rate,
                    place + shift,
                    f" {load.rate:,.0f}  {load.ratio:.0%}",
                    va="center",
                    fontsize=7,
                    color=INK,
                )
        panel.barh([0], [0], color=colour, label=driver)
    floor = next(each.rate for each in results.floors if each.name == AIOMYSQL)
    panel.axvline(floor, color=INK, linewidth=1.2, label=f"bare handler on aiomysql, one row: {floor:,.0f}")
    promised = (
        (PROFILE, "a profile", ":"),
        (ROW[AIOMYSQL], "one row", "--"),
        (ROW[ASYNCMY], "one row, asyncmy", "-."),
    )
    for ratio, what, style in promised:
        panel.axvline(
            ratio * floor,
            color="#c0392b",
            linewidth=1,
            linestyle=style,
            label=f"{ratio:.0%} of it, promised: {what}",
        )
    panel.set_title(f"Cold: cache off, {world} world, with sql/indexes.sql", color=INK)
    panel.set_xlabel("requests/s, 16 connections (and the ratio to the bare handler on aiomysql)")
    panel.set_xlim(0, 1.25 * max([load.rate for load in cold] + [ROW[ASYNCMY] * floor]))


def _alone(panel: Any, results: Results, names: list[str]) -> None:
    """What one client waits for the heaviest there is, in each world, with the indexes and without."""
    marks = ("o", "s")
    places = {name: place for place, name in enumerate(names)}
    worlds = list(results.scores)
    for indexes, colour, shift in ((False, WITHOUT_COLOUR, 0.15), (True, COLD_COLOUR, -0.15)):
        for world, mark in zip(worlds, marks, strict=False):
            found = [each for each in results.alone if each.world == world and each.indexes == indexes]
            if found:
                panel.plot(
                    [each.heaviest_ms or each.typical_ms for each in found],
                    [places[each.question] + shift for each in found],
                    mark,
                    color=colour,
                    markersize=6,
                    markerfacecolor=colour if mark == marks[-1] or len(worlds) == 1 else "white",
                    label=f"{world} world, {'with' if indexes else 'without'} indexes",
                )
    for each in results.growth:
        panel.text(
            1.0,
            places[each.question],
            f"×{each.indexed.alike:.1f} ",
            transform=panel.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=8,
            color=INK,
        )
    panel.axvline(15, color="#c0392b", linewidth=1, linestyle=":", label="15 ms, promised for lists")
    panel.set_xscale("log")
    panel.set_title("A single client: the heaviest there is, cold", color=INK)
    grown = "; ×: growth, same length" if results.growth else ""
    panel.set_xlabel(f"median ms, logarithmic{grown}")


def _tidy(panel: Any) -> None:
    panel.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    for place in panel.get_yticks():
        panel.axhline(place - 0.5, color="#f2f2f2", linewidth=0.6, zorder=0)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.035), ncols=2, fontsize=8, frameon=False)
