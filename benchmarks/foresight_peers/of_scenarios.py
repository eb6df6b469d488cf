"""The model of one scenario in Pyomo, for packages that put scenarios together themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

if TYPE_CHECKING:
    from foresight_peers.monthly import Scenario
    from stockpile.model.foresight_data import ForesightData


def first_stage(data: ForesightData, unit: float) -> pyo.ConcreteModel:
    """Return a model with the holdings, their limits, and ``holding_cost``, in a unit of USD."""
    C = data.lower.size
    m = pyo.ConcreteModel()
    m.hold = pyo.Var(range(C), bounds=lambda _, c: (data.lower[c], data.upper[c]))
    m.pools = pyo.Constraint(
        range(data.pooled.size),
        rule=lambda m, n: sum(m.hold[c] for c in np.flatnonzero(data.pool[n])) >= data.pooled[n],
    )
    m.holding_cost = pyo.Expression(
        expr=sum(data.holding_cost[c] / unit * m.hold[c] for c in range(C))
    )
    return m


def add_recourse(m: pyo.ConcreteModel, scenario: Scenario, unit: float) -> None:
    """Add what one scenario needs and releases, and ``recourse_cost``.

    Needs are met at least, not exactly: packages that read rows one by one know only one side of
    each, and serving more never pays.
    """
    R, U, C = scenario.need_of.size, scenario.need.size, len(m.hold)
    of_need: list[list[int]] = [[] for _ in range(U)]
    of_stock: list[list[int]] = [[] for _ in range(C)]
    for r, (need, owner) in enumerate(zip(scenario.need_of, scenario.owner_of, strict=True)):
        of_need[need].append(r)
        of_stock[owner].append(r)
    m.release = pyo.Var(range(R), within=pyo.NonNegativeReals)
    m.unserved = pyo.Var(range(U), within=pyo.NonNegativeReals)
    m.needs = pyo.Constraint(
        range(U),
        rule=lambda m, n: (
            sum(m.release[r] for r in of_need[n]) + m.unserved[n] >= float(scenario.need[n])
        ),
    )
    m.stocks = pyo.Constraint(
        [c for c in range(C) if of_stock[c]],
        rule=lambda m, c: sum(m.release[r] for r in of_stock[c]) - m.hold[c] <= 0.0,
    )
    release_cost, need_cost = scenario.release_cost / unit, scenario.need_cost / unit
    m.recourse_cost = pyo.Expression(
        expr=sum(float(cost) * m.release[r] for r, cost in enumerate(release_cost) if cost)
        + sum(float(cost) * m.unserved[n] for n, cost in enumerate(need_cost))
    )
