"""The menu of rules of the instance with the magnet chain, every own by every partner pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.sources import assumption

if TYPE_CHECKING:
    from builder.sources import Row, Sources

OWN, PARTNER = "own", "partner"


def rule_rows(sources: Sources) -> list[Row]:
    """Rows of `rules.csv`; a relation without a row is never served."""
    return [
        _rule_row(f"{own}-{partner}", row)
        for own in _patterns(sources, OWN)
        for partner in _patterns(sources, PARTNER)
        for relation, pattern in ((OWN, own), (PARTNER, partner))
        for row in sources.rows("rule_patterns", relation=relation, pattern=pattern)
        if row["demand_class"]
    ]


def _patterns(sources: Sources, relation: str) -> list[str]:
    """Names in table order."""
    return list(
        dict.fromkeys(row["pattern"] for row in sources.rows("rule_patterns", relation=relation))
    )


def _rule_row(rule: str, row: Row) -> Row:
    return {
        "rule": rule,
        "relation": row["relation"],
        "demand_class": row["demand_class"],
        "reserve_level": row["reserve_level"],
        "trigger_loss": row["trigger_loss"],
        "ref": assumption("rules_chain"),
        "note": row["why"],
    }
