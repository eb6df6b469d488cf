"""What becomes of the plan where assumptions are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.reports.amounts import money, percent
from stockpile.reports.charts import tornado
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.document import Cell
    from stockpile.reports.evidence import Evidence
    from stockpile.sensitivities import Sensitivity


def doubt(evidence: Evidence, say: Language) -> Section | None:
    """Return the section on sensitivity; None where nothing was varied."""
    found = evidence.sensitivity
    if found is None or found.single.empty:
        return None
    words = {
        "prices": say("prices"),
        "hazard rates": say("hazard rates"),
        "demand": say("demand"),
        "shortage costs": say("shortage costs"),
    }
    changes = found.combined["change_usd_per_year"]
    text = say(
        "The plan stays as it is: holdings and rules are those agreed. Each assumption is taken "
        "{change} lower and higher, and the plan judged on {count} scenarios. With all at their "
        "worst the cost rises by {worst} a year, with all at their best it falls by {least}.",
        change=percent(found.change),
        count=f"{found.scenario_count:,}",
        worst=money(float(changes.max()), say),
        least=money(-float(changes.min()), say),
    )
    parts = (
        Paragraph(text),
        _figure(found, words, say),
        _single(found, words, say),
        _combined(found, words, say),
    )
    return Section("sensitivity", say("Where assumptions may be wrong"), parts)


def _figure(found: Sensitivity, words: dict[str, str], say: Language) -> Figure:
    series = [
        say("{part} lower", part=percent(found.change)),
        say("{part} higher", part=percent(found.change)),
    ]
    rows: list[dict[str, Any]] = [
        {
            "label": words[row["factor"]],
            "series": series[int(row["times"] > 1.0)],
            "value": row["change_usd_per_year"] / 1e6,
        }
        for row in found.single.to_dict(orient="records")
    ]
    reach: dict[str, float] = {}
    for row in rows:
        reach[row["label"]] = max(reach.get(row["label"], 0.0), abs(row["value"]))
    order = sorted(reach, key=lambda label: -reach[label])
    axis = say("change of cost, million USD a year")
    forms = tornado(rows, axis=axis, order=order, series=series)
    text = say("Bars to both sides for every assumption; the widest matters most.")
    title = say("Change of cost by assumption")
    return forms.figure(
        "tornado",
        title,
        (
            Column(say("Assumption"), "factor"),
            Column(say("Taken"), "taken"),
            Column(say("Change"), "change", say("million USD a year"), "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in rows),
        text,
    )


def _single(found: Sensitivity, words: dict[str, str], say: Language) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            say("as assumed"),
            1.0,
            found.annual_cost_usd / 1e6,
            0.0,
            _kept(found.promises_kept, found),
        )
    ]
    rows += [
        (
            words[row["factor"]],
            row["times"],
            row["annual_cost_usd"] / 1e6,
            row["change_usd_per_year"] / 1e6,
            _kept(row["promises_kept"], found),
        )
        for row in found.single.to_dict(orient="records")
    ]
    return Table(
        "sensitivity",
        say("One assumption at a time"),
        (
            Column(say("Assumption"), "factor"),
            Column(say("Times"), "times", kind="number"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
            Column(say("Change"), "change", say("million USD a year"), "number"),
            Column(say("Promises kept"), "promises_kept"),
        ),
        tuple(rows),
    )


def _combined(found: Sensitivity, words: dict[str, str], say: Language) -> Table:
    factors = [name for name in words if name in found.combined.columns]
    order = found.combined["change_usd_per_year"].sort_values(kind="stable").index
    rows = found.combined.loc[order].to_dict(orient="records")
    return Table(
        "combined",
        say("All at once"),
        (
            *(Column(words[name], name.replace(" ", "_"), kind="number") for name in factors),
            Column(say("Change"), "change", say("million USD a year"), "number"),
            Column(say("Promises kept"), "promises_kept"),
        ),
        tuple(
            (
                *(row[name] for name in factors),
                row["change_usd_per_year"] / 1e6,
                _kept(row["promises_kept"], found),
            )
            for row in rows
        ),
    )


def _kept(kept: int, found: Sensitivity) -> str:
    return f"{kept}/{found.promises}"
