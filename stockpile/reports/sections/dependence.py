"""Who supplies whom, before and after the projects of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.dependence import replacements
from stockpile.reports.amounts import percent
from stockpile.reports.document import Bullets, Column, Paragraph, Section, Table
from stockpile.reports.names import readable

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.names import Names

CHANGED = 5e-4
"""A smaller change of a share is none."""


def dependence(
    plan: Plan, instance: Instance | None, names: Names, say: Language
) -> Section | None:
    """Return the section on who supplies whom; None where nothing can be funded."""
    if plan.dependence.empty:
        return None
    rows: list[tuple[Cell, ...]] = []
    for row in plan.dependence.to_dict(orient="records"):
        cap = _cap(instance, row["participant"], row["material"], row["source"])
        if abs(row["share_before"] - row["share_after"]) < CHANGED and cap is None:
            continue
        rows.append(
            (
                names.material(row["material"]),
                names.participant(row["participant"]),
                _source(row["source"], names),
                row["share_before"],
                row["share_after"],
                cap,
                row["hhi_before"],
                row["hhi_after"],
            )
        )
    new = [
        say(
            "{nation}, {material}: this plan replaces {replaced} by {source}, which then supplies "
            "{part}.",
            nation=names.participant(item.participant),
            material=names.material(item.material),
            replaced=_source(item.replaced, names) or say("supply that is never at risk"),
            source=_source(item.source, names),
            part=percent(item.share),
        )
        for item in replacements(plan)
    ]
    parts: list[Part] = [Bullets(tuple(new))] if new else []
    if rows:
        parts.append(_table(tuple(rows), say))
    else:
        parts.append(Paragraph(say("Projects change nothing in who supplies whom.")))
    return Section("dependence", say("Who supplies whom"), tuple(parts))


def _source(key: str, names: Names) -> str:
    """Return the name of a source; a project that is its own source has none but its key."""
    return names.source(key) if key in names.sources else readable(key)


def _cap(instance: Instance | None, participant: str, material: str, source: str) -> float | None:
    """Return the least share that a source is limited to; None where it is not."""
    shares = [
        row.max_share
        for row in (() if instance is None else instance.concentration)
        if all(
            cell == ("*",) or key in cell
            for cell, key in (
                (row.participant, participant),
                (row.material, material),
                (row.source, source),
            )
        )
    ]
    return min(shares, default=None)


def _table(rows: tuple[tuple[Cell, ...], ...], say: Language) -> Table:
    return Table(
        "dependence",
        say("Shares of supply before and after projects"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Source"), "source"),
            Column(say("Before"), "share_before", kind="share"),
            Column(say("After"), "share_after", kind="share"),
            Column(say("At most"), "max_share", kind="share"),
            Column(say("HHI before"), "hhi_before", kind="number"),
            Column(say("HHI after"), "hhi_after", kind="number"),
        ),
        rows,
        say(
            "Sources whose share changes or is limited. HHI: sum of the squared shares of named "
            "sources, 0 to 1."
        ),
    )
