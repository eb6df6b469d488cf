"""What to hold of each material, against what is held today."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from stockpile.daily_use import days, yearly_use
from stockpile.problem import DAYS_PER_YEAR
from stockpile.reports.charts import LINEAR, dumbbells
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

FAR = 8
"""Times the median beyond which the most days of cover would squeeze all others."""


def holdings(evidence: Evidence, names: Names, say: Language) -> Section:
    """Return the section on holdings."""
    plan = evidence.plan
    use = _use(evidence)
    rows: list[tuple[Cell, ...]] = []
    drawn: list[dict[str, Any]] = []
    for row in plan.holdings.to_dict(orient="records"):
        cover, held = row["days_of_cover"], row["holding_t"]
        existing_days = days(row["existing_t"], use.get((row["participant"], row["material"]), 0.0))
        rows.append(
            (
                names.material(row["material"]),
                names.participant(row["participant"]),
                row["existing_t"],
                held,
                row["buy_t"],
                existing_days,
                None if math.isnan(cover) else cover,
                row["outlay_usd"] / 1e6,
                row["annual_holding_cost_usd"] / 1e6,
            )
        )
        if existing_days is not None and not math.isnan(cover):
            drawn.append(
                {
                    "label": names.material(row["material"]),
                    "series": names.participant(row["participant"]),
                    "before": existing_days,
                    "after": cover,
                }
            )
    sums = [sum(float(row[place] or 0.0) for row in rows) for place in (7, 8)]
    rows.append((say("All"), "", None, None, None, None, None, *sums))
    table = Table(
        "holdings",
        say("Holdings by material and nation"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Held today"), "existing_t", "t", "number"),
            Column(say("To hold"), "holding_t", "t", "number"),
            Column(say("To buy"), "buy_t", "t", "number"),
            Column(say("Cover today"), "existing_days", say("days"), "number"),
            Column(say("Cover planned"), "days_of_cover", say("days"), "number"),
            Column(say("Purchases"), "outlay_million_usd", say("million USD"), "number"),
            Column(
                say("Holding cost"),
                "annual_holding_cost_million_usd",
                say("million USD a year"),
                "number",
            ),
        ),
        tuple(rows),
        note=say(
            "Tonnes of contained material. Days of cover: holding over normal daily use by all."
        ),
        total=True,
    )
    parts: list[Part] = []
    if drawn:
        parts.append(_days(drawn, names, say))
    parts.append(table)
    if not plan.facilities.empty:
        parts.append(_facilities(evidence, names, say))
    if not plan.limits.empty:
        parts += _limits(evidence, names, say)
    return Section("holdings", say("What to hold"), tuple(parts))


def _use(evidence: Evidence) -> dict[tuple[str, str], float]:
    """Return normal demand [t/year]; without an instance, as far as the plan itself tells."""
    if evidence.instance is not None:
        return yearly_use(evidence.instance)
    return {
        (row["participant"], row["material"]): DAYS_PER_YEAR
        * row["holding_t"]
        / row["days_of_cover"]
        for row in evidence.plan.holdings.to_dict(orient="records")
        if row["days_of_cover"] > 0.0
    }


def _days(drawn: list[dict[str, Any]], names: Names, say: Language) -> Figure:
    # Where plants use a form, its stock may be years of what the nation itself uses as it is.
    shown = [most for row in drawn if (most := max(row["before"], row["after"])) > 0.0]
    wide = bool(shown) and max(shown) > FAR * statistics.median(shown)
    forms = dumbbells(
        drawn,
        axis=say("days of normal use, logarithmic beyond {days}", days=LINEAR)
        if wide
        else say("days of normal use"),
        logarithmic=wide,
        order=[name for name in names.materials.values() if any(r["label"] == name for r in drawn)],
    )
    return forms.figure(
        "days-of-cover",
        say("Days of cover, today and planned"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Cover today"), "existing_days", say("days"), "number"),
            Column(say("Cover planned"), "days_of_cover", say("days"), "number"),
        ),
        tuple((r["label"], r["series"], r["before"], r["after"]) for r in drawn),
        say(
            "For each material and nation, days of cover today (open mark) and planned (full mark)."
        ),
        say("Open mark: today. Full mark: planned."),
    )


def _facilities(evidence: Evidence, names: Names, say: Language) -> Table:
    return Table(
        "facilities",
        say("Stores"),
        (
            Column(say("Store"), "facility"),
            Column(say("Nation"), "participant"),
            Column(say("Kind"), "storage_kind"),
            Column(say("Room"), "capacity_t", "t", "number"),
            Column(say("Open"), "open"),
            Column(
                say("Fixed cost"), "fixed_cost_million_usd", say("million USD a year"), "number"
            ),
        ),
        tuple(
            (
                row["facility"],
                names.participant(row["participant"]),
                row["storage_kind"],
                row["capacity_t"],
                say("yes") if row["open"] else say("no"),
                row["fixed_cost_usd_per_year"] / 1e6 if row["open"] else None,
            )
            for row in evidence.plan.facilities.to_dict(orient="records")
        ),
    )


def _limits(evidence: Evidence, names: Names, say: Language) -> list[Part]:
    rows = []
    for row in evidence.plan.limits.to_dict(orient="records"):
        money = "USD" in row["unit"]
        size = 1e6 if money else 1.0
        who = (
            say("all together")
            if row["participant"] == "all"
            else names.participant(row["participant"])
        )
        rows.append(
            (
                f"{row['limit']} {row['item']}".strip(),
                who,
                row["used"] / size,
                row["allowed"] / size,
                row["unit"].replace("USD", say("million USD")) if money else row["unit"],
                row["used"] / row["allowed"] if row["allowed"] else None,
            )
        )
    table = Table(
        "limits",
        say("Limits that all materials share"),
        (
            Column(say("Limit"), "limit"),
            Column(say("Of"), "participant"),
            Column(say("Used"), "used", kind="number"),
            Column(say("Allowed"), "allowed", kind="number"),
            Column(say("Unit"), "unit"),
            Column(say("Part used"), "part", kind="share"),
        ),
        tuple(rows),
    )
    binding = [row for row in rows if row[5] is not None and row[5] >= 0.99]
    text = say(
        "{count} of {all} limits are used up, to 99 % or more.", count=len(binding), all=len(rows)
    )
    return [Paragraph(text), table]
