"""A replay as text for a terminal or a pipe; never simulates anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.display import render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.desk.replay import Replay

MOST_STOCKS = 20
"""Stocks of which the course is printed; those come first of which most has been taken."""
SHOWN = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36)
"""Months, or weeks, whose stocks are printed."""


def replay_text(found: Replay) -> str:
    """Print the course of a case, what the desk would have done, and what is known of it."""
    stocks = "stocks of today" if found.existing else "stocks of the plan"
    head = (
        f"Replay of {found.stress} for {found.instance_name} ({found.instance_hash[:12]}), "
        f"cooperation {found.cooperation}, {stocks}\n"
        f"  Each {found.period} knows what had begun by then; what is to be expected: "
        f"{found.continuations:,} continuations, seed {found.seed}\n\n"
    )
    return head + "\n".join([_months(found), _stocks(found), _firsts(found)])


def _months(found: Replay) -> str:
    rows = [
        [
            f"{row[found.period]}",
            row["going_on"].replace(";", ", ") or "-",
            *(number_text(row[name]) for name in ("need_t", "own_t", "partner_t", "unserved_t")),
            row["outcome"],
        ]
        for row in found.months.to_dict(orient="records")
    ]
    header = [found.period, "going on", "needed\nt", "own\nt", "partners\nt", "unserved\nt"]
    return render_table(
        f"{found.period.capitalize()} by {found.period}, all materials",
        [*header, "what is known to have happened"],
        rows,
        left={1, 6},
        wrapped={1, 6},
    )


def _stocks(found: Replay) -> str:
    """Print what is left of stocks, and when half of all continuations have them run out."""
    table = found.stocks
    last = int(table[found.period].max()) if len(table) else 0
    shown = [step for step in SHOWN if step <= last]
    if not shown:
        return "Nothing is held of what the case is about.\n"
    courses: list[tuple[float, tuple[Any, ...], dict[int, float], dict[int, float]]] = []
    for names, own in table.groupby(["participant", "material"], sort=False):
        left = dict(zip(own[found.period], own["stock_t"], strict=True))
        runs_out = dict(zip(own[found.period], own[f"{found.period}_50"], strict=True))
        full = left[1] or 1.0
        if min(left.values()) < left[1]:
            courses.append((min(left.values()) / full, names, left, runs_out))
    courses.sort(key=lambda item: item[0])
    rows = [
        [*map(str, names), *(_stock(left[step], runs_out[step]) for step in shown)]
        for _, names, left, runs_out in courses[:MOST_STOCKS]
    ]
    if not rows:
        return "Nothing is released from any stock.\n"
    of = f": {MOST_STOCKS} of {len(courses)}" if len(courses) > MOST_STOCKS else ""
    return render_table(
        f"Stocks at the beginning of {found.period}s, t, and in brackets in how many "
        f"{found.period}s it was as likely as not that they would have run out{of}",
        ["owner", "material", *(f"{found.period} {step}" for step in shown)],
        rows,
        left={0, 1},
    )


def _stock(tonnes: float, runs_out: float) -> str:
    text = number_text(tonnes)
    return text if math.isnan(runs_out) else f"{text} ({runs_out:.0f})"


def _firsts(found: Replay) -> str:
    """Say since when anything was released, and since when anything was missing."""
    lines = []
    if len(found.orders):
        lines.append(f"First release in {found.period} {int(found.orders[found.period].min())}.")
    missing = found.needed[found.needed["unserved_t"] > 1e-9]
    for demand_class, rows in missing.groupby("demand_class", sort=False):
        first = rows[rows[found.period] == rows[found.period].min()]
        of = ", ".join(
            f"{row['participant']} {row['material']}" for row in first.to_dict(orient="records")[:4]
        )
        more = f" and {len(first) - 4} more" if len(first) > 4 else ""
        when = f"{found.period} {int(first[found.period].iloc[0])}"
        lines.append(f"First unserved {demand_class} need in {when}: {of}{more}.")
    if not len(missing):
        lines.append("Nothing was unserved.")
    return "\n".join(lines) + "\n"
