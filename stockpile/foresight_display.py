"""The foresight bound as a page for a terminal or a pipe, and as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.display import drawn_text, money, render_table
from stockpile.foresight_bound import foresight_gap
from stockpile.number_text import number_text
from stockpile.records import json_text, plain

if TYPE_CHECKING:
    from stockpile.foresight_bound import Foresight
    from stockpile.plan import Plan

SEEN = 1e-6
"""Part of a material's cost below which a difference is not shown."""
_MEANING = """\
The difference is not EVPI: both the plan and the bound choose holdings before
the scenario is known; the bound knows it when stocks are released. Nor is it a
promise: a part can only be had by knowing the future, and a part is what the
bound leaves out, such as whole lots.
"""


def foresight_text(bound: Foresight, plan: Plan | None = None) -> str:
    """Say in about a page what no release policy can beat, and what a plan leaves on the table.

    Raises
    ------
    UsageError
        If plan and bound cannot be compared.
    """
    drawn = drawn_text(bound.scenario_count, bound.seed, bound.sampling)
    lines = [
        f"Foresight bound of {bound.instance_name} ({bound.instance_hash[:12]}), cooperation "
        f"{bound.cooperation}",
        f"  scenarios   {drawn} ({bound.seconds:.1f} s)",
    ]
    if not bound.feasible:
        lines.append("  bound       none: no holdings within the limits can keep all promises")
        return "\n".join(lines) + "\n"
    lines.append(f"  bound       {money(bound.bound_usd)} a year; no release policy costs less")
    if plan is not None:
        saving = foresight_gap(plan, bound)
        cost = float(plan.annual_cost_usd or 0.0)
        part = f" ({100.0 * saving / cost:.2f} %)" if cost > 0.0 else ""
        lines += [
            f"  plan        {money(cost)} a year",
            f"  difference  {money(saving)} a year{part}: the most a cleverer policy could save",
        ]
    lines += [
        f"  VSS         {money(bound.vss_usd)} a year: lost by planning for the mean scenario",
        f"  EVPI        {money(bound.evpi_usd)} a year: worth of knowing it all before buying",
    ]
    if bound.budgets_bind:
        lines.append("  budgets     bind: there is one bound for all materials, and none for each")
    text = "\n".join(lines) + "\n\n" + _materials(bound, plan)
    return text if plan is None else text + _MEANING


def foresight_json(bound: Foresight, plan: Plan | None = None) -> str:
    """Return the bound as JSON text, with the plan's cost and the difference where there is one."""
    data: dict[str, Any] = {
        name: getattr(bound, name)
        for name in bound.__dataclass_fields__
        if name not in ("materials", "holdings")
    }
    data["seconds"] = round(bound.seconds, 3)
    if plan is not None:
        data["plan_usd"] = plan.annual_cost_usd
        data["difference_usd"] = foresight_gap(plan, bound)
    tables = {name: getattr(bound, name) for name in ("materials", "holdings")}
    return json_text({name: plain(value) for name, value in data.items()}, tables)


def _materials(bound: Foresight, plan: Plan | None) -> str:
    """Show each material; what is not known of one alone is left out."""
    costs: dict[str, float] = {}
    if plan is not None:
        rows = plan.certificates
        costs = dict(zip(rows["material"], rows["annual_cost_usd"], strict=True))
    held = bound.holdings.groupby("material", sort=False)["holding_t"].sum()
    cells = []
    for row in bound.materials.to_dict(orient="records"):
        figures = [row["cost_usd"], row["vss_usd"], row["evpi_usd"]]
        if plan is not None:
            cost = costs.get(row["material"], math.nan)
            figures[1:1] = [cost, cost - row["bound_usd"]]
        # What is too small to be seen beside the cost is rounding.
        least = SEEN * abs(row["cost_usd"])
        shown = [0.0 if abs(figure) < least else figure / 1e6 for figure in figures]
        tonnes = float(held[row["material"]])
        cells.append([row["material"], number_text(tonnes), *map(number_text, shown)])
    of_plan = ["plan", "difference"] if plan is not None else []
    header = ["material", "hold t", "cost", *of_plan, "VSS", "EVPI"]
    title = "Best with foresight, million USD a year"
    return render_table(title, header, cells, left={0})
