"""The release rules of generated instances: five of the built-in menu."""

from __future__ import annotations

from stockpile.generator.markets import CLASSES
from stockpile.rules import default_rules
from stockpile.tables import RELATIONS, RuleRow

NAMES = (
    "open-closed",
    "guarded-closed",
    "guarded-lifeline",
    "guarded-solidarity",
    "open-equal",
)
"""Both own patterns come with a closed variant: what a participant does alone it can do in any
world, so a plan without partners is a plan with them (16)."""
REFERENCE = "guarded-closed"
"""Rule of the reference plan."""


def menu() -> tuple[RuleRow, ...]:
    """Return the rows of ``rules.csv``.

    Five rules whatever the size: C participants choose among 5 to the power of C combinations for
    each material, where the built-in menu has 25 to the power of C.
    """
    rules = {rule.name: rule for rule in default_rules(len(CLASSES))}
    return tuple(
        RuleRow(
            rule=name,
            relation=(relation,),
            demand_class=(row.demand_class,),
            from_month=part.from_month,
            reserve_level=part.reserve_level,
            draw_limit_per_month=part.draw_limit,
            trigger_loss=part.trigger_loss,
        )
        for name in NAMES
        for relation, of_relation in zip(RELATIONS, rules[name].rows, strict=True)
        for row, parts in zip(CLASSES, of_relation, strict=True)
        for part in parts
    )
