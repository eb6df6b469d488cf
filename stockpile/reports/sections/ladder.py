"""The release rules in words, step by step, as a duty officer would follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.periods import MONTH, PERIODS
from stockpile.problem import build_problem
from stockpile.reports.amounts import percent
from stockpile.reports.document import Bullets, Column, Paragraph, Section, Table
from stockpile.rules import OWN, PARTNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.languages import Language
    from stockpile.periods import Period
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names
    from stockpile.rules import Rule, StreamRule


def ladder(evidence: Evidence, names: Names, say: Language) -> Section:
    """Return the section on release rules."""
    plan, instance = evidence.plan, evidence.instance
    held = set(
        map(
            tuple,
            plan.holdings.loc[plan.holdings["lots"] > 0, ["participant", "material"]].to_numpy(),
        )
    )
    stocks: dict[str, dict[str, list[str]]] = {}
    instructions: dict[str, str] = {}
    for row in plan.rules.to_dict(orient="records"):
        if (row["participant"], row["material"]) in held:
            nation = names.participant(row["participant"])
            of_rule = stocks.setdefault(row["rule"], {}).setdefault(nation, [])
            of_rule.append(names.material(row["material"]))
            instructions[row["rule"]] = row["instruction"]
    rules: dict[str, Rule] = {}
    classes: tuple[str, ...] = ()
    period = MONTH if instance is None else PERIODS[instance.period]
    if instance is not None:
        problem = build_problem(instance)
        rules, classes = {rule.name: rule for rule in problem.menu.rules}, problem.classes
    parts: list[Part] = [
        Paragraph(
            say(
                "Rules look at the loss of supply and at the age of the event, which everybody can "
                "see, and at nothing else. In every month the steps are taken in this order, until "
                "the need is met or the stock is down to what has to be kept."
            )
            if period == MONTH
            else say(
                "Rules look at the loss of supply and at the age of the event, which everybody can "
                "see, and at nothing else. In every week the steps are taken in this order, until "
                "the need is met or the stock is down to what has to be kept."
            )
        )
    ]
    for number, (name, of_nations) in enumerate(stocks.items(), start=1):
        title = say("Rule {number}: {name}", number=number, name=name)
        if name in rules:
            parts.append(_steps(f"rule-{number}", title, rules[name], classes, period, say))
        else:
            parts.append(Paragraph(f"{title}. {instructions[name]}"))
        lines = tuple(_held(nation, materials, say) for nation, materials in of_nations.items())
        parts.append(Bullets(lines))
    return Section("rules", say("Who gets what, and when: the release rules"), tuple(parts))


def _held(nation: str, materials: Sequence[str], say: Language) -> str:
    """Say which stocks of a nation follow a rule."""
    count, names = len(materials), ", ".join(materials)
    if count == 1:
        return say("{nation}, {count} stock: {materials}", nation=nation, count=1, materials=names)
    return say("{nation}, {count} stocks: {materials}", nation=nation, count=count, materials=names)


def _steps(
    name: str, title: str, rule: Rule, classes: Sequence[str], period: Period, say: Language
) -> Table:
    """Return the steps of a rule in the order of a period."""
    rows: list[tuple[Cell, ...]] = []
    for k, demand_class in enumerate(classes):
        for relation in (OWN, PARTNER):
            whom = (
                say("own {of}", of=demand_class)
                if relation == OWN
                else say("partner's {of}", of=demand_class)
            )
            of_class = rule.rows[relation][k]
            if not of_class:
                rows.append((len(rows) + 1, whom, say("never"), "", "", ""))
            for row in of_class:
                rows.append((len(rows) + 1, whom, *_terms(row, period, say)))
    columns = (
        Column(say("Step"), "step", kind="whole"),
        Column(say("Need of"), "whom"),
        Column(say("From"), "from"),
        Column(say("Only if the loss is"), "trigger"),
        Column(say("Keep back"), "keep"),
        Column(say("At most in a month") if period == MONTH else say("At most in a week"), "limit"),
    )
    return Table(name, title, columns, tuple(rows))


def _terms(row: StreamRule, period: Period, say: Language) -> tuple[str, str, str, str]:
    age, limited = period.whole(row.from_month), period.draw_limit(row.draw_limit)
    start = (
        say("the start")
        if age == 0
        else say("month {month} of the event", month=age + 1)
        if period == MONTH
        else say("week {week} of the event", week=age + 1)
    )
    trigger = (
        say("any")
        if row.trigger_loss <= 0.0
        else say("{part} or more", part=percent(row.trigger_loss))
    )
    keep = (
        say("nothing")
        if row.reserve_level <= 0.0
        else say("{part} of the holding", part=percent(row.reserve_level))
    )
    limit = (
        say("no limit") if limited >= 1.0 else say("{part} of the holding", part=percent(limited))
    )
    return start, trigger, keep, limit
