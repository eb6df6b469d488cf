"""Plans and assessments as text for a terminal or a pipe; never solves anything."""

from __future__ import annotations

import io
import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from stockpile.outofsample import Assessment
    from stockpile.plan import Plan

PIPE_WIDTH = 140
"""Width of tables where no terminal tells one."""
ROOMY = 110
"""Columns from which on tables show all there is."""


def plan_summary(plan: Plan) -> str:
    """Say in a few lines what a solve has brought."""
    title = f"{plan.instance_name} ({plan.instance_hash[:12]}), cooperation {plan.cooperation}"
    drawn = f"{plan.scenario_count:,} scenarios"
    drawn += "" if plan.seed is None else f", seed {plan.seed}"
    lines = [f"Plan for {title}", f"  status      {plan.status} ({plan.seconds:.1f} s, {drawn})"]
    if plan.annual_cost_usd is None or plan.bound_usd is None or plan.gap is None:
        return "\n".join(lines) + "\n"
    lines += [
        f"  cost        {money(plan.annual_cost_usd)} a year",
        f"  bound       {money(plan.bound_usd)} a year; no plan from this menu costs less",
        f"  gap         {100.0 * plan.gap:.3f} %",
        f"  outlay      {money(float(plan.holdings['outlay_usd'].sum()))} to buy what is missing",
        f"  promises    {int(plan.coverage['met'].sum())} of {len(plan.coverage)} kept in these "
        "scenarios; on fresh ones: stockpile evaluate",
    ]
    return "\n".join(lines) + "\n"


def plan_tables(plan: Plan) -> str:
    """Print holdings, rules, costs and coverage of a plan as tables."""
    if not plan.found:
        if plan.conflicts:
            return "\nPromises that cannot be kept\n" + "".join(
                f"  {conflict}\n" for conflict in plan.conflicts
            )
        return ""
    parts = [_holdings(plan), _instructions(plan), _costs(plan), _coverage(plan)]
    return "\n" + "\n".join(parts)


def assessment_text(assessment: Assessment) -> str:
    """Print what a plan costs and keeps on fresh scenarios."""
    drawn = f"{assessment.scenario_count:,} scenarios"
    interval = ""
    if assessment.seed is not None:
        drawn += f", seed {assessment.seed}"
        low, high = money(assessment.low_usd), money(assessment.high_usd)
        interval = f", 95 % interval {low} to {high}"
    lines = [
        f"Judged on {drawn}",
        f"  cost        {money(assessment.annual_cost_usd)} a year{interval}",
        f"  planned     {money(assessment.planned_cost_usd)} a year",
        f"  promises    {int(assessment.coverage['met'].sum())} of {len(assessment.coverage)} kept",
    ]
    if assessment.seed is None:
        lines.append("  The instance gives its scenarios itself: these are the plan's own.")
    text = "\n".join(lines) + "\n\n" + _coverage_table(assessment.coverage, "Coverage") + "\n"
    if assessment.broken:
        text += "Held in the plan's sample but not here:\n"
        text += "".join(f"  {promise}\n" for promise in assessment.broken)
    else:
        text += "Every promise that held in the plan's sample holds here.\n"
    return text


def money(usd: float) -> str:
    """Write an amount of money with three significant digits or more and its unit.

    >>> money(1_234_567.0)
    '1.235 million USD'
    """
    for size, word in (
        (1e12, " trillion"),
        (1e9, " billion"),
        (1e6, " million"),
        (1e3, " thousand"),
    ):
        if abs(usd) >= 0.99995 * size:
            return f"{usd / size:,.4g}{word} USD"
    return f"{usd:,.4g} USD"


def _holdings(plan: Plan) -> str:
    merged = plan.holdings.merge(plan.rules, on=["participant", "material"], sort=False)
    rows = [
        {
            "material": row["material"],
            "participant": row["participant"],
            "lots": f"{row['lots']:,}",
            "holding t": _number(row["holding_t"]),
            "days": _number(row["days_of_cover"], digits=0),
            "existing t": _number(row["existing_t"]),
            "buy t": _number(row["buy_t"]),
            "outlay\nM USD": _number(row["outlay_usd"] / 1e6),
            "rule": row["rule"] if row["lots"] else "-",
        }
        for row in merged.to_dict(orient="records")
    ]
    left_out = () if _width() >= ROOMY else ("lots", "existing t", "buy t")
    header = [name for name in rows[0] if name not in left_out]
    cells = [[row[name] for name in header] for row in rows]
    return _render("What to hold", header, cells, left={0, 1, len(header) - 1})


def _instructions(plan: Plan) -> str:
    used = plan.rules[plan.rules["instruction"] != "Nothing is held."]
    rows = [
        [rule, f"{len(group)}", group["instruction"].iloc[0]]
        for rule, group in used.groupby("rule", sort=False)
    ]
    return _render("Rules in use", ["rule", "stocks", "instruction"], rows, left={0, 2})


def _costs(plan: Plan) -> str:
    total = plan.costs.groupby("participant", sort=False)[["holding", "shortage", "shipping"]].sum()
    rows = [
        [
            str(name),
            *(_number(row[part] / 1e6) for part in total.columns),
            _number(sum(row[part] for part in total.columns) / 1e6),
        ]
        for name, row in zip(total.index, total.to_dict(orient="records"), strict=True)
    ]
    return _render(
        "Costs, million USD a year",
        ["participant", "holding", "expected shortage", "shipping", "total"],
        rows,
        left={0},
    )


def _coverage(plan: Plan) -> str:
    return _coverage_table(plan.coverage, "Coverage")


def _coverage_table(coverage: pd.DataFrame, title: str) -> str:
    """Group promises of one kind, and show the one with the least to spare."""
    if coverage.empty:
        return f"{title}\n  Nothing is promised.\n"
    cases: dict[str, dict[tuple[str, ...], list[dict[Any, Any]]]] = {}
    for row in coverage.to_dict(orient="records"):
        at = "" if math.isnan(row["confidence"]) else f" at {row['confidence']:g}"
        kind: tuple[str, ...] = (
            f"{row['metric']} {row['level']:g}{at}",
            row["demand_class"],
            row["participant"],
            _who(row),
        )
        cases.setdefault(row["stress"], {}).setdefault(kind, []).append(row)
    header = ["promise", "class", "participant", "stock of", "kept", "tightest", "material"]
    parts = []
    for case, kinds in cases.items():
        rows = []
        for promise, of_kind in kinds.items():
            tightest = min(of_kind, key=_spare)
            kept = f"{sum(row['met'] for row in of_kind)}/{len(of_kind)}"
            achieved = _digits(tightest["achieved"], tightest["metric"])
            rows.append([*promise, kept, achieved, tightest["material"]])
        parts.append(
            _render(f"{title} in {case}" if case else title, header, rows, left={0, 1, 2, 3, 6})
        )
    return "\n".join(parts)


def _who(row: dict[Any, Any]) -> str:
    """Say whose stock a promise rests on."""
    if row["metric"] == "days":
        return "pool" if row["group"] else "own"
    return "own" if row["sharing"] == "off" else "all"


def _spare(row: dict[Any, Any]) -> float:
    """Say by how much a promise is more than kept; a promise of nothing has all the room."""
    promised: float = row["confidence"] if row["metric"] == "chance" else row["level"]
    spare: float = row["achieved"] - promised
    return math.inf if math.isnan(spare) else spare


def _digits(value: float, metric: str) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.1f}" if metric == "days" else f"{value:.4f}"


def _number(value: float, digits: int = 4) -> str:
    """Write a number with thousands separators and about so many significant digits."""
    if value is None or math.isnan(value):
        return "-"
    if digits == 0 or abs(value) >= 10.0 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def _width() -> int:
    """Return the columns of the terminal, or what suits a pipe."""
    return max(80, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def _render(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], left: set[int]
) -> str:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )
    for place, name in enumerate(header):
        # Long instructions are wrapped; everything else stays on its line.
        wrapped = name == "instruction"
        table.add_column(name, justify="left" if place in left else "right", no_wrap=not wrapped)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: names are never read as markup.
    stream = io.StringIO()
    console = Console(file=stream, width=_width(), force_terminal=False, highlight=False)
    console.print(table)
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.replace("─", "-")
    return text
