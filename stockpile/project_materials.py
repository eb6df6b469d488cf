"""What projects cost by material: a project that makes several is divided by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.plan import Plan
    from stockpile.problem import Problem


def value_shares(problem: Problem) -> NDArray[np.float64]:
    """Return which part of each project's cost each material bears, (N, M).

    In proportion to the value of its output in full at normal prices. Rows sum to 1, to 0 where a
    project makes nothing.
    """
    value = problem.projects.output * problem.price
    total = value.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(value, total, out=np.zeros_like(value), where=total > 0.0))


def material_costs(problem: Problem, plan: Plan) -> NDArray[np.float64]:
    """Return what the projects of a plan cost by material, (N, M) [USD/year] (9)."""
    yearly = np.zeros(problem.projects.count)
    for row in plan.projects.to_dict(orient="records"):
        n = problem.projects.names.index(row["project"])
        yearly[n] = row["capital_usd_per_year"] + row["support_usd_per_year"]
    return np.asarray(yearly[:, None] * value_shares(problem))
