"""The report on one plan: the answer, then what stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.document import Bullets, Document, Section
from stockpile.reports.names import Names
from stockpile.reports.sections.answer import lead, picture
from stockpile.reports.sections.assured import assured
from stockpile.reports.sections.certificate import certificate
from stockpile.reports.sections.chain import chain, words_for_tonnes
from stockpile.reports.sections.cooperation import cooperation
from stockpile.reports.sections.cost import cost
from stockpile.reports.sections.coverage import coverage
from stockpile.reports.sections.dependence import dependence
from stockpile.reports.sections.doubt import doubt
from stockpile.reports.sections.frontier import frontier
from stockpile.reports.sections.holdings import holdings
from stockpile.reports.sections.ladder import ladder
from stockpile.reports.sections.offices import offices
from stockpile.reports.sections.projects import projects
from stockpile.reports.sections.sources import sources
from stockpile.reports.sections.stress import stress
from stockpile.reports.sections.supply import supply

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.evidence import Evidence


def plan_report(evidence: Evidence, say: Language) -> Document:
    """Return the report on a plan."""
    plan, instance = evidence.plan, evidence.instance
    names = Names.of(plan, instance)
    title = (instance.title if instance is not None else "") or plan.instance_name
    worlds = {
        "none": say("Each nation alone."),
        "sharing": say("Rules may serve partners."),
        "joint": say("Rules may serve partners, and budgets are one."),
    }
    subtitle = worlds[plan.cooperation]
    if instance is not None:
        subtitle += " " + say("Money is USD of {year}.", year=instance.price_year)
    if plan.found:
        found: tuple[Section | None, ...] = (
            holdings(evidence, names, say),
            ladder(evidence, names, say),
            *_assurance(evidence, names, say),
            coverage(evidence, names, say),
            stress(evidence, names, say),
            cost(evidence, names, say),
            cooperation(evidence, names, say),
            frontier(evidence, names, say),
            doubt(evidence, say),
            offices(evidence, say),
        )
    else:
        found = (_conflicts(evidence, say),)
    rest = (supply(evidence, names, say), sources(evidence, say), certificate(plan, names, say))
    return Document(
        title=title,
        subtitle=subtitle,
        lead=lead(evidence, names, say),
        picture=picture(evidence, names, say),
        sections=tuple(section for section in (*found, *rest) if section is not None),
        language=say.code,
    )


def _assurance(evidence: Evidence, names: Names, say: Language) -> tuple[Section | None, ...]:
    """Return the sections on chains, ways, projects and dependence."""
    plan, found = evidence.plan, evidence.assurance
    replaced = dependence(plan, evidence.instance, names, say)
    if found is None:
        return (replaced,)
    held = words_for_tonnes(found.problem, found.decisions[0])
    blocks = [flows.block for flows in found.flows]
    return (
        chain(found.problem, blocks, found.flows, held, names, say),
        assured(found, names, say),
        projects(plan, found.problem, found.scenarios, found.decisions, held, names, say),
        replaced,
    )


def _conflicts(evidence: Evidence, say: Language) -> Section | None:
    if not evidence.plan.conflicts:
        return None
    return Section(
        "conflicts", say("What cannot be kept"), (Bullets(tuple(evidence.plan.conflicts)),)
    )
