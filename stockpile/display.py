"""Plans and assessments as text for a terminal or a pipe; never solves anything."""

from __future__ import annotations

import io
import math
import shutil
import sys
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stockpile.languages import language
from stockpile.number_text import number_text
from stockpile.plan import COST_PARTS
from stockpile.reports import amounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import pandas as pd

    from stockpile.outofsample import Assessment
    from stockpile.plan import Plan

PIPE_WIDTH = 140
"""Width of tables where no terminal tells one."""
COST_WORDS = {"shortage": "expected shortage"}
"""Heads of columns that say more than the name of the column."""
ROOMY = 110
"""Columns from which on tables show all there is."""
BINDING = 0.99
"""Part of a limit from which on it counts as binding: whole lots rarely use up the rest."""


def plan_summary(plan: Plan) -> str:
    """Say in a few lines what a solve has brought."""
    from stockpile.display_projects import projects_line  # It builds on this file.

    title = f"{plan.instance_name} ({plan.instance_hash[:12]}), cooperation {plan.cooperation}"
    drawn = drawn_text(plan.scenario_count, plan.seed, plan.sampling)
    lines = [f"Plan for {title}", f"  status      {plan.status} ({plan.seconds:.1f} s, {drawn})"]
    if plan.annual_cost_usd is None or plan.bound_usd is None or plan.gap is None:
        return "\n".join(lines) + "\n"
    lines += [
        f"  cost        {money(plan.annual_cost_usd)} a year",
        f"  bound       {money(plan.bound_usd)} a year; no plan from this menu costs less",
        f"  gap         {100.0 * plan.gap:.3f} %{_joined(plan)}",
        *_alone(plan),
        f"  outlay      {money(float(plan.holdings['outlay_usd'].sum()))} to buy what is missing",
        *_stores(plan),
        *projects_line(plan),
        f"  promises    {int(plan.coverage['met'].sum())} of {len(plan.coverage)} kept in these "
        "scenarios; on fresh ones: stockpile evaluate",
    ]
    return "\n".join(lines) + "\n"


def _alone(plan: Plan) -> list[str]:
    """Say how far what nobody pays more than (16) may be from the least that they would pay."""
    if not plan.alone_gap:
        return []
    return [
        "  alone       what each would pay alone, and pays no more than, is from a plan within "
        f"{100.0 * plan.alone_gap:.3g} % of the best"
    ]


def redacted_text(summary: Mapping[str, Any]) -> str:
    """Say in a few lines what a solve has brought, from which something is hidden."""
    lines = [
        f"Plan for {summary['instance']['name']}, cooperation {summary['cooperation']}, without "
        f"{' and '.join(summary['hidden'])}",
        f"  status      {summary['status']} ({summary['scenario_count']:,} scenarios)",
    ]
    if summary["annual_cost_usd"] is not None:
        lines += [
            f"  cost        about {money(summary['annual_cost_usd'])} a year",
            f"  gap         {100.0 * summary['gap']:.2g} %",
            f"  promises    {summary['promises_kept']} of {summary['promises']} kept in these "
            "scenarios",
        ]
    return "\n".join(lines) + "\n"


def plan_tables(plan: Plan) -> str:
    """Print holdings, rules, costs, coverage, limits, facilities and projects as tables."""
    from stockpile.display_projects import projects_text  # It builds on this file.

    if not plan.found:
        if plan.conflicts:
            return "\nWhat cannot be kept\n" + "".join(
                f"  {conflict}\n" for conflict in plan.conflicts
            )
        return ""
    parts = [_holdings(plan), _instructions(plan), _costs(plan), _coverage(plan)]
    if len(plan.limits):
        parts.append(_limits(plan))
    if len(plan.facilities):
        parts.append(_facilities(plan))
    if len(plan.projects):
        parts.append(projects_text(plan))
    return "\n" + "\n".join(parts)


def assessment_text(assessment: Assessment) -> str:
    """Print what a plan costs and keeps on fresh scenarios."""
    drawn = drawn_text(assessment.scenario_count, assessment.seed, assessment.sampling)
    interval = ""
    if assessment.seed is not None:
        low, high = money(assessment.low_usd), money(assessment.high_usd)
        interval = f", 95 % interval {low} to {high}"
    lines = [
        f"Judged on {drawn}",
        f"  cost        {money(assessment.annual_cost_usd)} a year{interval}",
        f"  planned     {money(assessment.planned_cost_usd)} a year",
        f"  promises    {int(assessment.coverage['met'].sum())} of {len(assessment.coverage)} kept",
    ]
    if assessment.projects_usd:
        lines.append(f"  projects    {money(assessment.projects_usd)} a year of the cost")
    if assessment.facilities_usd:
        of_stores = money(assessment.facilities_usd)
        lines.insert(2, f"  facilities  {of_stores} a year, which is part of the cost")
    if assessment.seed is None:
        lines.append("  The instance gives its scenarios itself: these are the plan's own.")
    text = "\n".join(lines) + "\n\n" + _coverage_table(assessment.coverage, "Coverage") + "\n"
    if len(assessment.limits):
        text += _judged_limits(assessment) + "\n"
    if assessment.broken:
        text += "Held in the plan's sample but not here:\n"
        text += "".join(f"  {promise}\n" for promise in assessment.broken)
    else:
        kept = "Every promise that" if assessment.limits.empty else "Every promise and limit that"
        text += f"{kept} held in the plan's sample holds here.\n"
    return text


def drawn_text(count: int, seed: int | None, sampling: str | None) -> str:
    """Say how many scenarios there are and how they were drawn; no seed: they were given."""
    text = f"{count:,} scenarios"
    if seed is not None:
        text += f", seed {seed}"
    if sampling == "stratified":
        text += ", stratified"
    return text


def money(usd: float) -> str:
    """Write an amount of money with three significant digits or more and its unit.

    >>> money(1_234_567.0)
    '1.235 million USD'
    """
    return amounts.money(usd, language("en"), digits=4)


def _joined(plan: Plan) -> str:
    """Say so where limits join the materials: none has a bound of its own then."""
    alone = plan.certificates["bound_usd"].notna().any() or plan.certificates.empty
    return "" if alone else ", of all materials together, which limits join"


def _stores(plan: Plan) -> list[str]:
    """Say how many facilities are open and what that costs; nothing where there are none."""
    if plan.facilities.empty:
        return []
    cost = money(float(plan.facilities["fixed_cost_usd_per_year"].sum()))
    number = f"{int(plan.facilities['open'].sum())} of {len(plan.facilities)}"
    return [f"  facilities  {number} open for {cost} a year, which is part of the cost"]


def _holdings(plan: Plan) -> str:
    merged = plan.holdings.merge(plan.rules, on=["participant", "material"], sort=False)
    rows = [
        {
            "material": row["material"],
            "participant": row["participant"],
            "lots": f"{row['lots']:,}",
            "holding t": number_text(row["holding_t"]),
            "days": number_text(row["days_of_cover"], digits=0),
            "existing t": number_text(row["existing_t"]),
            "buy t": number_text(row["buy_t"]),
            "outlay\nM USD": number_text(row["outlay_usd"] / 1e6),
            "rule": row["rule"] if row["lots"] else "-",
        }
        for row in merged.to_dict(orient="records")
    ]
    left_out = () if _width() >= ROOMY else ("lots", "existing t", "buy t")
    header = [name for name in rows[0] if name not in left_out]
    cells = [[row[name] for name in header] for row in rows]
    return render_table("What to hold", header, cells, left={0, 1, len(header) - 1})


def _instructions(plan: Plan) -> str:
    used = plan.rules[plan.rules["instruction"] != "Nothing is held."]
    rows = [
        [rule, f"{len(group)}", group["instruction"].iloc[0]]
        for rule, group in used.groupby("rule", sort=False)
    ]
    return render_table(
        "Rules in use", ["rule", "stocks", "instruction"], rows, left={0, 2}, wrapped={2}
    )


def _costs(plan: Plan) -> str:
    shown = [part for part in COST_PARTS if part != "conversion" or plan.costs[part].any()]
    total = plan.costs.groupby("participant", sort=False)[shown].sum()
    rows = [
        [
            str(name),
            *(number_text(row[part] / 1e6) for part in total.columns),
            number_text(sum(row[part] for part in total.columns) / 1e6),
        ]
        for name, row in zip(total.index, total.to_dict(orient="records"), strict=True)
    ]
    return render_table(
        "Costs, million USD a year",
        ["participant", *(COST_WORDS.get(part, part) for part in shown), "total"],
        rows,
        left={0},
    )


def _limits(plan: Plan) -> str:
    """Show what is used of the limits that all materials share; a full one is marked."""
    rows = []
    for row in plan.limits.to_dict(orient="records"):
        unit = row["unit"].replace("USD", "M USD")
        size = 1e6 if "USD" in unit else 1.0
        part = row["used"] / row["allowed"] if row["allowed"] > 0.0 else math.nan
        rows.append(
            [
                f"{row['limit']} {row['item']}".strip(),
                row["participant"],
                number_text(row["used"] / size),
                number_text(row["allowed"] / size),
                unit,
                "-" if math.isnan(part) else f"{100.0 * part:.1f} %",
                "binding" if part >= BINDING else "",
            ]
        )
    header = ["limit", "of", "used", "allowed", "unit", "part", ""]
    text = render_table("Limits that all materials share", header, rows, left={0, 1, 4, 6})
    if any(row[-1] for row in rows):
        text += f"Binding: {100.0 * BINDING:g} % or more is used.\n"
    return text


def _judged_limits(assessment: Assessment) -> str:
    """Show what is used here of limits that depend on scenarios, in million USD a year."""
    rows = [
        [
            row["limit"],
            row["participant"],
            number_text(row["planned"] / 1e6),
            number_text(row["used"] / 1e6),
            "-"
            if assessment.seed is None
            else f"{number_text(row['low'] / 1e6)} to {number_text(row['high'] / 1e6)}",
            number_text(row["allowed"] / 1e6),
            "yes" if row["met"] else "no",
        ]
        for row in assessment.limits.to_dict(orient="records")
    ]
    header = ["limit", "of", "planned", "here", "95 % interval", "allowed", "kept"]
    return render_table("Limits, million USD a year", header, rows, left={0, 1, 6})


def _facilities(plan: Plan) -> str:
    rows = [
        [
            row["facility"],
            row["participant"],
            row["storage_kind"],
            number_text(row["capacity_t"]),
            "yes" if row["open"] else "no",
            number_text(row["fixed_cost_usd_per_year"] / 1e6) if row["open"] else "-",
        ]
        for row in plan.facilities.to_dict(orient="records")
    ]
    header = ["facility", "participant", "kind", "capacity t", "open", "M USD a year"]
    return render_table("Facilities", header, rows, left={0, 1, 2, 4})


def _coverage(plan: Plan) -> str:
    return _coverage_table(plan.coverage, "Coverage")


def _coverage_table(coverage: pd.DataFrame, title: str) -> str:
    """Show all promises: those that are kept one by one, then those that are kept at once."""
    if coverage.empty:
        return f"{title}\n  Nothing is promised.\n"
    at_once = coverage["metric"] == "joint_chance"
    parts = _single_promises(coverage[~at_once], title)
    parts += [
        _joint_promise(rows, title) for _, rows in coverage[at_once].groupby("group", sort=False)
    ]
    return "\n".join(parts)


def _joint_promise(rows: pd.DataFrame, title: str) -> str:
    """Show one joint chance group: all of its rows hold at once, with one probability."""
    first = rows.iloc[0]
    reached = _digits(first["achieved"], "joint_chance")
    if "low" in first and first["low"] < first["high"]:
        reached += f" [{first['low']:.4f}, {first['high']:.4f}]"
    kept = "kept" if first["met"] else "not kept"
    heading = (
        f"{title} of {first['group']} at once: {reached}, promised {first['confidence']:g}, {kept}"
    )
    cells = [
        [
            f"{row['level']:g}",
            row["demand_class"].replace(";", ", "),
            row["participant"].replace(";", ", "),
            _who(row),
            row["material"].replace(";", ", "),
        ]
        for row in rows.to_dict(orient="records")
    ]
    header = ["level", "class", "participant", "stock of", "materials"]
    return render_table(heading, header, cells, left={1, 2, 3, 4}, wrapped={1, 2, 4})


def _single_promises(coverage: pd.DataFrame, title: str) -> list[str]:
    """Group promises of one kind, and show the one with the least to spare."""
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
            render_table(
                f"{title} in {case}" if case else title, header, rows, left={0, 1, 2, 3, 6}
            )
        )
    return parts


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


def _width() -> int:
    """Return the columns of the terminal, or what suits a pipe."""
    return max(80, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def render_table(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    left: set[int],
    wrapped: Collection[int] = (),
) -> str:
    """Lay out a table.

    Parameters
    ----------
    left
        Columns that are set flush left.
    wrapped
        Columns whose cells may take several lines; everything else stays on its line.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )
    for place, name in enumerate(header):
        justify: Literal["left", "right"] = "left" if place in left else "right"
        table.add_column(Text(name), justify=justify, no_wrap=place not in wrapped)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: names are never read as markup.
    stream = io.StringIO()
    console = Console(file=stream, width=_width(), force_terminal=False, highlight=False)
    # Above the table, not as its title, which would be wrapped to the width of the table.
    console.print(Text(title))
    console.print(table)
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.replace("─", "-")
    return text
