"""One way to solve the foresight model of an instance, in a process of its own.

    python benchmarks/foresight_ways.py INSTANCE SCENARIOS WAY

Prints JSON: seconds to build and to solve, the optimum [USD/year], variables, and peak memory.
Every way gets the same needs, limits and promises, solves material by material, and uses one
thread. Refill is left out: then months may be summed up without changing the optimum, and the
models that keep the months have the same optimum as those that do not.

=========  =========================================================================================
cuts       ours: cuts from the closed form of the recourse
sums       the extensive form with one release for each step and scenario (F1)-(F6), HiGHS on arrays
months     the extensive form as it is first written down, month by month, HiGHS on arrays
pyomo      the same in Pyomo, solved by HiGHS
linopy     the same in linopy, solved by HiGHS
=========  =========================================================================================

Months without any need, and steps whose gate is shut, are left out of all of them.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.foresight_bound import block_model
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.model.foresight_arrays import extensive_form
from stockpile.model.linear import LinearModel, solve_linear
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.simulate import Course

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightData


@dataclass(frozen=True)
class Months:
    """The model month by month: R releases, U amounts unserved.

    Attributes
    ----------
    data
        Costs, and the limits of the holdings.
    need
        (U,) what is needed, month by month and stream by stream [t].
    need_cost, release_cost
        (U,) and (R,) expected cost of a tonne unserved, or released [USD/(t year)].
    need_of, stock_of, owner_of
        (R,) which need a release serves, and from which stock: that of a scenario and an owner.
    stocks
        How many of those there are.
    """

    data: ForesightData
    need: NDArray[np.float64]
    need_cost: NDArray[np.float64]
    release_cost: NDArray[np.float64]
    need_of: NDArray[np.int64]
    stock_of: NDArray[np.int64]
    owner_of: NDArray[np.int64]
    stocks: int


def months_of(data: ForesightData, course: Course) -> Months:
    """Return the model of one material month by month."""
    needs, steps, C = course.needs, course.steps, data.lower.size
    scenario = np.repeat(np.arange(needs.scenario.size), np.diff(needs.first))
    month, stream = np.nonzero(needs.need > 0.0)
    number = np.full(needs.need.shape, -1)
    number[month, stream] = np.arange(month.size)
    at, step = np.nonzero(course.segment >= 0)
    weight = data.per_year * needs.probability[scenario]
    return Months(
        data=data,
        need=needs.need[month, stream],
        need_cost=weight[month] * data.shortage_cost[stream],
        release_cost=weight[at] * data.cost[step],
        need_of=number[at, steps.stream[step]],
        stock_of=C * scenario[at] + steps.stock[step],
        owner_of=steps.stock[step],
        stocks=C * needs.scenario.size,
    )


def solve_arrays(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the model stood."""
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
    linear = LinearModel(
        cost=np.concatenate([data.holding_cost, model.release_cost, model.need_cost]),
        lower=np.concatenate([data.lower, np.zeros(R + U)]),
        upper=np.concatenate([data.upper, np.full(R + U, np.inf)]),
        integer=np.zeros(shape[1], dtype=np.bool_),
        matrix=coo_array(entries, shape=shape).tocsr(),
        row_lower=np.concatenate([model.need, free, data.pooled]),
        row_upper=np.concatenate([model.need, 0.0 * every, np.full(data.pooled.size, np.inf)]),
    )
    built = time.perf_counter()
    return solve_linear(linear).objective, built


def solve_pyomo(model: Months) -> tuple[float, float]:
    """Do the same in Pyomo."""
    import pyomo.environ as pyo

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
        + sum(cost * m.release[r] for r, cost in enumerate(model.release_cost) if cost)
        + sum(cost * m.unserved[n] for n, cost in enumerate(model.need_cost))
    )
    built = time.perf_counter()
    pyo.SolverFactory("appsi_highs").solve(m)
    return float(pyo.value(m.cost)), built


def solve_linopy(model: Months) -> tuple[float, float]:
    """Do the same in linopy."""
    import linopy
    import pandas as pd
    import xarray as xr

    data, C = model.data, model.data.lower.size
    m = linopy.Model()
    owners = pd.RangeIndex(C, name="owner")
    places = pd.RangeIndex(model.need_of.size, name="r")
    needs = pd.RangeIndex(model.need.size, name="need")
    hold = m.add_variables(
        lower=xr.DataArray(data.lower, coords=[owners]),
        upper=xr.DataArray(data.upper, coords=[owners]),
        name="hold",
    )
    release = m.add_variables(lower=0.0, coords=[places], name="release")
    unserved = m.add_variables(lower=0.0, coords=[needs], name="unserved")
    by_need = xr.DataArray(model.need_of, coords=[places], name="need")
    by_stock = xr.DataArray(model.stock_of, coords=[places], name="stock")
    served = (1.0 * release).groupby(by_need).sum()
    m.add_constraints(served + unserved == xr.DataArray(model.need, coords=[needs]), name="needs")
    used = np.unique(model.stock_of)
    held = hold.sel(owner=xr.DataArray(used % C, coords=[pd.Index(used, name="stock")]))
    m.add_constraints((1.0 * release).groupby(by_stock).sum() - held <= 0.0, name="stocks")
    for n, least in enumerate(data.pooled):
        of_pool = xr.DataArray(data.pool[n].astype(np.float64), coords=[owners])
        m.add_constraints((of_pool * hold).sum() >= least, name=f"pool{n}")
    m.add_objective(
        (xr.DataArray(data.holding_cost, coords=[owners]) * hold).sum()
        + (xr.DataArray(model.release_cost, coords=[places]) * release).sum()
        + (xr.DataArray(model.need_cost, coords=[needs]) * unserved).sum()
    )
    built = time.perf_counter()
    m.solve("highs", io_api="direct", output_flag=False, threads=1)
    return float(m.objective.value), built


MONTHLY: dict[str, Callable[[Months], tuple[float, float]]] = {
    "months": solve_arrays,
    "pyomo": solve_pyomo,
    "linopy": solve_linopy,
}


def main() -> None:
    """Solve, and print what was measured."""
    folder, scenarios, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    instance = sp.load(folder)
    still = tuple(replace(row, refill_per_month=0.0) for row in instance.participants)
    instance = replace(instance, participants=still)
    problem = build_problem(instance)
    drawn, stress = scenario_set(instance, problem, scenarios), stress_cases(instance, problem)
    sharing = instance.solve_settings.cooperation != "none"
    if way in ("pyomo", "linopy"):
        import_module({"pyomo": "pyomo.environ"}.get(way, way))
    build = solve = optimum = 0.0
    variables = 0
    with Workers(1) as workers:
        for block in build_blocks(problem):
            data = block_model(problem, block, drawn, stress, workers, sharing=sharing)
            if way == "cuts":
                if not optimum:
                    minimise(Recourse(data, workers))  # Compiles.
                began = built = time.perf_counter()
                optimum += minimise(Recourse(data, workers)).bound
                variables += data.lower.size
            elif way == "sums":
                began = time.perf_counter()
                linear = extensive_form(data)
                built = time.perf_counter()
                optimum += solve_linear(linear).objective
                variables += linear.cost.size
            else:
                needs = block_needs(problem, block, drawn, workers)
                steps = block.steps if sharing else block.own_steps
                course = Course.of(needs, steps, problem.menu.breakpoints, workers)
                began = time.perf_counter()
                model = months_of(data, course)
                value, built = MONTHLY[way](model)
                optimum += value
                variables += data.lower.size + model.need.size + model.need_of.size
            build += built - began
            solve += time.perf_counter() - built
    unit = 1024 if sys.platform != "darwin" else 1024**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    measured = {"build": build, "solve": solve, "optimum": optimum}
    print(json.dumps({**measured, "variables": variables, "peak_mib": peak}))


if __name__ == "__main__":
    main()
