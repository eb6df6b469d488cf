"""Counter-moves as text for a terminal or a pipe; never solves anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.answer_cases import PLANNED
from stockpile.display import drawn_text, render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.countering import CounterMoves

MILLION = 1e6


def counter_moves_text(found: CounterMoves) -> str:
    """Print the plan in each case, new plans where there are any, and what survives."""
    drawn = drawn_text(found.scenario_count, found.seed, found.sampling)
    text = (
        f"Counter-moves against the plan for {found.instance_name} ({found.instance_hash[:12]}), "
        f"cooperation {found.cooperation}\n  on its own {drawn}\n\n" + _cases(found)
    )
    if len(found.solved):
        text += "\n" + _solved(found)
    return text + "\n" + _conclusions(found)


def _cases(found: CounterMoves) -> str:
    rows = [
        [
            row["case"],
            f"{100.0 * row['probability']:.1f} %",
            number_text(row["annual_cost_usd"] / MILLION),
            "" if row["case"] == PLANNED else _signed(row["change_usd_per_year"]),
            number_text(row["projects_usd"] / MILLION),
            f"{row['promises_kept']}/{row['promises']}",
            f"{row['limits_broken']}",
        ]
        for row in found.cases.to_dict(orient="records")
    ]
    header = [
        "case",
        "differs\nwith",
        "M USD\na year",
        "change",
        "of it for\nprojects",
        "promises",
        "limits\nbroken",
    ]
    return render_table("The plan as it stands", header, rows, left={0}, wrapped={0})


def _signed(usd: float) -> str:
    """Write a change with its sign; less than a dollar is none."""
    if abs(usd) < 1.0:
        return "0"
    return f"{'+' if usd > 0.0 else ''}{number_text(usd / MILLION)}"


def _solved(found: CounterMoves) -> str:
    rows = [
        [
            row["case"],
            row["status"],
            "-"
            if math.isnan(row["annual_cost_usd"])
            else number_text(row["annual_cost_usd"] / MILLION),
            _signed(-row["saving_usd_per_year"]),
            row["projects_funded"].replace(";", ", ") or "-",
            f"{row['holdings_changed']}",
        ]
        for row in found.solved.to_dict(orient="records")
    ]
    header = [
        "case",
        "status",
        "M USD\na year",
        "against\nthe plan",
        "projects funded",
        "holdings\nchanged",
    ]
    return render_table("Worked out anew", header, rows, left={0, 1, 4}, wrapped={0, 4})


def _conclusions(found: CounterMoves) -> str:
    table = found.conclusions
    lost = table[table["survives"] < table["cases"]]
    rows = [
        [
            ", ".join(filter(None, (row["participant"], row["material"]))) or "-",
            row["conclusion"],
            f"{row['survives']} of {row['cases']}",
            row["changed_in"],
        ]
        for row in lost.to_dict(orient="records")
    ]
    text = ""
    if rows:
        header = ["of", "conclusion", "survives in", "not in"]
        title = "Conclusions that do not survive every case"
        text += render_table(title, header, rows, left={0, 1, 2, 3}, wrapped={0, 1, 3})
    return text + f"{len(table) - len(lost)} of {len(table)} conclusions survive every case.\n"
