"""The extensive form in Pyomo, solved by HiGHS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

if TYPE_CHECKING:
    from foresight_peers.monthly import Months


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the model stood."""
    data, C = model.data, model.data.lower.size
    of_need: list[list[int]] = [[] for _ in range(model.need.size)]
    of_stock: list[list[int]] = [[] for _ in range(model.stocks)]
    for r, (need, stock) in enumerate(zip(model.need_of, model.stock_of, strict=True)):
        of_need[need].append(r)
        of_stock[stock].append(r)
    m = pyo.ConcreteModel()
    m.hold = pyo.Var(range(C), bounds=lambda _, c: (data.lower[c], data.upper[c]))
    m.release = pyo.Var(range(model.need_of.size), within=pyo.NonNegativeReals)
    m.unserved = pyo.Var(range(model.need.size), within=pyo.NonNegativeReals)
    m.needs = pyo.Constraint(
        range(model.need.size),
        rule=lambda m, n: sum(m.release[r] for r in of_need[n]) + m.unserved[n] == model.need[n],
    )
    m.stocks = pyo.Constraint(
        [n for n in range(model.stocks) if of_stock[n]],
        rule=lambda m, n: sum(m.release[r] for r in of_stock[n]) <= m.hold[n % C],
    )
    m.pools = pyo.Constraint(
        range(data.pooled.size),
        rule=lambda m, n: sum(m.hold[c] for c in np.flatnonzero(data.pool[n])) >= data.pooled[n],
    )
    m.cost = pyo.Objective(
        expr=sum(data.holding_cost[c] * m.hold[c] for c in range(C))
        + sum(cost * m.release[r] for r, cost in enumerate(model.expected_release_cost) if cost)
        + sum(cost * m.unserved[n] for n, cost in enumerate(model.expected_need_cost))
    )
    built = time.perf_counter()
    pyo.SolverFactory("appsi_highs").solve(m)
    return float(pyo.value(m.cost)), built
