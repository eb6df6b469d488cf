"""Frontiers and marginals as text for a terminal or a pipe; never solves anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.display import drawn_text, money, render_table
from stockpile.marginal_costs import FULL, KEPT
from stockpile.number_text import number_text
from stockpile.plan import Status

if TYPE_CHECKING:
    from stockpile.frontier_points import Frontier, Point
    from stockpile.marginal_costs import Marginals

CHART_WIDTH = 50
"""Columns between the least bound and the greatest cost of a chart."""


def frontier_text(frontier: Frontier) -> str:
    """Print a frontier as a chart and a table."""
    return _heading(frontier) + _chart(frontier) + "\n" + _table(frontier) + _remarks(frontier)


def marginals_text(marginals: Marginals) -> str:
    """Print what each step costs or saves."""
    title = "What one step more costs (+) or saves (-), USD a year"
    if marginals.annual_cost_usd is None:
        return f"\n{title}\n  There is no plan to start from ({marginals.status}).\n"
    if marginals.table.empty:
        return f"\n{title}\n  No step was solved.\n"
    status = marginals.table["status"]
    kept, full = marginals.table[status == KEPT], marginals.table[status == FULL]
    rows = []
    for row in marginals.table[~status.isin([KEPT, FULL])].to_dict(orient="records"):
        promise = " ".join(filter(None, (row["metric"], row["demand_class"], row["stress"])))
        low, high = row["low_usd_per_year"], row["high_usd_per_year"]
        rows.append(
            [
                "" if row["kind"] == "budget" else f"{row['row']}",
                row["participant"],
                _shortened(row["material"]) or "-",
                promise + (" without partners" if row["sharing"] == "off" else "") or "budget",
                _step(row["kind"], row["before"], row["after"]),
                "" if math.isnan(row["change_usd_per_year"]) else _signed(row),
                "" if math.isnan(high) else f"{_amount(low)} to {_amount(high)}",
                row["reading"],
            ]
        )
    header = ["row", "of", "material", "what", "step", "change", "interval", "reading"]
    text = "\n"
    if rows:
        text += render_table(title, header, rows, left={1, 2, 3, 4, 7}, wrapped={2, 3})
    else:
        text += f"{title}\n"
    if len(kept):
        most = float(kept["high_usd_per_year"].max())
        cost = f"at most {_amount(most)} USD a year" if most >= 0.5 else "nothing"
        text += f"Steps to what the plan keeps already: {len(kept)}, each costs {cost}.\n"
    if len(full):
        text += f"Promises that are 1, with no more to promise: {len(full)}.\n"
    return text


def _heading(frontier: Frontier) -> str:
    drawn = drawn_text(frontier.scenario_count, frontier.seed, frontier.sampling)
    name = f"{frontier.instance_name} ({frontier.instance_hash[:12]})"
    return (
        f"Cost against {frontier.vary} for {name}, cooperation {frontier.cooperation}\n"
        f"  {len(frontier.points)} of {frontier.asked} points "
        f"({frontier.seconds:.1f} s, {drawn}, gap {100.0 * frontier.gap:g} % asked)\n"
        f"  parameter: {frontier.meaning}\n\n"
    )


def _chart(frontier: Frontier) -> str:
    """Draw a line for each point from its bound to its cost, on a scale that does not begin at 0.

    Only plain letters: any terminal can show them.
    """
    ends = [
        value
        for point in frontier.points
        for value in (point.annual_cost_usd, point.bound_usd)
        if value is not None and point.annual_cost_usd is not None
    ]
    if not ends:
        return "No point has a plan.\n"
    low, high = min(ends), max(ends)
    scale = CHART_WIDTH / (high - low) if high > low else 0.0
    lines = [f"{'parameter':>10}  annual cost, from {money(low)} to {money(high)}"]
    lines += [f"{_parameter(point):>10}  |{_bar(point, low, scale)}" for point in frontier.points]
    lines.append(f"{'':>10}  o cost of the plan; = from it down to the bound")
    return "\n".join(lines) + "\n"


def _bar(point: Point, low: float, scale: float) -> str:
    if point.annual_cost_usd is None:
        return f" {_status(point)}"
    cost = round((point.annual_cost_usd - low) * scale)
    bound = cost if point.bound_usd is None else round((point.bound_usd - low) * scale)
    return " " * bound + "=" * (cost - bound) + "o"


def _table(frontier: Frontier) -> str:
    rows = []
    for point in frontier.points:
        cells = [_parameter(point)]
        if frontier.vary == "budget":
            cells.append(_million(point.budget_usd))
        taken = {point.plan_of, point.bound_of} - {point.point, None}
        cells += [
            _status(point),
            _million(point.annual_cost_usd),
            _million(point.bound_usd),
            "-" if point.gap is None else f"{100.0 * point.gap:.3f}",
            _million(point.outlay_usd),
            "-" if point.holding_t is None else number_text(point.holding_t),
            f"{point.seconds:.1f}",
            ", ".join(f"{of}" for of in sorted(of for of in taken if of is not None)),
        ]
        rows.append([f"{point.point}", *cells])
    header = ["point", "parameter"]
    if frontier.vary == "budget":
        header.append("budget\nM USD")
    header += [
        "status",
        "cost\nM USD/year",
        "bound\nM USD/year",
        "gap %",
        "outlay\nM USD",
        "held t",
        "seconds",
        "helped by\npoint",
    ]
    return render_table("Points", header, rows, left={header.index("status")})


def _remarks(frontier: Frontier) -> str:
    """Say what a table cannot."""
    text = ""
    for point in frontier.points:
        for conflict in point.conflicts:
            text += f"Point {point.point} cannot be had: {conflict}\n"
    if frontier.monotone and any(
        of not in (point.point, None)
        for point in frontier.points
        for of in (point.plan_of, point.bound_of)
    ):
        text += (
            "Helped by: a plan for a stricter point is one for a looser point, and a bound of a "
            "looser\npoint is one of a stricter point; the better of its own and theirs is shown.\n"
        )
    return text + "".join(f"{note}\n" for note in frontier.notes)


def _parameter(point: Point) -> str:
    return "no limit" if point.parameter is None else f"{point.parameter:.4g}"


def _status(point: Point) -> str:
    if point.plan is None and point.status in (Status.TIME_LIMIT, Status.INTERRUPTED):
        return f"{point.status}, no plan"
    return str(point.status)


def _million(usd: float | None) -> str:
    return "-" if usd is None else number_text(usd / 1e6)


def _step(kind: str, before: float, after: float) -> str:
    if kind == "budget":
        return f"{number_text(before / 1e6)} to {number_text(after / 1e6)} M USD"
    return f"{before:.6g} to {after:.6g}" + (" days" if kind == "days" else "")


def _signed(row: dict[object, float]) -> str:
    return f"{'+' if row['change_usd_per_year'] > 0.0 else ''}{_amount(row['change_usd_per_year'])}"


def _amount(usd: float) -> str:
    return f"{usd:,.0f}" if abs(usd) >= 0.5 else "0"


def _shortened(names: str) -> str:
    """Write a long list with its first name and how many follow."""
    first, *more = names.split(";")
    return f"{first} and {len(more)} more" if len(more) > 1 else names.replace(";", ", ")
