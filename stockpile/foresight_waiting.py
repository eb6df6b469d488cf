"""Holdings chosen when the scenario is known (F13): what perfect information would be worth.

By the kernel, all scenarios at once. Where pooled promises or budgets join the holdings of a
scenario, by linear programs instead, some scenarios in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.errors import CheckError
from stockpile.foresight_recourse import WaitAndSee
from stockpile.model.foresight_arrays import extensive_form, under_budgets
from stockpile.model.linear import solve_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.foresight_recourse import Recourse
    from stockpile.model.foresight_data import ForesightBudgets, ForesightData
    from stockpile.model.linear import LinearModel, LinearSolution

BATCH = 200
"""Scenarios of one material whose holdings are chosen in one linear program, each for itself."""
JOINED_BATCH = 20
"""The same, of all materials together."""


def wait_and_see(recourse: Recourse) -> WaitAndSee:
    """Choose the holdings of one material for each scenario, without budgets.

    Raises
    ------
    CheckError
        If the solver finds no optimum, although there is one.
    """
    data = recourse.data
    return by_linear_programs(data) if data.pooled.size else recourse.wait_and_see()


def by_linear_programs(data: ForesightData) -> WaitAndSee:
    """Do the same by linear programs, which know pooled promises."""
    C = data.lower.size
    of_scenario = data.per_year * np.concatenate([data.cost, data.shortage_cost])
    # A scenario that is not listed needs nothing.
    calm = int(data.scenario.max(initial=-1)) + 1
    scenarios = np.append(data.scenario, calm)
    cost, holding = np.empty(scenarios.size), np.empty((scenarios.size, C))
    for lo in range(0, scenarios.size, BATCH):
        batch = scenarios[lo : lo + BATCH]
        # Each counts in full, whatever its probability: it is solved for itself.
        model = extensive_form(data.in_scenarios(batch, np.ones(batch.size)), wait_and_see=True)
        values = _solve(model, data.material).values
        held = values[: batch.size * C].reshape(batch.size, C)
        responses = values[batch.size * C :].reshape(batch.size, of_scenario.size)
        cost[lo : lo + BATCH] = held @ data.holding_cost + responses @ of_scenario
        holding[lo : lo + BATCH] = held
    return WaitAndSee(data, cost[:-1], holding[:-1], float(cost[-1]), holding[-1])


def within_budgets(
    materials: Sequence[WaitAndSee],
    budgets: ForesightBudgets,
    probability: NDArray[np.float64],
) -> tuple[float, int]:
    """Return the mean cost of all materials where the budgets (F16) hold in each scenario.

    Only where holdings that were chosen without the budgets break one are they chosen anew; the
    number of such scenarios is returned as well.

    Parameters
    ----------
    probability
        (S,) of all scenarios of the set.

    Raises
    ------
    CheckError
        If the solver finds no optimum, although there is one.
    """
    cost = np.zeros(probability.size)
    outlay = np.zeros((probability.size, len(budgets.names)))
    for waiting in materials:
        data = waiting.data
        of_material = np.full(probability.size, waiting.calm_cost)
        of_material[data.scenario] = waiting.cost
        cost += of_material
        held = np.tile(waiting.calm_holding, (probability.size, 1))
        held[data.scenario] = waiting.holding
        outlay += budgets.outlay([data], [held])
    broken = (outlay > budgets.most).any(axis=1)
    total = float(probability[~broken] @ cost[~broken])
    scenarios = np.flatnonzero(broken)
    for lo in range(0, scenarios.size, JOINED_BATCH):
        batch = scenarios[lo : lo + JOINED_BATCH]
        chosen = [waiting.data.in_scenarios(batch, probability[batch]) for waiting in materials]
        models = [extensive_form(data, wait_and_see=True) for data in chosen]
        model = under_budgets(models, chosen, budgets, plans=batch.size)
        total += _solve(model, "all materials").objective
    return total, scenarios.size


def _solve(model: LinearModel, what: str) -> LinearSolution:
    solution = solve_linear(model)
    if solution.status != "optimal":
        raise CheckError(f"{what}: no optimum of wait and see: {solution.status}")
    return solution
