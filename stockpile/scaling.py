"""Instances that promise more or less, or may spend more or less: one number moves all of it.

The smaller the number, the more is asked: of two members of a family, every plan for the smaller
number is a plan for the larger one as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.tables import CoverageTarget

MOVED = {
    "chance": "confidence",
    "cvar": "confidence",
    "joint_chance": "confidence",
    "fill_rate": "level",
}
"""Column of ``coverage.csv`` that is scaled, by metric. Levels of ``days`` and ``stress`` are
policies that somebody has set by name; they stay."""


def scaled_promises(instance: Instance, scale: float) -> Instance:
    """Return the instance with all that its promises let slip multiplied by ``scale``.

    A confidence c becomes 1 - (1 - c) scale, and so does the level of a ``fill_rate``; neither
    falls below 0. At 1 the instance is as it was, below 1 it promises more. What is promised in
    full, with 1, stays.
    """

    def moved(row: CoverageTarget) -> CoverageTarget:
        value = _moved_value(row)
        if value is None or scale == 1.0:  # The formula would round.
            return row
        change: dict[str, Any] = {MOVED[row.metric]: max(0.0, 1.0 - (1.0 - value) * scale)}
        return replace(row, **change)

    return replace(instance, coverage=tuple(moved(row) for row in instance.coverage))


def promises_move(instance: Instance) -> bool:
    """Say whether scaling changes any promise of an instance."""
    return any((_moved_value(row) or 0.0) < 1.0 for row in instance.coverage if row.metric in MOVED)


def _moved_value(row: CoverageTarget) -> float | None:
    """Return what is scaled in a row, or nothing."""
    if row.metric not in MOVED:
        return None
    value: float | None = getattr(row, MOVED[row.metric])
    return value


def scaled_budgets(instance: Instance, factor: float) -> Instance:
    """Return the instance with all its budgets multiplied by ``factor``."""
    joint = instance.agreement.joint_budget_usd
    own = (row.acquisition_budget_usd for row in instance.participants)
    return replace(
        instance,
        participants=tuple(
            replace(row, acquisition_budget_usd=None if usd is None else usd * factor)
            for row, usd in zip(instance.participants, own, strict=True)
        ),
        agreement=replace(
            instance.agreement, joint_budget_usd=None if joint is None else joint * factor
        ),
    )


def with_joint_budget(instance: Instance, usd: float) -> Instance:
    """Return the instance with so much for all to spend together [USD]."""
    return replace(instance, agreement=replace(instance.agreement, joint_budget_usd=usd))
