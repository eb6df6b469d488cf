"""From an instance to a figure for a paper: what to hold, and what it takes to buy it.

    python examples/paper_figure.py instances/rare-earths figure.pdf

The left panel shows days of cover by material and nation; the right one the money that is needed
if only a part of every gap is bought, beside what that part of the full sum would be.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

import stockpile as sp

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = (7.2, 4.2)  # Both columns of a journal.
MARKERS = ("o", "s", "^", "D")


def draw(plan: sp.Plan, instance: sp.Instance) -> Figure:
    """Draw both panels."""
    days, money = plt.figure(figsize=INCHES, layout="constrained").subplots(1, 2)
    names = {row.participant: row.name for row in instance.participants}
    materials = [row.material for row in instance.materials][::-1]  # The first one on top.
    for (participant, name), marker in zip(names.items(), MARKERS, strict=False):
        held = plan.holdings[plan.holdings["participant"] == participant].set_index("material")
        cover = held["days_of_cover"].reindex(materials)
        days.plot(cover, range(len(materials)), marker, markersize=4, label=name)
    labels = {row.material: f"{row.element} ({row.form})" for row in instance.materials}
    days.set_yticks(range(len(materials)), [labels[material] for material in materials])
    days.set_xlabel("days of normal consumption")
    days.set_xlim(left=0.0)
    days.grid(axis="x", linewidth=0.4)
    days.legend(frameon=False)

    shortfall = sp.office_tables(plan, instance)[1].frame()
    parts = (25, 50, 75, 100)
    sums = [0.0] + [shortfall[f"money_for_{part}_percent_million_usd"].sum() for part in parts]
    money.plot([0, *parts], sums, "o-", markersize=4, clip_on=False, label="needed")
    money.plot([0, 100], [0.0, sums[-1]], "--", linewidth=0.8, label="in proportion")
    money.set_xlabel("part of every gap bought, %")
    money.set_ylabel(f"million USD of {instance.price_year}")
    money.set_xlim(0, 100)
    money.set_ylim(bottom=0.0)
    money.legend(frameon=False)
    return days.figure


def main(folder: str = "instances/rare-earths", target: str = "figure.pdf") -> None:
    """Solve an instance and write the figure."""
    instance = sp.load(folder)
    plan = sp.solve(instance, progress=False)
    if not plan.found:
        raise SystemExit(f"{folder} has no plan: it is {plan.status}")
    figure = draw(plan, instance)
    # No moment of writing: a plan gives the same file again.
    dated = {".pdf": "CreationDate", ".svg": "Date"}.get(Path(target).suffix, "Software")
    figure.savefig(target, metadata={dated: None})
    plt.close(figure)
    print(f"Written to {target}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
