r"""The two-stage model with perfect foresight in Pyomo: to be read, exported, solved by any solver.

One function per equation of ``docs/foresight.md``. Holdings h are chosen first. When the scenario
s is known, step j releases r, and what no step serves of a stream is unserved, u:

.. math::

    \min \sum_c hold_c h_c + \frac{12}{T} \sum_s p_s
    \Bigl(\sum_j cost_j r_{sj} + \sum_q w_q u_{sq}\Bigr)

The same rows as arrays are in :mod:`stockpile.model.foresight_arrays`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from stockpile.model.foresight_arrays import MILLION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.model.foresight_data import ForesightBudgets, ForesightData


def foresight_model(data: ForesightData) -> pyo.ConcreteModel:
    """Return the model (F1)-(F6) of one material."""
    model = pyo.ConcreteModel(name=f"foresight {data.material}")
    num_scenarios, num_streams = data.need.shape
    model.STOCKS = pyo.RangeSet(0, data.lower.size - 1)
    model.STREAMS = pyo.RangeSet(0, num_streams - 1)
    model.STEPS = pyo.RangeSet(0, data.cost.size - 1)
    model.SCENARIOS = pyo.RangeSet(0, num_scenarios - 1)
    model.POOLS = pyo.RangeSet(0, data.pooled.size - 1)
    add_holdings(model, data)
    add_releases(model, data)
    add_needs(model, data)
    add_stocks(model, data)
    add_pools(model, data)
    add_cost(model, data)
    return model


def instance_model(
    materials: Sequence[ForesightData], budgets: ForesightBudgets
) -> pyo.ConcreteModel:
    """Return the model of several materials: a block for each, budgets, the sum of all costs."""
    model = pyo.ConcreteModel(name="foresight")
    model.MATERIALS = pyo.RangeSet(0, len(materials) - 1)
    model.material = pyo.Block(model.MATERIALS)
    for m, data in enumerate(materials):
        model.material[m].transfer_attributes_from(foresight_model(data))
        model.material[m].F1_cost.deactivate()
    model.F1_cost = pyo.Objective(
        expr=sum(model.material[m].F1_cost.expr for m in model.MATERIALS), sense=pyo.minimize
    )
    add_budgets(model, materials, budgets)
    return model


def add_holdings(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F5), holdings [t] within the limits that lots and promises set.

    .. math:: lower_c \le h_c \le upper_c
    """

    def limits(_: Any, c: int) -> tuple[float, float]:
        return float(data.lower[c]), float(data.upper[c])

    model.holding = pyo.Var(model.STOCKS, bounds=limits)


def add_releases(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F4), releases r and unserved need u [t] over the horizon: gates limit releases.

    .. math:: 0 \le r_{sj} \le limit_{sj}, \qquad u_{sq} \ge 0
    """

    def gate(_: Any, s: int, j: int) -> tuple[float, float]:
        return 0.0, float(data.limit[s, j])

    model.release = pyo.Var(model.SCENARIOS, model.STEPS, bounds=gate)
    model.unserved = pyo.Var(model.SCENARIOS, model.STREAMS, bounds=(0.0, None))


def add_needs(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F2), each need is served or not [t]; its dual is what a tonne of need costs.

    .. math:: \sum_{j: q_j = q} r_{sj} + u_{sq} = need_{sq}
    """

    def rule(model: Any, s: int, q: int) -> Any:
        served = sum(model.release[s, j] for j in model.STEPS if data.stream[j] == q)
        return served + model.unserved[s, q] == float(data.need[s, q])

    model.F2_need = pyo.Constraint(model.SCENARIOS, model.STREAMS, rule=rule)


def add_stocks(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F3), a stock releases what it holds and buys back [t]; its dual is its price.

    .. math:: \sum_{j: o_j = c} r_{sj} \le availability_{sc} h_c
    """

    def rule(model: Any, s: int, c: int) -> Any:
        released = sum(model.release[s, j] for j in model.STEPS if data.owner[j] == c)
        return released <= float(data.availability[s, c]) * model.holding[c]

    model.F3_stock = pyo.Constraint(model.SCENARIOS, model.STOCKS, rule=rule)


def add_pools(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F6), pooled promises of days of cover [t].

    .. math:: \sum_{c \in pool_i} h_c \ge pooled_i
    """

    def rule(model: Any, i: int) -> Any:
        members = (c for c in model.STOCKS if data.pool[i, c])
        return sum(model.holding[c] for c in members) >= float(data.pooled[i])

    model.F6_pool = pyo.Constraint(model.POOLS, rule=rule)


def add_budgets(
    model: pyo.ConcreteModel, materials: Sequence[ForesightData], budgets: ForesightBudgets
) -> None:
    r"""Equation (F16), what is bought [t] and what it costs at least [million USD].

    .. math:: bought_{mc} \ge h_{mc} - existing_{mc}, \qquad
              \sum_m \sum_{c \in members_b} price_m\, bought_{mc} \le budget_b
    """
    if not budgets.names:
        return
    stocks = range(len(materials[0].participants))
    model.bought = pyo.Var(model.MATERIALS, stocks, within=pyo.NonNegativeReals)

    def bought_rule(model: Any, m: int, c: int) -> Any:
        return model.bought[m, c] >= model.material[m].holding[c] - float(materials[m].existing[c])

    def budget_rule(model: Any, b: int) -> Any:
        outlay = sum(
            float(materials[m].price[c]) / MILLION * model.bought[m, c]
            for m in model.MATERIALS
            for c in stocks
            if budgets.member[b, c]
        )
        return outlay <= float(budgets.most[b]) / MILLION

    model.F16_bought = pyo.Constraint(model.MATERIALS, stocks, rule=bought_rule)
    model.F16_budget = pyo.Constraint(range(len(budgets.names)), rule=budget_rule)


def add_cost(model: pyo.ConcreteModel, data: ForesightData) -> None:
    r"""Equation (F1), holdings, shortage and shipping [USD/year]."""
    held = sum(float(data.holding_cost[c]) * model.holding[c] for c in model.STOCKS)

    def recourse(s: int) -> Any:
        shipping = sum(float(data.cost[j]) * model.release[s, j] for j in model.STEPS)
        shortage = sum(float(data.shortage_cost[q]) * model.unserved[s, q] for q in model.STREAMS)
        return float(data.probability[s]) * (shipping + shortage)

    expected = sum(recourse(s) for s in model.SCENARIOS)
    model.F1_cost = pyo.Objective(expr=held + data.per_year * expected, sense=pyo.minimize)
