"""benderslib: its L-shaped method, with SCIP, the one free solver that it has an interface for.

One cut for each scenario: the single cut wants scenarios with equally many rows, and these differ.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from benderslib import BendersParams, LShaped, MasterProblem, SubProblem, SubProblems
from benderslib.solvers import Scip
from pyscipopt import Model, quicksum

from foresight_peers.monthly import scenarios_of

if TYPE_CHECKING:
    from foresight_peers.monthly import Months, Scenario
    from stockpile.model.foresight_data import ForesightData

GAP = 1e-9
"""Relative gap at which it stops."""
MILLION = 1e6
"""Costs are in million USD: cuts are judged by an absolute tolerance."""


def first_stage(data: ForesightData) -> Model:
    """Return the model of the holdings; SCIP."""
    m = Model()
    hold = [
        m.addVar(f"h{c}", lb=float(data.lower[c]), ub=float(data.upper[c]))
        for c in range(data.lower.size)
    ]
    for n, least in enumerate(data.pooled):
        m.addCons(quicksum(hold[c] for c in np.flatnonzero(data.pool[n])) >= float(least))
    m.setObjective(quicksum(float(data.holding_cost[c]) / MILLION * h for c, h in enumerate(hold)))
    return m


def second_stage(scenario: Scenario, owners: int) -> Model:
    """Return the model of the releases of a scenario; SCIP.

    The package counts each row by one side, so needs are met at least, which is the same.
    """
    m = Model()
    hold = [m.addVar(f"h{c}") for c in range(owners)]
    release = [m.addVar(f"r{r}") for r in range(scenario.need_of.size)]
    unserved = [m.addVar(f"u{n}") for n in range(scenario.need.size)]
    of_need: list[list[int]] = [[] for _ in unserved]
    of_stock: list[list[int]] = [[] for _ in hold]
    for r, (need, owner) in enumerate(zip(scenario.need_of, scenario.owner_of, strict=True)):
        of_need[need].append(r)
        of_stock[owner].append(r)
    for n, need in enumerate(scenario.need.tolist()):
        m.addCons(quicksum(release[r] for r in of_need[n]) + unserved[n] >= need, name=f"n{n}")
    for c, releases in enumerate(of_stock):
        m.addCons(quicksum(release[r] for r in releases) - hold[c] <= 0.0, name=f"s{c}")
    m.setObjective(
        quicksum(cost / MILLION * r for cost, r in zip(scenario.release_cost, release, strict=True))
        + quicksum(cost / MILLION * u for cost, u in zip(scenario.need_cost, unserved, strict=True))
    )
    return m


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the models of all scenarios stood."""
    data = model.data
    scenarios = [scenario for scenario in scenarios_of(model) if scenario.need.size]
    method = LShaped(
        MasterProblem(Scip(first_stage(data))),
        SubProblems(
            [SubProblem(Scip(second_stage(one, data.lower.size))) for one in scenarios],
            prob=[one.probability for one in scenarios],
        ),
        [f"h{c}" for c in range(data.lower.size)],
        params=BendersParams(
            multi_opti_cut=True, tol_rel=GAP, tol_abs=0.0, tol_obj_diff=1e-9, log_to_console=False
        ),
    )
    built = time.perf_counter()
    method.solve()
    return MILLION * float(method.result.obj), built
