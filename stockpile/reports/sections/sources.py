"""Every assumption and reference behind the figures, with its number and where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.document import Column, Paragraph, Section, Table
from stockpile.tables import TABLES

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.reports.evidence import Evidence


def sources(evidence: Evidence, say: Language) -> Section | None:
    """Return the section on references; None where the instance is not known or has none."""
    instance = evidence.instance
    if instance is None or not instance.references:
        return None
    kinds = {
        "reported": say("reported"),
        "derived": say("derived"),
        "estimate": say("estimate"),
        "assumption": say("assumption"),
    }
    used = _used(instance)
    assumptions = sum(row.kind == "assumption" for row in instance.references)
    text = say(
        "{count} references; {assumptions} of them are assumptions of this instance, not figures "
        "that somebody has published.",
        count=len(instance.references),
        assumptions=assumptions,
    )
    table = Table(
        "references",
        say("Assumptions and references"),
        (
            Column(say("No."), "number", kind="whole"),
            Column(say("Kind"), "kind"),
            Column(say("Title"), "title"),
            Column(say("Year"), "year"),
            Column(say("Address"), "url"),
            Column(say("Used in"), "tables"),
        ),
        tuple(
            (
                number,
                kinds[row.kind],
                row.title,
                "" if row.year is None else str(row.year),
                row.url,
                ", ".join(used.get(row.ref, ())),
            )
            for number, row in enumerate(instance.references, start=1)
        ),
    )
    return Section("references", say("Assumptions and references"), (Paragraph(text), table))


def _used(instance: Instance) -> dict[str, list[str]]:
    """Return the tables that name each reference."""
    used: dict[str, list[str]] = {}
    for table in TABLES:
        for row in getattr(instance, table):
            for ref in getattr(row, "ref", ()) if table != "references" else ():
                tables = used.setdefault(ref, [])
                if table not in tables:
                    tables.append(table)
    return used
