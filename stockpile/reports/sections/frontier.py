"""What more coverage or less money costs, where that has been computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.reports.charts import band
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.document import Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names
    from stockpile.reports.saved import SavedFrontier

SHOWN = 15


def frontier(evidence: Evidence, names: Names, say: Language) -> Section | None:
    """Return the section on the frontier; None where there is none."""
    saved = evidence.frontier
    if saved is None:
        return None
    parts: list[Part] = []
    if saved.points["annual_cost_usd"].notna().any():
        parts.append(_curve(saved, say))
    else:
        parts.append(Paragraph(say("No point of the curve has a plan.")))
    if saved.marginals is not None and len(saved.marginals):
        parts.append(_marginals(saved, names, say))
    return Section("frontier", say("What more coverage, or less money, costs"), tuple(parts))


def _curve(saved: SavedFrontier, say: Language) -> Figure:
    words = {"low": say("proved bound"), "high": say("best plan found")}
    rows = [
        {
            "x": row["parameter"],
            "high": row["annual_cost_usd"] / 1e6,
            "low": (
                row["bound_usd"] if not math.isnan(row["bound_usd"]) else row["annual_cost_usd"]
            )
            / 1e6,
        }
        for row in saved.points.to_dict(orient="records")
        if not math.isnan(row["annual_cost_usd"]) and not math.isnan(row["parameter"])
    ]
    meaning = {
        "coverage": say("what promises let slip, as a multiple of today's"),
        "budget": say("budget, as a multiple"),
    }[str(saved.summary["vary"])]
    forms = band(rows, x=meaning, y=say("million USD a year"), words=words)
    text = say("The curve of cost, and the proved bound below it.")
    return forms.figure(
        "frontier",
        say("Cost along the curve"),
        (
            Column(meaning, "parameter", kind="number"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
            Column(say("Proved bound"), "bound", say("million USD a year"), "number"),
        ),
        tuple((row["x"], row["high"], row["low"]) for row in rows),
        text,
    )


def _marginals(saved: SavedFrontier, names: Names, say: Language) -> Table:
    assert saved.marginals is not None
    known = saved.marginals[saved.marginals["change_usd_per_year"].notna()]
    order = known["change_usd_per_year"].abs().sort_values(ascending=False, kind="stable").index
    unit = say("million USD a year")
    rows = known.loc[order].head(SHOWN).to_dict(orient="records")
    return Table(
        "marginals",
        say("What one step more costs"),
        (
            Column(say("Step"), "kind"),
            Column(say("Nation"), "participant"),
            Column(say("Material"), "material"),
            Column(say("From"), "before", kind="number"),
            Column(say("To"), "after", kind="number"),
            Column(say("Change"), "change", unit, "number"),
            Column(say("Least"), "least", unit, "number"),
            Column(say("Most"), "most", unit, "number"),
        ),
        tuple(
            (
                f"{row['kind']} {row['metric']} {row['demand_class']}".strip(),
                names.participant(row["participant"]),
                names.material(row["material"]) if row["material"] else say("all"),
                row["before"],
                row["after"],
                row["change_usd_per_year"] / 1e6,
                row["low_usd_per_year"] / 1e6,
                row["high_usd_per_year"] / 1e6,
            )
            for row in rows
        ),
        note=say("The steps that move the cost most; least and most are proved."),
    )
