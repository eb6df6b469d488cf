"""What a search has found and proved, and how far apart the two may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 1e-11
"""Relative allowance for rounding in sums of costs: bounds are lowered by it."""
SAME = 10.0 * ROUNDING
"""Plans whose costs differ by less than this, relatively, count as equally good."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a box search has found and proved.

    Attributes
    ----------
    lots, rule
        (I,) lots, and (C + 1,) rules and variant, of the incumbent; None without one.
    incumbent
        Its cost [USD/year]; infinite without one.
    bound
        Proven lower limit on the cost of every candidate [USD/year]; infinite if none is
        feasible.
    simulations
        Candidates simulated.
    finished
        Whether the wanted gap was reached, or infeasibility proved, before a stop.
    """

    lots: NDArray[np.int64] | None
    rule: NDArray[np.int64] | None
    incumbent: float
    bound: float
    simulations: int
    finished: bool

    @property
    def gap(self) -> float:
        """Return (incumbent - bound) / incumbent."""
        return relative_gap(self.incumbent, self.bound)


def relative_gap(incumbent: float, bound: float) -> float:
    """Return (incumbent - bound) / incumbent; infinite without a plan.

    0 where both are the same cost but for rounding.
    """
    if not np.isfinite(incumbent):
        return float("inf")
    if incumbent - bound <= 2.0 * SAME * abs(incumbent):
        return 0.0
    if incumbent <= 0.0:
        return float("inf")
    return (incumbent - bound) / incumbent
