"""Hold, convert, build or recycle: in which ways needs are assured, and what each costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.assurance.assurance import (
    ANSWERS,
    CONVERTED,
    HELD,
    PARTNER,
    PARTNER_CONVERTED,
    PROJECT,
    RECYCLING,
)
from stockpile.reports.document import Column, Paragraph, Section, Table
from stockpile.reports.names import readable

if TYPE_CHECKING:
    from stockpile.assurance.assurance import Assurance, Way
    from stockpile.languages import Language
    from stockpile.reports.names import Names


def assured(assurance: Assurance | None, names: Names, say: Language) -> Section | None:
    """Return the section on ways to assure needs; None where there is one way only."""
    if assurance is None or not assurance.ways:
        return None
    problem = assurance.problem
    rows = tuple(
        (
            names.material(problem.materials[way.material]),
            names.participant(problem.participants[way.participant]),
            _in_words(way, names, say),
            way.served,
            None if math.isnan(way.part) else way.part,
            None if math.isnan(way.cost) else way.cost,
            None if math.isnan(way.use) else way.use,
            say("yes") if way.cheapest else "",
        )
        for way in assurance.ways
    )
    table = Table(
        "assurance",
        say("Ways in which needs are assured"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Way"), "way"),
            Column(say("Serves"), "served_t_per_year", say("t a year"), "number"),
            Column(say("Part of the need"), "part", kind="share"),
            Column(say("Costs"), "cost_usd_per_t_year", say("USD a year per tonne"), "number"),
            Column(say("When used"), "use_usd_per_t", say("USD per tonne"), "number"),
            Column(say("Cheapest"), "cheapest"),
        ),
        rows,
        say(
            "The need is what would be expected without projects and recycling. A tonne of cover "
            "costs a year: what is held as such, its holding cost; what is converted, that of the "
            "tonnes that make one; a project, its cost over its output in full. A stock is there "
            "once, a project's output every year. Plants and shipments are paid when used."
        ),
    )
    paragraph = Paragraph(_cheapest(assurance, say))
    return Section("assurance", say("Hold, convert, build or recycle"), (paragraph, table))


def _in_words(way: Way, names: Names, say: Language) -> str:
    form = names.material(way.item)
    if way.kind == HELD:
        return say("held as such")
    if way.kind == CONVERTED:
        return say("converted from {form}", form=form)
    if way.kind == PARTNER:
        return say("a partner's stock")
    if way.kind == PARTNER_CONVERTED:
        return say("a partner's {form}, converted", form=form)
    if way.kind == PROJECT:
        return say("project {name}", name=readable(way.item))
    if way.kind == ANSWERS:
        return say("events that answer projects")
    if way.kind == RECYCLING:
        return say("recycling")
    return say("not met")


def _cheapest(assurance: Assurance, say: Language) -> str:
    """Say how many needs are assured most cheaply in which way."""
    kinds = [way.kind for way in assurance.ways if way.cheapest]
    return say(
        "Of {count} needs of a nation for a material, a tonne of cover costs least a year for "
        "{held} if it is held as such, for {converted} if another form is held and converted when "
        "needed, for {partner} if a partner holds it, and for {project} if a project makes it.",
        count=len(kinds),
        held=kinds.count(HELD),
        converted=kinds.count(CONVERTED) + kinds.count(PARTNER_CONVERTED),
        partner=kinds.count(PARTNER),
        project=kinds.count(PROJECT),
    )
