"""A plan that certainly keeps all promises: what limits are set from.

Each participant holds enough alone, under the rule ``guarded-closed``: defense draws on the whole
stock, civil use until 0.4 of the holding h is left, industry until 0.8 h is left, partners never.
Let D, V and I be what the three need in a scenario over the whole horizon. Then, whatever the
order of events,

- a part a of the defense need is served if a D <= 0.4 h (nobody else touches that), or
  a D + V <= 0.8 h (industry does not), or a D + V + I <= h;
- a part a of the civil need is served if D + a V <= 0.4 h, half of what industry does not touch,
  or D + a V + I <= 0.6 h.

Refill (6) can only add to this. So each scenario asks for a holding in closed form, a chance for a
quantile of these holdings, a case of stress for that of the case, and days of cover for
themselves. A joint chance of n markets begins with holdings of each that fail in 1/n of the
scenarios in which the group may fail, which is enough, and lowers all of them in proportion while
it is still kept. What these holdings cost to buy and to store follows from the data; what they
leave unserved is simulated once.

The quantiles are those of the scenarios that are planned on if these are at most `MOST_LOOKED_AT`.
Else they are those of the first of them, with three standard errors of a sample on top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.choices import with_variant
from stockpile.evaluator import Evaluator
from stockpile.generator.menu import REFERENCE
from stockpile.needs import block_needs
from stockpile.outlay import acquisition_outlay
from stockpile.parallel import Workers
from stockpile.problem import LEVEL_TOLERANCE, build_problem
from stockpile.scenarios import scenario_set, stress_cases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.instance import Instance
    from stockpile.problem import JointGroup, Problem, Promise
    from stockpile.scenarios import ScenarioSet

    Array = NDArray[np.float64]

MOST_LOOKED_AT = 2_000
"""Scenarios from which the reference plan is made, at most."""
DEFENSE, CIVIL, INDUSTRY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class ReferencePlan:
    """Lots that keep all promises under `stockpile.generator.menu.REFERENCE`.

    Attributes
    ----------
    lots
        (C, M) number of lots.
    """

    lots: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReferenceCosts:
    """What the reference plan takes of each limit.

    Attributes
    ----------
    outlay
        (C,) cost of buying what is missing (8) [USD].
    shortage, shortage_of_nothing
        (S,) shortage cost with it, and with no stock at all, by scenario [USD/year].
    """

    outlay: Array
    shortage: Array
    shortage_of_nothing: Array


def looked_at(instance: Instance) -> int:
    """Return from how many scenarios the reference plan is made."""
    return min(instance.scenario_settings.count, MOST_LOOKED_AT)


def reference_plan(instance: Instance) -> ReferencePlan:
    """Return the reference plan of an instance with the classes and menu of this package."""
    problem = build_problem(instance)
    count = looked_at(instance)
    exact = instance.scenario_settings.count <= count
    scenarios = scenario_set(instance, problem, count)
    cases = stress_cases(instance, problem)
    C, M = len(problem.participants), len(problem.materials)
    promises: list[list[Promise]] = [[] for _ in range(M)]
    for promise in problem.promises:
        promises[promise.material].append(promise)
    least = np.zeros((C, M))
    joint: list[dict[tuple[int, int], Array]] = [{} for _ in problem.groups]
    with Workers() as workers:
        for block in build_blocks(problem):
            (m,) = block.materials  # Generated instances have no conversions.
            total = _totals(problem, block, scenarios, workers)
            stressed = _totals(problem, block, cases, workers)
            for promise in promises[m]:
                c = promise.participant
                held = _enough_for(promise, total[:, c], stressed[:, c], cases.names, exact=exact)
                least[c, m] = max(least[c, m], held)
            for group, holdings in zip(problem.groups, joint, strict=True):
                _note_group(holdings, group, m, total)
    for group, holdings in zip(problem.groups, joint, strict=True):
        for (c, m), held in _enough_for_group(group, holdings, exact=exact).items():
            least[c, m] = max(least[c, m], held)
    return ReferencePlan(np.ceil(least / problem.lot * (1.0 - LEVEL_TOLERANCE)).astype(np.int64))


def _totals(problem: Problem, block: Block, scenarios: ScenarioSet, workers: Workers) -> Array:
    """Return needs over the horizon (S, C, K) [t] of the block of one material."""
    needs = block_needs(problem, block, scenarios, workers)
    total = np.zeros((scenarios.count, needs.total.shape[1]))
    total[needs.scenario] = needs.total
    return total.reshape(scenarios.count, len(problem.participants), -1)


def enough(need: Array, demand_class: int, level: float) -> Array:
    """Return holdings (S,) [t] that serve a part of a class's need (S, K) under the reference rule.

    See the head of this module.
    """
    defense, civil, industry = need[:, DEFENSE], need[:, CIVIL], need[:, INDUSTRY]
    if demand_class == DEFENSE:
        first = level * defense
        ways = [first / 0.4, (first + civil) / 0.8, first + civil + industry]
    elif demand_class == CIVIL:
        both = defense + level * civil
        ways = [both / 0.4, (both + industry) / 0.6]
    else:
        raise NotImplementedError("nothing is promised to industry")
    return np.where(need[:, demand_class] > 0.0, np.minimum.reduce(ways), 0.0)


def quantile(values: Array, confidence: float, *, exact: bool) -> float:
    """Return what at least this part of equally likely values (S,) does not exceed."""
    count = values.size
    exceptions = (1.0 - confidence) * count
    if not exact:
        exceptions -= 3.0 * math.sqrt(confidence * (1.0 - confidence) * count)
    worst = max(0, math.floor(exceptions + LEVEL_TOLERANCE))
    return float(np.sort(values)[count - 1 - min(worst, count - 1)])


def _enough_for(
    promise: Promise, need: Array, stressed: Array, cases: tuple[str, ...], *, exact: bool
) -> float:
    """Return a holding [t] that keeps a promise, by needs (S, K) and those of stress cases."""
    if promise.metric == "days":
        return promise.level * promise.daily_t
    if promise.metric == "stress":
        held = enough(stressed, promise.demand_class, promise.level)
        return float(held[cases.index(promise.stress)])
    if promise.metric == "chance":
        held = enough(need, promise.demand_class, promise.level)
        return quantile(held, promise.confidence, exact=exact)
    raise NotImplementedError(promise.metric)


def _note_group(
    holdings: dict[tuple[int, int], Array], group: JointGroup, m: int, total: Array
) -> None:
    """Add the holdings (S,) [t] that each scenario asks of the markets of a group's material."""
    for c, material, k, level in group.streams:
        if material == m:
            held = enough(total[:, c], k, level)
            holdings[c, m] = np.maximum(holdings.get((c, m), 0.0), held)


def _enough_for_group(
    group: JointGroup, holdings: dict[tuple[int, int], Array], *, exact: bool
) -> dict[tuple[int, int], float]:
    """Return holdings [t] by market that keep a joint chance."""
    confidence = 1.0 - (1.0 - group.confidence) / len(holdings)
    most = {market: quantile(held, confidence, exact=exact) for market, held in holdings.items()}
    # Where nothing is held the group fails in the few scenarios that need something.
    ratios = [
        held / most[market] if most[market] > 0.0 else np.where(held > 0.0, np.inf, 0.0)
        for market, held in holdings.items()
    ]
    factor = quantile(np.maximum.reduce(ratios), group.confidence, exact=exact)
    return {market: factor * held for market, held in most.items()}


def reference_costs(instance: Instance, plan: ReferencePlan) -> ReferenceCosts:
    """Simulate the reference plan, and no stock at all, without partners."""
    problem = build_problem(instance)
    count = looked_at(instance)
    scenarios = scenario_set(instance, problem, count)
    cases = stress_cases(instance, problem)
    C = len(problem.participants)
    number = [rule.name for rule in problem.menu.rules].index(REFERENCE)
    rules = with_variant(np.full((2, C), number, dtype=np.int64), 0)
    outlay, shortage = np.zeros(C), np.zeros((2, count))
    with Workers() as workers:
        for block in build_blocks(problem):
            (m,) = block.materials
            evaluator = Evaluator(problem, block, scenarios, cases, workers, sharing=False)
            lots = np.stack([plan.lots[:, m], np.zeros(C, dtype=np.int64)])
            outlay += acquisition_outlay(problem, block, evaluator.holding(lots))[0]
            shortage[:, evaluator.needs.scenario] += evaluator.shortage_cost(lots, rules)
    return ReferenceCosts(outlay, shortage[0], shortage[1])
