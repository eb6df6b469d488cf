"""The report on a plan whose stock levels are not shown: bands, rules, promises, supply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.assurance.assurance import planned
from stockpile.blocks import build_blocks
from stockpile.redaction import NO_STOCK, band_names, redacted_holdings, redacted_summary
from stockpile.reports.amounts import money
from stockpile.reports.charts import dots
from stockpile.reports.document import Column, Document, Figure, Paragraph, Section, Table
from stockpile.reports.evidence import Evidence
from stockpile.reports.names import Names
from stockpile.reports.sections.chain import chain
from stockpile.reports.sections.coverage import promises_kept
from stockpile.reports.sections.ladder import ladder
from stockpile.reports.sections.projects import projects
from stockpile.reports.sections.sources import sources
from stockpile.reports.sections.supply import supply

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Part


def redacted_report(
    plan: Plan, instance: Instance, hidden: Collection[str], say: Language
) -> Document:
    """Return the report on a plan without what is hidden."""
    names = Names.of(plan, instance)
    summary = redacted_summary(plan, hidden)
    sections: list[Section | None] = []
    picture = None
    if plan.found:
        rows = redacted_holdings(plan, instance, hidden)
        evidence = Evidence(plan, instance)
        picture = _picture(rows, names, say) if "holdings" in hidden else None
        sections = [
            Section("holdings", say("What to hold"), (_table(rows, names, say),)),
            ladder(evidence, names, say),
            *_assurance(plan, instance, rows, names, say),
            Section(
                "coverage",
                say("What is promised, and what is kept"),
                (promises_kept(plan.coverage, say),),
            ),
            supply(evidence, names, say),
            sources(evidence, say),
        ]
    sections.append(_certificate(summary, say))
    return Document(
        title=instance.title or plan.instance_name,
        subtitle=say("Some figures are hidden, and shown as bands."),
        lead=_lead(plan, summary, say),
        picture=picture,
        sections=tuple(section for section in sections if section is not None),
        language=say.code,
    )


def _assurance(
    plan: Plan, instance: Instance, rows: list[dict[str, Any]], names: Names, say: Language
) -> tuple[Section | None, ...]:
    """Return the sections on chains and projects without what tells of amounts.

    What flows through plants, and how much each way serves, would tell how much is held; shares
    of supply would tell how much projects make.
    """
    if not (instance.conversions or instance.projects):
        return ()
    problem, scenarios, decisions = planned(instance, plan)
    held = {(row["participant"], row["material"]): _shown(row["holding"], say) for row in rows}
    return (
        chain(problem, build_blocks(problem), (), held, names, say),
        projects(plan, problem, scenarios, decisions, held, names, say, amounts=False),
    )


def _lead(plan: Plan, summary: dict[str, Any], say: Language) -> tuple[str, ...]:
    if not plan.found:
        if plan.conflicts:
            return (say("Not all promises and limits can be kept."),)
        return (say("The solve ended before there was a plan."),)
    kept = say(
        "The plan keeps {kept} of {promises} promises in the scenarios planned on.",
        kept=summary["promises_kept"],
        promises=summary["promises"],
    )
    return (
        kept if summary["promises"] else say("No coverage is promised."),
        say("It costs about {cost} a year.", cost=money(summary["annual_cost_usd"], say)),
        say("How much is held is shown as bands of days of cover, not as quantities."),
    )


def _shown(text: str, say: Language) -> str:
    words = {
        "none": say("none"),
        "some": say("some"),
        **{
            name: say("{days} days", days=name.replace("up to", "≤").replace("over", ">"))
            for name in band_names()
            if name != NO_STOCK
        },
    }
    return words.get(text, text)


def _picture(rows: list[dict[str, Any]], names: Names, say: Language) -> Figure:
    order = [_shown(name, say) for name in band_names()]
    drawn = [
        {
            "label": names.material(row["material"]),
            "series": names.participant(row["participant"]),
            "band": _shown(row["holding"], say),
        }
        for row in rows
        if row["holding"] in band_names()
    ]
    labels = list(dict.fromkeys(row["label"] for row in drawn))
    forms = dots(drawn, axis=say("days of cover planned"), order=labels, bands=order)
    title = say("Days of cover planned, in bands")
    text = say("For each material and nation, the band of days of cover.")
    return forms.figure(
        "bands",
        title,
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Cover planned"), "band"),
        ),
        tuple((row["label"], row["series"], row["band"]) for row in drawn),
        text,
    )


def _table(rows: list[dict[str, Any]], names: Names, say: Language) -> Table:
    return Table(
        "holdings",
        say("Holdings by material and nation"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Held today"), "existing"),
            Column(say("To hold"), "holding"),
            Column(say("Rule"), "rule"),
        ),
        tuple(
            (
                names.material(row["material"]),
                names.participant(row["participant"]),
                _shown(row["existing"], say),
                _shown(row["holding"], say),
                row["rule"],
            )
            for row in rows
        ),
        note=say("Bands are days of cover: stock over normal daily use by all."),
    )


def _certificate(summary: dict[str, Any], say: Language) -> Section:
    rows: list[tuple[str, str]] = [
        (say("Instance"), summary["instance"]["name"]),
        (say("Cooperation"), summary["cooperation"]),
        (say("Status"), summary["status"]),
        (say("Scenarios"), f"{summary['scenario_count']:,}"),
    ]
    if summary["gap"] is not None:
        rows.append((say("Gap"), f"{100.0 * summary['gap']:.2g} %"))
    rows += list(summary["versions"].items())
    parts: tuple[Part, ...] = (
        Paragraph(
            say(
                "The hash of the instance is left out: with it, anybody could check a guess of "
                "what is hidden."
            )
        ),
        Table(
            "certificate",
            say("Certificate"),
            (Column(say("What"), "what"), Column(say("Value"), "value")),
            tuple(rows),
        ),
    )
    return Section("certificate", say("Certificate"), parts)
