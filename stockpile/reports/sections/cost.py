"""What drives the cost: nations, materials, and what is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.reports.charts import SERIES, bars
from stockpile.reports.document import Column, Figure, Section, Table

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.document import Cell
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

SHOWN = 16


def cost(evidence: Evidence, names: Names, say: Language) -> Section:
    """Return the section on costs."""
    plan = evidence.plan
    words = _words(evidence, say)
    by_nation = plan.costs.groupby("participant", sort=False)[list(words)].sum()
    open_ = plan.facilities["open"].to_numpy(dtype=bool)
    stores = plan.facilities[open_].groupby("participant")["fixed_cost_usd_per_year"].sum()
    rows: list[tuple[Cell, ...]] = []
    for key, row in zip(by_nation.index, by_nation.itertuples(index=False), strict=True):
        parts = [float(value) / 1e6 for value in row]
        parts.append(float(stores.get(key, 0.0)) / 1e6)
        rows.append((names.participant(str(key)), *parts, sum(parts)))
    sums = [sum(float(row[n] or 0.0) for row in rows) for n in range(1, len(words) + 3)]
    rows.append((say("All"), *sums))
    table = Table(
        "costs",
        say("Cost by nation"),
        (
            Column(say("Nation"), "participant"),
            *(
                Column(_capital(word), part, say("million USD a year"), "number")
                for part, word in words.items()
            ),
            Column(say("Stores"), "facilities", say("million USD a year"), "number"),
            Column(say("Total"), "total", say("million USD a year"), "number"),
        ),
        tuple(rows),
        note=say(
            "Holding: capital, rotation and storage. Expected shortage: what needs that nobody "
            "serves cost the economy, weighted by probability."
        ),
        total=True,
    )
    return Section("cost", say("What drives the cost"), (_figure(evidence, names, say), table))


def _words(evidence: Evidence, say: Language) -> dict[str, str]:
    """Return what is paid for in words; plants only where there are any."""
    words = {
        "holding": say("holding"),
        "shortage": say("expected shortage"),
        "shipping": say("shipping"),
    }
    if evidence.plan.costs["conversion"].any():
        words["conversion"] = say("conversion")
    return words


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _figure(evidence: Evidence, names: Names, say: Language) -> Figure:
    words = _words(evidence, say)
    costs = evidence.plan.costs.groupby("material", sort=False)[list(words)].sum()
    order = costs.sum(axis=1).sort_values(ascending=False, kind="stable")
    shown = list(order.index[:SHOWN]) if len(order) > SHOWN + 1 else list(order.index)
    others = say("{count} others", count=len(order) - len(shown))
    rows: list[dict[str, Any]] = []
    labels = [names.material(key) for key in shown]
    for place, (part, word) in enumerate(words.items()):
        of_part = costs[part] / 1e6
        rows += [
            {
                "label": names.material(key),
                "series": word,
                "place": place,
                "value": float(of_part[key]),
            }
            for key in shown
        ]
        if len(order) > len(shown):
            rest = float(of_part.drop(index=shown).sum())
            rows.append({"label": others, "series": word, "place": place, "value": rest})
    labels += [others] if len(order) > len(shown) else []
    forms = bars(
        rows,
        axis=say("million USD a year"),
        series=list(words.values()),
        order=labels,
        colours=SERIES,
    )
    text = say("Bars for the costliest materials, divided by what is paid for.")
    return forms.figure(
        "cost-by-material",
        say("Cost by material"),
        (
            Column(say("Material"), "material"),
            Column(say("Paid for"), "part"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in rows),
        text,
    )
