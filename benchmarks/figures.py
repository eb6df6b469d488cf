"""Figures of the tables in ``benchmarks/results``, as SVG.

    python benchmarks/figures.py [--results DIR] [--out DIR]

The same tables give the same bytes with the same version of matplotlib. Colours are those of Okabe
and Ito, which people with any vision tell apart; every line also has a name beside it.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HERE = Path(__file__).parent
OURS = "#000000"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "osD^vPX<>h"
NAMES = {
    "cuts": "cuts (ours)",
    "sums": "sums, arrays",
    "months": "months, arrays",
    "dense": "dense, arrays",
    "mpisppy": "mpi-sppy, L-shaped",
    "mpisppy-ef": "mpi-sppy, extensive",
    "benderslib": "benderslib, L-shaped",
    "boxes": "box search (ours)",
    "boxes-1": "the same, without proof",
    "de": "differential evolution",
    "de-all": "the same, by generations",
    "tpe": "Optuna, TPE",
    "mip": "integer program",
}
STYLE = {
    "svg.hashsalt": "stockpile",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
}
Row = dict[str, str]


def read(folder: Path, name: str) -> list[Row]:
    """Return the rows of a table."""
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def apart(places: Sequence[float], least: float) -> list[float]:
    """Move places apart until neighbours are ``least`` from each other, each as little as can be.

    Neighbours that are too close form a group, which stays around its mean.
    """
    order = sorted(range(len(places)), key=lambda n: places[n])
    groups: list[list[int]] = []
    for n in order:
        groups.append([n])
        while len(groups) > 1 and _start(groups[-1], places, least) < (
            _start(groups[-2], places, least) + least * len(groups[-2])
        ):
            last = groups.pop()
            groups[-1] += last
    moved = [0.0] * len(places)
    for group in groups:
        for number, n in enumerate(group):
            moved[n] = _start(group, places, least) + least * number
    return moved


def _start(group: Sequence[int], places: Sequence[float], least: float) -> float:
    """Return where the first of a group stands."""
    mean = sum(places[n] for n in group) / len(group)
    return mean - least * (len(group) - 1) / 2.0


def name_lines(
    axes: Axes, starts: Sequence[tuple[float, float, str, str]], height: float, room: float
) -> None:
    """Write the name of each line to the left of its first point; some end before the others.

    Parameters
    ----------
    starts
        First x and y of a line, its name and colour.
    height
        Of a line of text, as a part of the axes.
    room
        Part of the axes that is left free for names.
    """
    left, right = (math.log10(limit) for limit in axes.get_xlim())
    axes.set_xlim(10.0 ** (left - (right - left) * room / (1.0 - room)))
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    places = [(math.log10(y) - low) / (high - low) for _, y, _, _ in starts]
    for (x, y, name, colour), place in zip(starts, apart(places, height), strict=True):
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "relpos": (1.0, 0.5)}
        axes.annotate(
            name,
            xy=(x, y),
            xytext=(room - 0.01, place),
            textcoords="axes fraction",
            ha="right",
            va="center",
            color=colour,
            weight="bold" if colour == OURS else "normal",
            arrowprops=line,
        )


def draw_lines(axes: Axes, lines: dict[str, list[tuple[float, float]]], room: float) -> None:
    """Draw named lines on logarithmic axes; ours is black and thick."""
    starts = []
    colours = iter(COLOURS * 3)
    for number, (way, points) in enumerate(lines.items()):
        ours = way in ("cuts", "boxes")
        colour = OURS if ours else next(colours)
        x, y = zip(*points, strict=True)
        axes.plot(
            x,
            y,
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            markersize=4.5,
            linewidth=2.2 if ours else 1.3,
        )
        starts.append((x[0], y[0], NAMES.get(way, way), colour))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    name_lines(axes, starts, 0.06, room)


def plain_ticks(axes: Axes, sizes: Sequence[float]) -> None:
    """Mark the sizes measured, and no others."""
    axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axes.minorticks_off()


def foresight(rows: Sequence[Row]) -> Figure:
    """Draw the time of the foresight model against scenarios."""
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        if row["cpu s"]:
            lines[row["way"]].append((float(row["scenarios"]), float(row["cpu s"])))
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    draw_lines(axes, {way: sorted(points) for way, points in lines.items()}, 0.27)
    plain_ticks(axes, sorted({float(row["scenarios"]) for row in rows}))
    axes.set_xlabel("scenarios")
    axes.set_ylabel("building and solving [s of the processor]")
    axes.set_title("Foresight model, 20 materials, 36 months, one thread")
    return figure


def growth(rows: Sequence[Row]) -> Figure:
    """Draw time against size, one panel for each axis."""
    of_axis: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_axis[row["axis"]].append(row)
    figure, panels = plt.subplots(2, 3, figsize=(7.2, 4.6), layout="constrained")
    for panel, (axis, own) in zip(panels.flat, of_axis.items(), strict=False):
        x = [float(row["size"]) for row in own]
        middle = [float(row["cpu s"]) for row in own]
        panel.plot(x, middle, color=COLOURS[0], marker="o", markersize=4)
        panel.set_xscale("log")
        panel.set_yscale("log")
        plain_ticks(panel, x)
        low, high = min(middle), max(middle)
        panel.set_ylim(low / 2.0, high * 2.0)
        ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100) if low / 2 <= tick <= high * 2]
        panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.set_title(f"{axis}: exponent {own[-1]['exponent of time']}")
        panel.set_xlabel("times finer lots" if axis == "lots" else axis)
    for panel in panels[:, 0]:
        panel.set_ylabel("to prove 1 % [s of processors]")
    return figure


def rules(rows: Sequence[Row]) -> Figure:
    """Draw the time to a plan within 1 %: searches from outside, and the mixed-integer program."""
    same = ("materials", "scenarios", "months", "rules")
    outside = [row for row in rows if row["way"] in ("boxes-1", "de", "de-all", "tpe")]
    size = [outside[0][name] for name in same]
    ways = [row for row in outside if [row[name] for name in same] == size]
    ours = next(
        row
        for row in rows
        if row["way"] == "boxes" and row["gap"] == "0.01" and [row[name] for name in same] == size
    )
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(7.6, 3.2), layout="constrained", width_ratios=(1.0, 1.3)
    )
    shown = [ours, *ways]
    colours = [OURS, "#666666", *COLOURS]
    for place, row in enumerate(shown):
        colour, done = colours[place], row["reached"] == row["runs"]
        left.hlines(place, float(row["min s"]), float(row["max s"]), color=colour, linewidth=4)
        face = colour if done else "white"
        middle = float(row["median s"])
        left.plot(middle, place, marker="o", markersize=8, color=colour, markerfacecolor=face)
    left.set_yticks(
        range(len(shown)),
        [f"{NAMES[row['way']]}\n{row['reached']} of {row['runs']} runs" for row in shown],
    )
    for label, colour in zip(left.get_yticklabels(), colours, strict=False):
        label.set_color(colour)
        label.set_weight("bold" if colour == OURS else "normal")
    left.tick_params(axis="y", length=0)
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:g}")
    left.set_ylim(len(shown) - 0.5, -0.5)
    left.set_xlabel("to be within 1 % [s of the processor]")
    left.set_title(f"{size[0]} materials, {size[1]} scenarios, {size[3]} rules")
    small = [row["rules"] for row in rows if row["way"] == "mip" and row["reached"] != "0"]
    lines: dict[str, list[tuple[float, float]]] = {"boxes": [], "mip": []}
    for row in rows:
        fits = row["materials"] == "1" and row["rules"] in small[:1] and row["gap"] == "0.01"
        if fits and row["way"] in lines and row["reached"] != "0":
            lines[row["way"]].append((float(row["scenarios"]), float(row["median s"])))
    draw_lines(right, {way: sorted(points) for way, points in lines.items() if points}, 0.45)
    plain_ticks(right, sorted({x for points in lines.values() for x, _ in points}))
    right.set_xlabel("scenarios")
    right.set_ylabel("to prove 1 % [s of the processor]")
    right.set_title(f"1 material, {small[0]} rules")
    return figure


def main() -> None:
    """Draw all figures that there is a table for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--out", type=Path, default=HERE / "figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update(STYLE)
    for draw in (foresight, growth, rules):
        name = draw.__name__
        if not (options.results / f"{name}.csv").exists():
            continue
        figure = draw(read(options.results, name))
        figure.savefig(options.out / f"{name}.svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
        print(options.out / f"{name}.svg")


if __name__ == "__main__":
    main()
