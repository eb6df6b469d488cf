"""stochlift: a deterministic model as a function of its data, lifted to all scenarios; HiGHS.

The data are the number of the scenario, so that nothing is spent on copying tables. Only the
extensive form is built and solved. ``Study.solve``, the usual call, works out EVPI and VSS besides,
which takes longer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import stochlift
from scipy.sparse import coo_array
from stochlift.evaluate import solve_recourse_problem

from foresight_peers.monthly import scenarios_of

if TYPE_CHECKING:
    from foresight_peers.monthly import Months, Scenario
    from stockpile.model.foresight_data import ForesightData


def one_scenario(data: ForesightData, scenario: Scenario) -> highspy.Highs:
    """Return the deterministic model of a scenario: holdings, releases, what is unserved."""
    R, U, C = scenario.need_of.size, scenario.need.size, data.lower.size
    releases, pools = C + np.arange(R), data.pooled.size
    pool, member = np.nonzero(data.pool)
    row = [scenario.need_of, np.arange(U), U + scenario.owner_of, U + np.arange(C), U + C + pool]
    column = [releases, C + R + np.arange(U), releases, np.arange(C), member]
    value = [np.ones(R), np.ones(U), np.ones(R), -np.ones(C), np.ones(pool.size)]
    shape = (U + C + pools, C + R + U)
    entries = (np.concatenate(value), (np.concatenate(row), np.concatenate(column)))
    matrix = coo_array(entries, shape=shape).tocsr()
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = shape
    lp.col_cost_ = np.concatenate([data.holding_cost, scenario.release_cost, scenario.need_cost])
    lp.col_lower_ = np.concatenate([data.lower, np.zeros(R + U)])
    lp.col_upper_ = np.concatenate([data.upper, np.full(R + U, highspy.kHighsInf)])
    lp.row_lower_ = np.concatenate([scenario.need, np.full(C, -highspy.kHighsInf), data.pooled])
    lp.row_upper_ = np.concatenate([scenario.need, np.zeros(C), np.full(pools, highspy.kHighsInf)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data
    kinds = (("h", C), ("r", R), ("u", U))
    lp.col_names_ = [f"{kind}{n}" for kind, count in kinds for n in range(count)]
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(lp)
    return solver


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the models of all scenarios stood."""
    scenarios = scenarios_of(model)

    def build(data: dict[str, Any]) -> highspy.Highs:
        return one_scenario(model.data, scenarios[round(data["scenario"])])

    study = stochlift.lift(
        build,
        {"scenario": 0.0},
        first_stage=["h*"],
        scenarios=[(one.probability, {"scenario": float(s)}) for s, one in enumerate(scenarios)],
        n_jobs=1,
    )
    models = study.models()
    built = time.perf_counter()
    optimum, _, _ = solve_recourse_problem(
        models, study.scenarios.probs, study.is_first, n_jobs=1, **study.opts
    )
    return float(optimum), built
