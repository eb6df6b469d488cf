"""What acting together saves: three worlds, who saves, who pays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.reports.amounts import money
from stockpile.reports.charts import SERIES, bars
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.languages import Language
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

SHOWN = 10


def cooperation(evidence: Evidence, names: Names, say: Language) -> Section | None:
    """Return the section on acting together; None where nothing was compared."""
    if evidence.comparison is None:
        return None
    summary, tables = evidence.comparison.summary, evidence.comparison.tables
    worlds = {
        "none": say("each alone"),
        "sharing": say("sharing"),
        "joint": say("sharing, one budget"),
    }
    parts: list[Part] = []
    low, high = summary.get("saving_lower_usd"), summary.get("saving_upper_usd")
    if low is not None and high is not None:
        parts.append(
            Paragraph(
                say(
                    "The saving lies between {low} and {high} a year, which is proved.",
                    low=money(float(low), say),
                    high=money(float(high), say),
                )
            )
        )
    floors = tables["floors"]
    if len(floors):
        count = len(floors)
        text = say("{count} promises rest on partners: they break if nobody shares.", count=count)
        parts.append(Paragraph(text))
    if tables["worlds"]["annual_cost_usd"].notna().any():
        parts.append(_figure(tables["borne"], worlds, names, say))
        parts.append(_worlds(tables["worlds"], worlds, say))
    if len(tables["splits"]):
        parts.append(_splits(tables["splits"], names, say))
    if len(tables["reasons"]) and summary.get("agreed") is not None:
        parts.append(_reasons(tables["reasons"], str(summary["agreed"]), names, say))
    return Section("cooperation", say("What acting together saves, and who pays"), tuple(parts))


def _figure(borne: pd.DataFrame, worlds: dict[str, str], names: Names, say: Language) -> Figure:
    rows: list[dict[str, Any]] = []
    nations = [names.participant(key) for key in dict.fromkeys(borne["participant"])]
    for row in borne.to_dict(orient="records"):
        nation = names.participant(row["participant"])
        rows.append(
            {
                "label": worlds[row["world"]],
                "series": nation,
                "place": nations.index(nation),
                "value": row["total_usd"] / 1e6,
            }
        )
    forms = bars(
        rows,
        axis=say("million USD a year"),
        series=nations,
        order=list(worlds.values()),
        colours=SERIES,
    )
    text = say("Bars for the three worlds, divided by nation.")
    title = say("What each nation bears")
    return forms.figure(
        "worlds-borne",
        title,
        (
            Column(say("World"), "world"),
            Column(say("Nation"), "participant"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in rows),
        text,
    )


def _worlds(table: pd.DataFrame, worlds: dict[str, str], say: Language) -> Table:
    def million(value: float) -> Cell:
        return None if math.isnan(value) else value / 1e6

    unit = say("million USD a year")
    return Table(
        "worlds",
        say("Three worlds"),
        (
            Column(say("World"), "world"),
            Column(say("Cost"), "cost", unit, "number"),
            Column(say("Proved bound"), "bound", unit, "number"),
            Column(say("Saving"), "saving", unit, "number"),
            Column(say("Least"), "least", unit, "number"),
            Column(say("Most"), "most", unit, "number"),
        ),
        tuple(
            (
                worlds[row["world"]],
                million(row["annual_cost_usd"]),
                million(row["bound_usd"]),
                million(row["saving_usd"]),
                million(row["saving_lower_usd"]),
                million(row["saving_upper_usd"]),
            )
            for row in table.to_dict(orient="records")
        ),
    )


def _splits(table: pd.DataFrame, names: Names, say: Language) -> Table:
    words = {
        "shapley": say("Shapley value"),
        "nash": say("Nash bargaining"),
        "proportional": say("in proportion to costs alone"),
    }
    unit = say("million USD a year")
    return Table(
        "splits",
        say("Who pays"),
        (
            Column(say("Split"), "split"),
            Column(say("Nation"), "participant"),
            Column(say("Alone"), "alone", unit, "number"),
            Column(say("Pays"), "pays", unit, "number"),
            Column(say("Saves"), "saves", unit, "number"),
            Column(say("Side payment"), "side_payment", unit, "number"),
        ),
        tuple(
            (
                words.get(row["split"], row["split"]),
                names.participant(row["participant"]),
                row["alone_usd"] / 1e6,
                row["pays_usd"] / 1e6,
                row["saving_usd"] / 1e6,
                row["side_payment_usd"] / 1e6,
            )
            for row in table.to_dict(orient="records")
        ),
        note=say("Side payment: what a nation pays to the others besides the costs that it bears."),
    )


def _reasons(table: pd.DataFrame, agreed: str, names: Names, say: Language) -> Table:
    unit = say("million USD a year")
    rows = table[table["world"] == agreed].sort_values("saving_usd", ascending=False, kind="stable")
    return Table(
        "reasons",
        say("Where the saving comes from"),
        (
            Column(say("Material"), "material"),
            Column(say("Alone"), "alone", unit, "number"),
            Column(say("Saving"), "saving", unit, "number"),
            Column(say("Fewer tonnes"), "fewer_tonnes", unit, "number"),
            Column(say("Cheaper place"), "cheaper_place", unit, "number"),
            Column(say("Fewer shortages"), "fewer_shortages", unit, "number"),
            Column(say("Needs at the same time"), "coincidence", kind="share"),
        ),
        tuple(
            (
                names.material(row["material"]),
                row["alone_usd"] / 1e6,
                row["saving_usd"] / 1e6,
                row["fewer_tonnes_usd"] / 1e6,
                row["cheaper_place_usd"] / 1e6,
                row["fewer_shortages_usd"] / 1e6,
                None if math.isnan(row["coincidence"]) else row["coincidence"],
            )
            for row in rows.head(SHOWN).to_dict(orient="records")
        ),
        note=say("The {count} materials with the largest saving.", count=min(SHOWN, len(rows))),
    )
