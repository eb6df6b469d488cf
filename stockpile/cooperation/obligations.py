"""Who would owe and who would receive material in named disruptions, by Article 7.

The stress cases of an instance, or its worst scenario where it has none, seen through the formula
of :mod:`stockpile.cooperation.emergency_sharing`. Reserves count as what participants have
committed, needs and rules as nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stockpile.cooperation.emergency_sharing import article7, restraint_level
from stockpile.tables import EFFECTS

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

SHARED, TOO_SMALL, NO_RESERVE = "shared", "below 7 %", "no reserve"
"""Whether general sharing starts: yes; the group loses too little; nobody holds anything."""


def supply_loss(problem: Problem, scenarios: ScenarioSet, scenario: int) -> NDArray[np.float64]:
    """Return the loss (1) of one scenario, (C, M, T): fraction of normal supply lost."""
    C, M, G = problem.share.shape
    left = np.ones((C, M, G, problem.horizon))
    for e in range(scenarios.first[scenario], scenarios.first[scenario + 1]):
        if EFFECTS[scenarios.effect[e]] == "supply_loss":
            scope = scenarios.scope[e]
            hit = np.ix_(
                scenarios.targets[scope],
                scenarios.materials[scope],
                [int(scenarios.source[e])],
                range(int(scenarios.start[e]), int(scenarios.end[e])),
            )
            left[hit] *= 1.0 - scenarios.severity[e]
    return np.asarray(np.einsum("cmg,cmgt->cmt", problem.share, 1.0 - left))


def article7_rows(
    problem: Problem, case: str, loss: NDArray[np.float64], holding: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return who owes and who receives of every material that a case hits.

    Consumption is normal demand. Available supplies are what of it is not lost, on average over
    the months, or weeks, in which anybody loses any of the material. The commitment is what is
    held. Rates are per month, and so is the time: weeks count to the nearest month, at least one.

    Parameters
    ----------
    case
        Its name.
    loss
        (C, M, T) of :func:`supply_loss`.
    holding
        (C, M) [t].
    """
    rows = []
    for m, material in enumerate(problem.materials):
        hit = np.flatnonzero(loss[:, m].any(axis=0))
        if hit.size == 0:
            continue
        consumption = problem.demand[:, m].sum(axis=1) * problem.period.per_month
        available = consumption * (1.0 - loss[:, m, hit].mean(axis=1))
        state, restraint, figures = _shared(consumption, available, holding[:, m])
        rows += [
            {
                "case": case,
                "material": material,
                "participant": name,
                "months": max(round(problem.period.months(hit.size)), 1),
                "consumption_t_per_month": float(consumption[c]),
                "available_t_per_month": float(available[c]),
                "commitment_t": float(holding[c, m]),
                "sharing": state,
                "restraint": restraint,
                "drawdown_t_per_month": float(figures[0, c]),
                "supply_right_t_per_month": float(figures[1, c]),
                "balance_t_per_month": float(figures[2, c]),
                "balance_usd_per_month": float(figures[2, c] * problem.price[m]),
            }
            for c, name in enumerate(problem.participants)
        ]
    return rows


def _shared(
    consumption: NDArray[np.float64],
    available: NDArray[np.float64],
    commitment: NDArray[np.float64],
) -> tuple[str, float, NDArray[np.float64]]:
    """Return the state, the restraint, and drawdown, right and balance (3, C) [t/month]."""
    nothing = np.full((3, consumption.size), math.nan)
    restraint = restraint_level(consumption, available)
    if restraint is None:
        return TOO_SMALL, math.nan, nothing
    if not commitment.any():
        return NO_RESERVE, restraint, nothing
    sharing = article7(consumption, available, commitment, restraint)
    figures = np.stack([sharing.drawdown_obligation, sharing.supply_right, sharing.balance])
    return SHARED, restraint, figures
