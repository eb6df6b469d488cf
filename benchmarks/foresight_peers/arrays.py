"""The extensive form month by month as arrays for HiGHS, with and without months of no need."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array

from stockpile.model.foresight_arrays import side_by_side
from stockpile.model.linear import LinearModel, solve_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from foresight_peers.monthly import Months
    from stockpile.model.foresight_data import ForesightData
    from stockpile.simulate import Course


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the model stood."""
    linear = extensive_form(model)
    built = time.perf_counter()
    return solve_linear(linear).objective, built


def extensive_form(model: Months) -> LinearModel:
    """Return the extensive form without months in which nothing is needed."""
    data, R, U, C = model.data, model.need_of.size, model.need.size, model.data.lower.size
    releases = C + np.arange(R)
    every = np.arange(model.stocks)
    pool, member = np.nonzero(data.pool)
    first_pool = U + model.stocks
    row = [model.need_of, np.arange(U), U + model.stock_of, U + every, first_pool + pool]
    column = [releases, C + R + np.arange(U), releases, every % C, member]
    value = [np.ones(R), np.ones(U), np.ones(R), -np.ones(model.stocks), np.ones(pool.size)]
    shape = (first_pool + data.pooled.size, C + R + U)
    entries = (np.concatenate(value), (np.concatenate(row), np.concatenate(column)))
    free = np.full(model.stocks, -np.inf)
    return LinearModel(
        cost=np.concatenate(
            [data.holding_cost, model.expected_release_cost, model.expected_need_cost]
        ),
        lower=np.concatenate([data.lower, np.zeros(R + U)]),
        upper=np.concatenate([data.upper, np.full(R + U, np.inf)]),
        integer=np.zeros(shape[1], dtype=np.bool_),
        matrix=coo_array(entries, shape=shape).tocsr(),
        row_lower=np.concatenate([model.need, free, data.pooled]),
        row_upper=np.concatenate([model.need, 0.0 * every, np.full(data.pooled.size, np.inf)]),
    )


@dataclass(frozen=True)
class Calendar:
    """A material in every month of every scenario drawn, whether anything is needed or not.

    Attributes
    ----------
    data
        Costs, and the limits of the holdings.
    probability
        (S,) of the scenarios.
    need
        (S, T, Q) [t].
    most
        (S, T, J) most that a step may serve [t]; 0 where its gate is shut.
    stream, owner
        (J,) what a step serves, and from whose stock.
    """

    data: ForesightData
    probability: NDArray[np.float64]
    need: NDArray[np.float64]
    most: NDArray[np.float64]
    stream: NDArray[np.int64]
    owner: NDArray[np.int64]


def calendar_of(
    data: ForesightData, course: Course, probability: NDArray[np.float64], horizon: int
) -> Calendar:
    """Return a material in every month of every scenario."""
    needs, steps = course.needs, course.steps
    scenario = np.repeat(needs.scenario, np.diff(needs.first))
    need = np.zeros((probability.size, horizon, needs.need.shape[1]))
    need[scenario, needs.month] = needs.need
    most = np.zeros((probability.size, horizon, steps.count))
    served = needs.need[:, steps.stream]
    most[scenario, needs.month] = np.where(course.segment >= 0, served, 0.0)
    return Calendar(data, probability, need, most, steps.stream, steps.stock)


def every_month(calendar: Calendar) -> LinearModel:
    """Return the extensive form with all months, streams, steps, and stocks month by month.

    Columns: holdings, then for each scenario and month what steps release, what is unserved, and
    what is left in the stocks. Rows: for each scenario and month the needs and the stocks, then the
    pooled promises.
    """
    data = calendar.data
    (S, T, Q), J, C = calendar.need.shape, calendar.owner.size, data.lower.size
    place = np.arange(S * T)[:, None]
    first = C + (J + Q + C) * place
    release, unserved, left = first + np.arange(J), first + J + np.arange(Q), first + J + Q
    left = left + np.arange(C)
    need_row = (Q + C) * place + np.arange(Q)
    stock_row = (Q + C) * place + Q + np.arange(C)
    begins = (place % T == 0)[:, 0]
    pool, member = np.nonzero(data.pool)
    first_pool = (Q + C) * S * T
    entries = [
        (need_row[:, calendar.stream], release, 1.0),
        (need_row, unserved, 1.0),
        (stock_row[:, calendar.owner], release, 1.0),
        (stock_row, left, 1.0),
        (stock_row[begins], np.broadcast_to(np.arange(C), (S, C)), -1.0),
        (stock_row[~begins], left[:-1][~begins[1:]], -1.0),
        (first_pool + pool, member, 1.0),
    ]
    row = np.concatenate([at.ravel() for at, _, _ in entries])
    column = np.concatenate([at.ravel() for _, at, _ in entries])
    value = np.concatenate([np.full(at.size, of_entry) for at, _, of_entry in entries])
    shape = (first_pool + data.pooled.size, C + (J + Q + C) * S * T)
    month_cost = np.concatenate([data.cost, data.shortage_cost, np.zeros(C)])
    weight = data.per_year * np.repeat(calendar.probability, T)
    wanted = np.concatenate([calendar.need.reshape(S * T, Q), np.zeros((S * T, C))], axis=1).ravel()
    upper = np.full((S * T, J + Q + C), np.inf)
    upper[:, :J] = calendar.most.reshape(S * T, J)
    return LinearModel(
        cost=np.concatenate([data.holding_cost, np.outer(weight, month_cost).ravel()]),
        lower=np.concatenate([data.lower, np.zeros((J + Q + C) * S * T)]),
        upper=np.concatenate([data.upper, upper.ravel()]),
        integer=np.zeros(shape[1], dtype=np.bool_),
        matrix=csr_array((value, (row, column)), shape=shape),
        row_lower=np.concatenate([wanted, data.pooled]),
        row_upper=np.concatenate([wanted, np.full(data.pooled.size, np.inf)]),
    )


def solve_calendars(calendars: Sequence[Calendar]) -> tuple[float, int, float]:
    """Return the optimum of all materials in one model, its variables, and when it stood."""
    linear = side_by_side([every_month(calendar) for calendar in calendars])
    built = time.perf_counter()
    return solve_linear(linear).objective, linear.cost.size, built
