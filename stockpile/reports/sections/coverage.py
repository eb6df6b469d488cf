"""What was promised, and what is achieved: in the scenarios planned on, and on fresh ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.reports.charts import margins
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table
from stockpile.reports.names import readable

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.languages import Language
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names


def coverage(evidence: Evidence, names: Names, say: Language) -> Section:
    """Return the section on promises."""
    fresh = evidence.assessment
    table = evidence.plan.coverage if fresh is None else fresh.coverage
    parts: list[Part] = []
    if fresh is not None and fresh.seed is not None:
        parts.append(
            Paragraph(
                say(
                    "Judged on {count} scenarios (seed {seed}) that the plan has not seen: {kept} "
                    "of {promises} promises are kept.",
                    count=f"{fresh.scenario_count:,}",
                    seed=fresh.seed,
                    kept=int(fresh.coverage["met"].sum()),
                    promises=len(fresh.coverage),
                )
            )
        )
        if not fresh.coverage["met"].all():
            parts.append(_broken(fresh.coverage, names, say))
    if not table.empty:
        parts += [_figure(table, names, say), _table(table, names, say, judged=fresh is not None)]
    else:
        parts.append(Paragraph(say("Nothing is promised.")))
    return Section("coverage", say("What is promised, and what is kept"), tuple(parts))


def _broken(table: pd.DataFrame, names: Names, say: Language) -> Table:
    """Return the promises that are not kept, those that are missed by most first."""
    rows = table[~table["met"].to_numpy(dtype=bool)].to_dict(orient="records")
    rows.sort(key=_spare)
    return Table(
        "not-kept",
        say("Promises not kept on fresh scenarios"),
        (
            Column(say("Promise"), "promise"),
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("In the plan's scenarios"), "planned"),
            Column(say("On fresh ones"), "achieved"),
            Column(say("95 % interval"), "interval"),
            Column(say("Within sampling error"), "within"),
        ),
        tuple(
            (
                _kind(row, say),
                names.material(row["material"]),
                ", ".join(map(names.participant, row["participant"].split(";"))),
                _level(row["planned"], days=row["metric"] == "days"),
                _level(row["achieved"], days=row["metric"] == "days"),
                _interval(row),
                say("yes") if row["high"] + _spare(row) - row["achieved"] >= 0.0 else say("no"),
            )
            for row in rows
        ),
    )


def _interval(row: dict[Any, Any]) -> str:
    low, high = row["low"], row["high"]
    if row["metric"] == "days" or math.isnan(low) or low == high:
        return ""
    return f"{_level(low, days=False)} … {_level(high, days=False)}"


def _kind(row: dict[Any, Any], say: Language) -> str:
    """Say which kind of promise a row is, for all who have been promised it."""
    texts = {
        "fill_rate": say("{demand_class}: {level} of need on average"),
        "chance": say("{demand_class}: {level} of need, with probability {confidence}"),
        "cvar": say("{demand_class}: {level} of need in the worst {tail}"),
        "stress": say("{demand_class}: {level} of need in {stress}"),
        "days": say("{demand_class}: {days} days of cover"),
        "joint_chance": say("{group}: {level} of need at once, with probability {confidence}"),
    }
    confidence = row["confidence"]
    text = texts[row["metric"]].format(
        demand_class=say("all classes")
        if row["demand_class"] == "*"
        else row["demand_class"].replace(";", ", "),
        level=f"{100.0 * row['level']:.4g} %",
        days=f"{row['level']:g}",
        confidence="" if math.isnan(confidence) else f"{100.0 * confidence:.4g} %",
        tail="" if math.isnan(confidence) else f"{100.0 * (1.0 - confidence):.4g} %",
        stress=readable(row["stress"]),
        group=readable(row["group"]),
    )
    return text + say(" (without partners)") if row["sharing"] == "off" else text


def _spare(row: dict[Any, Any]) -> float:
    """Return by how much a promise is more than kept, as a fraction."""
    if row["metric"] in ("chance", "joint_chance"):
        return float(row["achieved"] - row["confidence"])
    if row["metric"] == "days":
        return float(row["achieved"] / row["level"] - 1.0) if row["level"] else math.nan
    return float(row["achieved"] - row["level"])


def _figure(table: pd.DataFrame, names: Names, say: Language) -> Figure:
    kept, broken = say("kept"), say("not kept")
    rows: list[dict[str, Any]] = []
    for row in table.to_dict(orient="records"):
        spare = _spare(row)
        if not math.isnan(spare) and row["metric"] != "days":
            rows.append(
                {
                    "label": _kind(row, say),
                    "series": kept if row["met"] else broken,
                    "value": spare,
                    "who": names.participant(row["participant"]),
                    "what": names.material(row["material"]),
                }
            )
    order = list(dict.fromkeys(row["label"] for row in rows))
    series = [kept, broken] if any(row["series"] == broken for row in rows) else [kept]
    forms = margins(
        rows,
        axis=say("more than promised (share of need, or probability)"),
        order=order,
        series=series,
    )
    text = say(
        "Every mark is one promise to one nation about one material. Left of the dashed line it is "
        "not kept."
    )
    return forms.figure(
        "margins",
        say("Room to spare, promise by promise"),
        (
            Column(say("Promise"), "promise"),
            Column(say("Nation"), "participant"),
            Column(say("Material"), "material"),
            Column(say("To spare"), "spare", kind="share"),
            Column(say("Kept"), "met"),
        ),
        tuple((r["label"], r["who"], r["what"], r["value"], r["series"]) for r in rows),
        text,
        text,
    )


def _table(table: pd.DataFrame, names: Names, say: Language, *, judged: bool) -> Table:
    """Return one row for every kind of promise, with the one that has least to spare."""
    kinds: dict[str, list[dict[Any, Any]]] = {}
    for row in table.to_dict(orient="records"):
        kinds.setdefault(_kind(row, say), []).append(row)
    rows: list[tuple[Cell, ...]] = []
    for kind, of_kind in kinds.items():
        tightest = min(
            of_kind, key=lambda row: math.inf if math.isnan(_spare(row)) else _spare(row)
        )
        days = tightest["metric"] == "days"
        cells: list[Cell] = [
            kind,
            f"{sum(bool(row['met']) for row in of_kind)}/{len(of_kind)}",
            f"{names.material(tightest['material'])}, {names.participant(tightest['participant'])}",
            _level(tightest["planned"] if judged else tightest["achieved"], days=days),
        ]
        if judged:
            cells += [_level(tightest["achieved"], days=days), _interval(tightest)]
        rows.append(tuple(cells))
    columns = [
        Column(say("Promise"), "promise"),
        Column(say("Kept"), "kept"),
        Column(say("Tightest"), "tightest"),
        Column(say("In the plan's scenarios"), "planned"),
    ]
    if judged:
        columns += [
            Column(say("On fresh ones"), "achieved"),
            Column(say("95 % interval"), "interval"),
        ]
    note = say("Tightest: the material and nation with least to spare, and what is achieved there.")
    return Table("coverage", say("Promises by kind"), tuple(columns), tuple(rows), note)


def promises_kept(table: pd.DataFrame, say: Language) -> Table:
    """Return how many promises of every kind are kept, and not by how much."""
    kinds: dict[str, list[bool]] = {}
    for row in table.to_dict(orient="records"):
        kinds.setdefault(_kind(row, say), []).append(bool(row["met"]))
    return Table(
        "coverage",
        say("Promises by kind"),
        (Column(say("Promise"), "promise"), Column(say("Kept"), "kept")),
        tuple((kind, f"{sum(met)}/{len(met)}") for kind, met in kinds.items()),
    )


def _level(value: float, *, days: bool) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if days else f"{math.floor(1e4 * value + 1e-6) / 100.0:.2f} %"
