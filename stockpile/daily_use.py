"""Normal use of materials, which stocks are measured by in days."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.problem import DAYS_PER_YEAR

if TYPE_CHECKING:
    from stockpile.instance import Instance


def yearly_use(instance: Instance) -> dict[tuple[str, str], float]:
    """Return normal demand of all classes [t/year] by participant and material."""
    parts: dict[tuple[str, str], list[float]] = {}
    for row in instance.demand:
        parts.setdefault((row.participant, row.material), []).append(row.demand_t_per_year)
    return {key: math.fsum(tonnes) for key, tonnes in parts.items()}


def days(tonnes: float, use_t_per_year: float) -> float | None:
    """Return for how many days a stock lasts; None where nothing is used."""
    return DAYS_PER_YEAR * tonnes / use_t_per_year if use_t_per_year > 0.0 else None
