"""What projects cost: capital, fast track, and what a price floor has to pay, equation (9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.needs import PRICE_CUT
from stockpile.needs import yearly
from stockpile.projects import FAST, FUNDED, STATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


def capital_outlay(problem: Problem) -> NDArray[np.float64]:
    """Return what is paid for each project in each state, (N, 3) [USD]; infinite where it cannot.

    Support is decided and paid within the first six months.
    """
    projects = problem.projects
    outlay = np.zeros((projects.count, STATES))
    outlay[:, FUNDED] = projects.capital
    outlay[:, FAST] = projects.capital + projects.fast_cost
    outlay[np.isnan(outlay)] = np.inf
    return outlay


def capital_cost(problem: Problem) -> NDArray[np.float64]:
    """Return what that costs a year, (N, 3) [USD/year]."""
    outlay = capital_outlay(problem)
    rate = problem.projects.capital_rate[:, None]
    cost = np.full(outlay.shape, np.inf)
    np.multiply(outlay, rate, out=cost, where=np.isfinite(outlay))
    return cost


def support_cost(problem: Problem, scenarios: ScenarioSet) -> NDArray[np.float64]:
    """Return the expected cost of output above its price, (N, 3) [USD/year].

    That is what a price floor at the operating cost has to pay for the output that beneficiaries
    get. Events that cut the price count where they answer nothing, or the project itself.
    """
    projects = problem.projects
    cost = np.zeros((projects.count, STATES))
    for n in range(projects.count):
        made = np.flatnonzero(projects.output[n])
        share = float(projects.share[n].sum())
        if not made.size or share == 0.0:
            continue
        price = np.array([_prices(problem, scenarios, n, m) for m in made.tolist()])  # (., S, T)
        above = np.maximum(projects.operating[n, made][:, None, None] - price, 0.0)
        value = np.einsum("m,mst->st", projects.output[n, made] * share, above)
        for state in (FUNDED, FAST):
            states = np.full(projects.count, state)
            first = projects.first_period(scenarios.lead, states)[:, n]
            age = np.arange(problem.horizon)[None, :] - first[:, None] + 1
            running = np.clip(age / projects.ramp[n], 0.0, 1.0)
            expected = scenarios.probability @ (running * value).sum(axis=1)
            cost[n, state] = yearly(float(expected), problem)
    return cost


def _prices(problem: Problem, scenarios: ScenarioSet, n: int, m: int) -> NDArray[np.float64]:
    """Return the price that the output of a project meets, (S, T) [USD/t]."""
    kept = np.ones((scenarios.count, problem.horizon))
    answers = scenarios.answers[scenarios.scope]
    hits = (scenarios.effect == PRICE_CUT) & scenarios.materials[scenarios.scope, m]
    hits &= (answers < 0) | (answers == n)
    scenario = np.repeat(np.arange(scenarios.count), np.diff(scenarios.first))
    for e in np.flatnonzero(hits):
        active = slice(scenarios.start[e], scenarios.end[e])
        kept[scenario[e], active] *= 1.0 - scenarios.severity[e]
    return np.asarray(problem.price[m] * kept)
