"""Release rules: as rows, as numbers for the simulation, and as words for a duty officer.

A rule tells the owner of a stock, for each demand class and each relation (own need or a
partner's need), down to what level of the holding the class may draw, how much it may draw in
a month, and from what supply loss on; possibly several such rows by the age of the event
(section 4 of the formulation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.periods import MONTH
from stockpile.tables import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.periods import Period
    from stockpile.tables import RuleRow

OWN, PARTNER = 0, 1


@dataclass(frozen=True, slots=True)
class StreamRule:
    """What one rule says to one demand class in one relation from one event age on.

    Attributes
    ----------
    from_month
        Age of the event [months] from which this holds.
    reserve_level
        l of equation (4): fraction of the holding that the stream may not touch.
    draw_limit
        f of equation (4): most the stream takes in a month, as a fraction of the holding; 1 is no
        limit.
    trigger_loss
        theta: no release unless the beneficiary's supply loss is at least this fraction.
    """

    from_month: int = 0
    reserve_level: float = 0.0
    draw_limit: float = 1.0
    trigger_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A release rule: for each relation and demand class its rows by event age, or none."""

    name: str
    rows: tuple[tuple[tuple[StreamRule, ...], ...], tuple[tuple[StreamRule, ...], ...]]
    """``rows[relation][class]``, sorted by ``from_month``; empty means never served."""


@dataclass(frozen=True, slots=True)
class RuleMenu:
    """The rules that may be agreed on, as arrays.

    Attributes
    ----------
    rules
        The rules themselves, in table order.
    breakpoints
        (A,) event ages [periods] at which any row of any rule begins; the first is 0.
    level, limit, trigger
        (R, 2, K, A) reserve level, draw limit of a period and trigger by rule, relation, class and
        age segment. Where a class is not served the trigger is infinite.
    """

    rules: tuple[Rule, ...]
    breakpoints: NDArray[np.int64]
    level: NDArray[np.float64]
    limit: NDArray[np.float64]
    trigger: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rules, in table order."""
        return tuple(rule.name for rule in self.rules)


def rule_menu(rules: Sequence[Rule], num_classes: int, period: Period = MONTH) -> RuleMenu:
    """Turn rules, which are in months, into arrays by age segment."""
    starts = {0}
    for rule in rules:
        starts.update(
            period.whole(row.from_month)
            for relation in rule.rows
            for rows in relation
            for row in rows
        )
    breakpoints = np.array(sorted(starts), dtype=np.int64)
    shape = (len(rules), 2, num_classes, breakpoints.size)
    level, limit = np.ones(shape), np.ones(shape)
    trigger = np.full(shape, np.inf)
    for r, rule in enumerate(rules):
        for relation in (OWN, PARTNER):
            for k, rows in enumerate(rule.rows[relation]):
                for row in rows:  # Sorted by age, so a later row overwrites the segments after it.
                    begin = period.whole(row.from_month)
                    segments = slice(int(np.searchsorted(breakpoints, begin)), None)
                    level[r, relation, k, segments] = row.reserve_level
                    limit[r, relation, k, segments] = period.draw_limit(row.draw_limit)
                    trigger[r, relation, k, segments] = row.trigger_loss
    for array in (breakpoints, level, limit, trigger):
        array.setflags(write=False)
    return RuleMenu(tuple(rules), breakpoints, level, limit, trigger)


def rules_from_rows(rows: Sequence[RuleRow], classes: Sequence[str]) -> tuple[Rule, ...]:
    """Collect the rows of ``rules.csv`` into rules, in the order of first appearance."""
    collected: dict[str, list[list[list[StreamRule]]]] = {}
    for row in rows:
        rule = collected.setdefault(row.rule, [[[] for _ in classes] for _ in RELATIONS])
        relations = RELATIONS if row.relation == ("*",) else row.relation
        named = classes if row.demand_class == ("*",) else row.demand_class
        for relation in relations:
            for demand_class in named:
                rule[RELATIONS.index(relation)][classes.index(demand_class)].append(
                    StreamRule(
                        row.from_month,
                        row.reserve_level,
                        row.draw_limit_per_month,
                        row.trigger_loss,
                    )
                )
    return tuple(_rule(name, rule) for name, rule in collected.items())


def _rule(name: str, rows: Sequence[Sequence[Sequence[StreamRule]]]) -> Rule:
    own, partner = (
        tuple(tuple(sorted(of_class, key=lambda row: row.from_month)) for of_class in relation)
        for relation in rows
    )
    return Rule(name, (own, partner))


def default_rules(num_classes: int) -> tuple[Rule, ...]:
    """Build the menu used where an instance has no ``rules.csv``: 5 own by 5 partner patterns.

    Classes are ordered by priority. The fraction ``rank`` runs from 0 for the first class to 1
    for the last, so the patterns fit any number of classes; with a single class rank is 0.

    Own patterns: ``open`` serves everybody from the whole stock; ``tiered`` keeps up to half of
    the holding for classes of higher priority, ``guarded`` up to 80 %; ``easing`` starts tiered
    and lowers the levels as an event lasts (after 6 months to half of them, after 12 to none);
    ``vital`` never serves the last class.

    Partner patterns: ``closed`` never serves a partner; ``lifeline`` serves the partner's first
    class in a heavy loss (30 % or more) from the upper half of the stock; ``surplus`` serves all
    its classes from the upper half, 10 % of the holding a month each; ``solidarity`` serves them
    down to a quarter of the holding kept for the owner, and ``equal`` as the owner's own.
    """
    rank = [k / (num_classes - 1) if num_classes > 1 else 0.0 for k in range(num_classes)]
    last = num_classes - 1
    own: dict[str, list[list[StreamRule]]] = {
        "open": [[StreamRule()] for _ in rank],
        "tiered": [[StreamRule(reserve_level=0.5 * x)] for x in rank],
        "guarded": [[StreamRule(reserve_level=0.8 * x)] for x in rank],
        "easing": [
            [StreamRule()]
            if x == 0.0
            else [
                StreamRule(reserve_level=0.5 * x),
                StreamRule(from_month=6, reserve_level=0.25 * x),
                StreamRule(from_month=12),
            ]
            for x in rank
        ],
        "vital": [
            [StreamRule()] if k < last or num_classes == 1 else [] for k in range(num_classes)
        ],
    }
    partner: dict[str, list[list[StreamRule]] | None] = {
        "closed": [[] for _ in rank],
        "lifeline": [
            [StreamRule(reserve_level=0.5, trigger_loss=0.3)] if k == 0 else []
            for k in range(num_classes)
        ],
        "surplus": [[StreamRule(reserve_level=0.5 + 0.25 * x, draw_limit=0.1)] for x in rank],
        "solidarity": [[StreamRule(reserve_level=0.25 + 0.5 * x)] for x in rank],
        "equal": None,
    }
    rules = [
        _rule(f"{own_name}-{partner_name}", (of_own, of_own if of_partner is None else of_partner))
        for own_name, of_own in own.items()
        for partner_name, of_partner in partner.items()
    ]
    # With one class some patterns say the same; the first name is kept.
    return tuple({rule.rows: rule for rule in reversed(rules)}.values())[::-1]


def describe(rule: Rule, classes: Sequence[str], period: Period = MONTH) -> str:
    """Say a rule in words that a duty officer can follow, period by period.

    Examples
    --------
    >>> print(describe(default_rules(2)[6], ("defense", "industry")))
    Own need: defense from the whole stock; industry until 50% of the holding is left. \
Partners: defense until 50% of the holding is left, only if the loss is 30% or more; \
industry never.
    """
    own, partner = (
        "; ".join(_phrase(name, rows, period) for name, rows in zip(classes, relation, strict=True))
        for relation in rule.rows
    )
    if not any(rule.rows[PARTNER]):
        partner = "never"
    return f"Own need: {own}. Partners: {partner}."


def describe_line(
    rule: Rule, classes: Sequence[str], relation: int, k: int, period: Period = MONTH
) -> str:
    """Say what a rule tells one class in one relation.

    Examples
    --------
    >>> describe_line(default_rules(2)[6], ("defense", "industry"), PARTNER, 0)
    'Partners: defense until 50% of the holding is left, only if the loss is 30% or more'
    """
    head = "Own need" if relation == OWN else "Partners"
    return f"{head}: {_phrase(classes[k], rule.rows[relation][k], period)}"


def _phrase(demand_class: str, rows: Sequence[StreamRule], period: Period) -> str:
    if not rows:
        return f"{demand_class} never"
    parts = [_terms(row, period) for row in rows]
    if rows[0].from_month > 0:
        parts[0] = f"only after {_age(rows[0].from_month, period)} of a gap, {parts[0]}"
    parts[1:] = [
        f"after {_age(row.from_month, period)} {part}"
        for row, part in zip(rows[1:], parts[1:], strict=True)
    ]
    return f"{demand_class} " + ", ".join(parts)


def _terms(row: StreamRule, period: Period) -> str:
    if row.reserve_level >= 1.0:
        return "never"
    terms = (
        "from the whole stock"
        if row.reserve_level == 0.0
        else f"until {_percent(row.reserve_level)} of the holding is left"
    )
    if row.draw_limit < 1.0:
        limit = _percent(period.draw_limit(row.draw_limit), 10 if period == MONTH else 4)
        terms += f", at most {limit} of the holding a {period.name}"
    if row.trigger_loss > 0.0:
        terms += f", only if the loss is {_percent(row.trigger_loss)} or more"
    return terms


def _age(months: int, period: Period) -> str:
    count = period.whole(months)
    return f"1 {period.name}" if count == 1 else f"{count} {period.name}s"


def _percent(fraction: float, digits: int = 10) -> str:
    return f"{100.0 * fraction:.{digits}g}%"
