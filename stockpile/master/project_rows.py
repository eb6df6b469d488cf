"""Limits on projects alone, as rows over what is funded: budgets (11) and caps (17).

Of every project there are two whole variables: P, whether it is funded, and F, whether its permit
is fast-tracked, F <= P. What state 2 takes more than state 1 is the coefficient of F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.problem import LEVEL_TOLERANCE
from stockpile.projects import FAST, FUNDED, NOT_FUNDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.project_limits import ProjectLimits


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """``sum over projects of use[p, state of p] <= limit``.

    Attributes
    ----------
    equation
        11 or 17.
    what
        ``project outlay`` of (11), or the material and source of (17).
    participant
        Whose; -1 for all together.
    use
        (N, 3) what each state takes; 0 where nothing is funded.
    limit
        Most allowed.
    unit
        Of both.
    item
        Number of the cap's row in its table; -1 of (11).
    """

    equation: int
    what: str
    participant: int
    use: NDArray[np.float64]
    limit: float
    unit: str
    item: int = -1

    @property
    def loosened(self) -> float:
        """Return the limit, loosened by twice the tolerance so that rounding loses no plan."""
        size = max(abs(self.limit), float(np.abs(self.use).max(initial=0.0)))
        return self.limit + 2.0 * LEVEL_TOLERANCE * size


def project_rows(limits: ProjectLimits, materials: tuple[str, ...]) -> list[ProjectRow]:
    """Return the limits on projects that are set."""
    rows = [
        ProjectRow(11, "project outlay", c, limits.outlay[c], float(budget), "USD")
        for c, budget in enumerate(limits.budget)
        if np.isfinite(budget)
    ]
    if np.isfinite(limits.joint_budget):
        all_pay = limits.outlay.sum(axis=0)
        rows.append(ProjectRow(11, "project outlay", -1, all_pay, limits.joint_budget, "USD"))
    for cap in limits.caps:
        use = np.zeros((limits.count, 3))
        use[:, FUNDED] = use[:, FAST] = cap.coefficient
        what = f"{materials[cap.material]} from {cap.source}"
        rows.append(ProjectRow(17, what, cap.participant, use, cap.limit, "t/month", cap.row))
    return rows


def steps(use: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coefficients of P and F (N, 2) from what states take (N, 3)."""
    funded = use[:, FUNDED] - use[:, NOT_FUNDED]
    return np.stack([funded, use[:, FAST] - use[:, FUNDED]], axis=1)


def of_states(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what states take (..., 3) from coefficients of P and F (..., 2)."""
    nothing = np.zeros(coefficients.shape[:-1])
    funded = coefficients[..., 0]
    return np.stack([nothing, funded, funded + coefficients[..., 1]], axis=-1)
