"""Projects and stocks over time: what starts when, and from when on stocks could be run down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.assurance.timeline import reserves, starts
from stockpile.reports.document import Column, Paragraph, Section, Table
from stockpile.reports.names import readable
from stockpile.reports.timeline_chart import timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stockpile.assurance.timeline import Reserve, Start
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.reports.document import Figure
    from stockpile.reports.names import Names
    from stockpile.scenarios import ScenarioSet


def projects(
    plan: Plan,
    problem: Problem,
    scenarios: ScenarioSet,
    decisions: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
    *,
    amounts: bool = True,
) -> Section | None:
    """Return the section on projects; None where there are none.

    Parameters
    ----------
    decisions
        Lots (C, M), rules (C, M) and states of projects (N,).
    held
        What is held, in words, by participant and material.
    amounts
        Whether money and tonnes are shown, which are purchases like those of stock.
    """
    if not problem.projects.count:
        return None
    lots, _, states = decisions
    of_projects = starts(problem, scenarios, states)
    found = reserves(problem, of_projects, lots)
    covered = sum(reserve.run_down is not None for reserve in found)
    text = say(
        "{funded} of {count} projects are funded. Of {reserves} stocks of what projects make, "
        "{covered} could be run down within or after the horizon, because projects then supply as "
        "much as the largest source does today.",
        funded=sum(start.funded for start in of_projects),
        count=len(of_projects),
        reserves=len(found),
        covered=covered,
    )
    return Section(
        "projects",
        say("Projects and stocks over time"),
        (
            Paragraph(text),
            _figure(problem, of_projects, found, held, names, say),
            _projects(plan, of_projects, say, amounts=amounts),
            _reserves(problem, found, held, names, say, amounts=amounts),
        ),
    )


def _figure(
    problem: Problem,
    of_projects: Sequence[Start],
    found: Sequence[Reserve],
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
) -> Figure:
    last = round(problem.period.months(problem.horizon))
    series = (
        say("project starts (10 to 90 % of the scenarios)"),
        say("stock is needed"),
        say("stock could be run down"),
    )
    rows: list[dict[str, Any]] = []
    marks = []
    for start in of_projects:
        if start.funded:
            label = say("project {name}", name=readable(start.name))
            first, after = min(start.early, last), min(start.late, last) + 1
            rows.append({"label": label, "series": series[0], "first": first, "after": after})
            if start.median <= last:
                marks.append({"label": label, "month": start.median + 0.5})
    for reserve in found:
        participant = problem.participants[reserve.participant]
        material = problem.materials[reserve.material]
        label = (
            f"{names.material(material)}, {names.participant(participant)}: "
            f"{held[participant, material]}"
        )
        end = last + 1 if reserve.run_down is None else min(reserve.run_down, last + 1)
        if end > 1:
            rows.append({"label": label, "series": series[1], "first": 1, "after": end})
        if end <= last:
            rows.append({"label": label, "series": series[2], "first": end, "after": last + 1})
    order = list(dict.fromkeys(row["label"] for row in rows))
    forms = timeline(rows, marks, axis=say("month"), order=order, series=series, last=last)
    return forms.figure(
        "timeline",
        say("Projects and the stocks of what they make"),
        (
            Column(say("What"), "what"),
            Column(say("State"), "state"),
            Column(say("From month"), "first_month", kind="whole"),
            Column(say("To month"), "last_month", kind="whole"),
        ),
        tuple((row["label"], row["series"], row["first"], row["after"] - 1) for row in rows),
        say("Bars over months: when funded projects start, and until when stocks are needed."),
        say("Mark: first month with output in the median scenario."),
    )


def _projects(plan: Plan, of_projects: Sequence[Start], say: Language, *, amounts: bool) -> Table:
    rows: list[tuple[Any, ...]] = []
    for start, row in zip(of_projects, plan.projects.to_dict(orient="records"), strict=True):
        state = say("no")
        if start.funded:
            state = say("fast track") if start.fast else say("yes")
        money = (row["capital_usd"], row["capital_usd_per_year"], row["support_usd_per_year"])
        rows.append(
            (
                readable(start.name),
                state,
                *((usd / 1e6 if start.funded else None for usd in money) if amounts else ()),
                *((row["output_t_per_year"],) if amounts else ()),
                start.early,
                start.median,
                start.late,
                start.full,
            )
        )
    million, yearly = say("million USD"), say("million USD a year")
    of_amounts = (
        Column(say("Capital"), "capital_million_usd", million, "number"),
        Column(say("Cost of capital"), "capital_million_usd_per_year", yearly, "number"),
        Column(say("Price support"), "support_million_usd_per_year", yearly, "number"),
        Column(say("Output"), "output_t_per_year", say("t a year"), "number"),
    )
    return Table(
        "projects",
        say("Projects"),
        (
            Column(say("Project"), "project"),
            Column(say("Funded"), "funded"),
            *(of_amounts if amounts else ()),
            Column(say("Starts, 10 %"), "start_month_early", say("month"), "whole"),
            Column(say("Starts, median"), "start_month_median", say("month"), "whole"),
            Column(say("Starts, 90 %"), "start_month_late", say("month"), "whole"),
            Column(say("In full"), "full_month_median", say("month"), "whole"),
        ),
        tuple(rows),
        say("Months from the decision; of projects that are not funded, as if they were."),
    )


def _reserves(
    problem: Problem,
    found: Sequence[Reserve],
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
    *,
    amounts: bool,
) -> Table:
    rows: list[tuple[Any, ...]] = []
    for reserve in found:
        participant = problem.participants[reserve.participant]
        material = problem.materials[reserve.material]
        rows.append(
            (
                names.material(material),
                names.participant(participant),
                held[participant, material],
                names.source(reserve.source) or None,
                *(
                    (reserve.supplied if reserve.source else None, reserve.output)
                    if amounts
                    else ()
                ),
                say("never") if reserve.run_down is None else str(reserve.run_down),
            )
        )
    unit = say("t a month")
    of_amounts = (
        Column(say("It supplies"), "supplied_t_per_month", unit, "number"),
        Column(say("Funded projects in full"), "output_t_per_month", unit, "number"),
    )
    return Table(
        "reserves",
        say("When stocks could be run down"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("To hold"), "held"),
            Column(say("Largest source"), "source"),
            *(of_amounts if amounts else ()),
            Column(say("Could be run down from month"), "run_down_month"),
        ),
        tuple(rows),
        say(
            "The first month in which funded projects that run in full in the median scenario "
            "supply as much as the largest source does normally."
        ),
    )
