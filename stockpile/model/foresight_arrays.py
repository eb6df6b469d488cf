"""The two-stage model with perfect foresight in extensive form, as arrays for HiGHS.

The same equations as :mod:`stockpile.model.foresight_reference`, in the same order: (F2) and (F3)
scenario by scenario, then (F6). The search by cuts needs none of this; tests hold it to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import block_diag, csr_array

from stockpile.errors import CheckError
from stockpile.model.linear import LinearModel, solve_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightData

BATCH = 200
"""Scenarios whose holdings are chosen in one linear program, each for itself."""


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


def side_by_side(models: Sequence[LinearModel]) -> LinearModel:
    """Return one model of several that have nothing in common, such as all materials."""

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


def wait_and_see_cost(data: ForesightData) -> float:
    """Return the cost with holdings chosen for each scenario alone (F13) [USD/year].

    Raises
    ------
    CheckError
        If the solver finds no optimum, although there is one.
    """
    # One scenario more stands for all those that need nothing.
    calm = 1.0 - float(data.probability.sum())
    scenarios = [
        replace(
            data,
            probability=np.array([calm]),
            need=np.zeros((1, data.need.shape[1])),
            limit=np.zeros((1, data.limit.shape[1])),
            availability=np.ones((1, data.lower.size)),
        )
    ]
    for lo in range(0, data.probability.size, BATCH):
        batch = slice(lo, lo + BATCH)
        scenarios.append(
            replace(
                data,
                probability=data.probability[batch],
                need=data.need[batch],
                limit=data.limit[batch],
                availability=data.availability[batch],
            )
        )
    cost = 0.0
    for of_batch in scenarios:
        solution = solve_linear(extensive_form(of_batch, wait_and_see=True))
        if solution.status != "optimal":
            raise CheckError(f"{data.material}: no optimum of wait and see: {solution.status}")
        cost += solution.objective
    return cost
