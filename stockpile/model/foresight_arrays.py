"""The two-stage model with perfect foresight in extensive form, as arrays for HiGHS.

The same equations as :mod:`stockpile.model.foresight_reference`, in the same order: (F2) and (F3)
scenario by scenario, then (F6), and for all materials together (F16). The search by cuts needs
none of this; tests hold it to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, vstack

from stockpile.model.labels import labels_of
from stockpile.model.linear import LinearModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightBudgets, ForesightData

MILLION = 1e6
"""Budgets are in million USD: solvers judge rows by an absolute tolerance."""


def extensive_form(data: ForesightData, *, wait_and_see: bool = False) -> LinearModel:
    """Return (F1) to (F6) for one material.

    Columns: the holdings, then for every scenario the releases of its steps and what is unserved.
    Rows: for every scenario the needs (F2) and the stocks (F3), then the pooled promises.

    Parameters
    ----------
    wait_and_see
        Whether every scenario has holdings of its own, chosen when it is known (F13). Then the
        holdings of all scenarios stand first, and each has its own rows of pooled promises.
    """
    (S, Q), J, C = data.need.shape, data.cost.size, data.lower.size
    plans = S if wait_and_see else 1
    weight = data.probability if wait_and_see else np.ones(1)
    first_release = plans * C
    # One column after the other: a scenario has J releases and Q amounts unserved.
    start = first_release + (J + Q) * np.arange(S)[:, None]
    release = start + np.arange(J)
    unserved = start + J + np.arange(Q)
    need_row = (Q + C) * np.arange(S)[:, None] + np.arange(Q)
    stock_row = (Q + C) * np.arange(S)[:, None] + Q + np.arange(C)
    holding = C * (np.arange(S) if wait_and_see else np.zeros(S, np.int64))[:, None] + np.arange(C)
    first_pool_row = (Q + C) * S
    plan, pool, member = (axis.ravel() for axis in np.indices((plans, data.pooled.size, C)))
    entries = [
        (need_row[:, data.stream], release, 1.0),  # (F2)
        (need_row, unserved, 1.0),
        (stock_row[:, data.owner], release, 1.0),  # (F3)
        (stock_row, holding, -data.availability),
        (  # (F6)
            first_pool_row + plan * data.pooled.size + pool,
            plan * C + member,
            data.pool[pool, member].astype(np.float64),
        ),
    ]
    row = np.concatenate([at.ravel() for at, _, _ in entries])
    column = np.concatenate([at.ravel() for _, at, _ in entries])
    value = np.concatenate([np.broadcast_to(of_row, at.shape).ravel() for at, _, of_row in entries])
    shape = (first_pool_row + plans * data.pooled.size, first_release + (J + Q) * S)
    of_scenario = np.concatenate([data.cost, data.shortage_cost])
    in_rows = np.concatenate([data.need, np.full((S, C), -np.inf)], axis=1).ravel()
    below = np.concatenate([data.need, np.zeros((S, C))], axis=1).ravel()
    pooled = np.tile(data.pooled, plans)
    return LinearModel(
        cost=np.concatenate(
            [
                np.outer(weight, data.holding_cost).ravel(),
                data.per_year * np.outer(data.probability, of_scenario).ravel(),
            ]
        ),
        lower=np.concatenate([np.tile(data.lower, plans), np.zeros((J + Q) * S)]),
        upper=np.concatenate(
            [
                np.tile(data.upper, plans),
                np.concatenate([data.limit, np.full((S, Q), np.inf)], axis=1).ravel(),
            ]
        ),
        integer=np.zeros(shape[1], dtype=np.bool_),
        matrix=csr_array((value, (row, column)), shape=shape),
        row_lower=np.concatenate([in_rows, pooled]),
        row_upper=np.concatenate([below, np.full(pooled.size, np.inf)]),
    )


def instance_form(
    materials: Sequence[ForesightData], budgets: ForesightBudgets, *, names: bool = False
) -> LinearModel:
    """Return (F1) to (F6) and (F16) for several materials, such as all of an instance.

    Parameters
    ----------
    names
        Whether variables and rows have names, for a file; they begin with their equation.
    """
    model = under_budgets([extensive_form(data) for data in materials], materials, budgets)
    if not names:
        return model
    labels = labels_of([data.material for data in materials])
    named = [_names(data, label) for data, label in zip(materials, labels, strict=True)]
    variables = [name for of_material, _ in named for name in of_material]
    rows = [name for _, of_material in named for name in of_material]
    if budgets.names:
        stocks = [
            f"{label},{owner}"
            for data, label in zip(materials, labels, strict=True)
            for owner in labels_of(data.participants)
        ]
        variables += [f"bought({stock})" for stock in stocks]
        rows += [f"F16_bought({stock})" for stock in stocks]
        rows += [f"F16_budget({whose})" for whose in labels_of(budgets.names)]
    return replace(model, variable_names=tuple(variables), row_names=tuple(rows))


def _names(data: ForesightData, material: str) -> tuple[list[str], list[str]]:
    """Return the names of variables and rows of :func:`extensive_form`."""
    Q, J = data.shortage_cost.size, data.cost.size
    owners = labels_of(data.participants)
    variables = [f"h({material},{owner})" for owner in owners]
    rows = []
    for s in data.scenario.tolist():
        variables += [f"r({material},{s},{j})" for j in range(J)]
        variables += [f"u({material},{s},{q})" for q in range(Q)]
        rows += [f"F2_need({material},{s},{q})" for q in range(Q)]
        rows += [f"F3_stock({material},{s},{owner})" for owner in owners]
    rows += [f"F6_pool({material},{n})" for n in range(data.pooled.size)]
    return variables, rows


def side_by_side(models: Sequence[LinearModel]) -> LinearModel:
    """Return one model of several that have nothing in common."""

    def join(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(model, name) for model in models])

    return LinearModel(
        cost=join("cost"),
        lower=join("lower"),
        upper=join("upper"),
        integer=np.concatenate([model.integer for model in models]),
        matrix=csr_array(block_diag([model.matrix for model in models])),
        row_lower=join("row_lower"),
        row_upper=join("row_upper"),
    )


def under_budgets(
    models: Sequence[LinearModel],
    materials: Sequence[ForesightData],
    budgets: ForesightBudgets,
    *,
    plans: int = 1,
) -> LinearModel:
    """Return one model of several materials, which only their budgets (F16) join.

    Further columns: what is bought, material by material, plan by plan, stock by stock. Further
    rows: that it is bought, in the same order, then the budgets, plan by plan, in million USD.

    Parameters
    ----------
    models
        By material; the holdings of its plans stand first.
    plans
        Choices of holdings, each of which keeps to the budgets.
    """
    joined = side_by_side(models)
    if not budgets.names:
        return joined
    B, C = budgets.member.shape
    M, first_bought = len(materials), joined.cost.size
    bought = first_bought + np.arange(M * plans * C).reshape(M, plans, C)
    start = np.concatenate([[0], np.cumsum([model.cost.size for model in models])[:-1]])
    holding = start[:, None, None] + np.arange(plans * C).reshape(plans, C)
    bought_row = np.arange(bought.size)
    existing = np.array([np.tile(data.existing, plans) for data in materials]).ravel()
    price = np.array([data.price for data in materials]) / MILLION
    m, plan, b, c = (axis.ravel() for axis in np.indices((M, plans, B, C)))
    entries = (
        np.concatenate(
            [
                np.ones(bought.size),
                -np.ones(bought.size),
                price[m, c] * budgets.member[b, c],
            ]
        ),
        (
            np.concatenate([bought_row, bought_row, bought.size + plan * B + b]),
            np.concatenate([bought.ravel(), holding.ravel(), bought[m, plan, c]]),
        ),
    )
    size = first_bought + bought.size
    rows = csr_array(coo_array(entries, shape=(bought.size + plans * B, size)))
    wide = csr_array(
        (joined.matrix.data, joined.matrix.indices, joined.matrix.indptr),
        shape=(joined.matrix.shape[0], size),
    )
    none = np.full(bought.size, np.inf)
    return LinearModel(
        cost=np.concatenate([joined.cost, np.zeros(bought.size)]),
        lower=np.concatenate([joined.lower, np.zeros(bought.size)]),
        upper=np.concatenate([joined.upper, none]),
        integer=np.zeros(size, dtype=np.bool_),
        matrix=csr_array(vstack([wide, rows])),
        row_lower=np.concatenate([joined.row_lower, -existing, np.full(plans * B, -np.inf)]),
        row_upper=np.concatenate([joined.row_upper, none, np.tile(budgets.most / MILLION, plans)]),
    )
