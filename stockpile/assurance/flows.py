"""What flows in a plan: from stocks through plants and over borders, month by month.

The plan is simulated on the scenarios it was made on, or on fewer of the same kind where there are
many. Nothing is solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.needs import block_needs, yearly
from stockpile.rules import OWN
from stockpile.simulate import candidate_terms, simulate_months

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.needs import Needs
    from stockpile.parallel import Workers
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet
    from stockpile.simulate import Months, Terms

AT_ONCE = 250
"""Scenarios simulated at once; every release of every month of them is kept meanwhile."""
WORST = 0.05
"""Probability of the worst scenarios that are shown on their own."""
USED_UP = 1e-9
"""A pool is used up when so small a part of it is left."""
CASES = ("need", "worst")
"""Scenarios with any need, and the worst of all scenarios."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A shipment on the way of a step.

    Attributes
    ----------
    here, there, material
        From whom to whom, and what.
    shipped
        Tonnes shipped per tonne served.
    """

    here: int
    there: int
    material: int
    shipped: float


@dataclass(frozen=True, slots=True)
class BlockFlows:
    """What flows in one block under a plan; J steps, E plants of the problem, cases of CASES.

    Attributes
    ----------
    block, steps
        What was simulated.
    released
        (J,) expected tonnes served by each step [t/year].
    unserved
        (Q,) expected [t/year].
    probability
        (cases,) of the scenarios of each case.
    months
        (cases,) months with need in a scenario of each case, on average; of weeks their part.
    need, short
        (cases,) need, and what is left of it, in a scenario of each case, on average [t].
    made
        (cases, E) what each plant makes [t a month with need].
    full
        (E,) fraction of the months with need of what a plant serves in which some of its pools is
        used up; nan where there is no such month.
    shipped
        What is shipped in each case [t a month with need], by from, to and material.
    """

    block: Block
    steps: Steps
    released: NDArray[np.float64]
    unserved: NDArray[np.float64]
    probability: NDArray[np.float64]
    months: NDArray[np.float64]
    need: NDArray[np.float64]
    short: NDArray[np.float64]
    made: NDArray[np.float64]
    full: NDArray[np.float64]
    shipped: dict[tuple[int, int, int], NDArray[np.float64]]


def block_flows(
    problem: Problem,
    block: Block,
    scenarios: ScenarioSet,
    workers: Workers,
    decisions: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    *,
    sharing: bool,
) -> BlockFlows:
    """Simulate a block under a plan.

    Parameters
    ----------
    decisions
        Lots (C, M), rules (C, M) and states of projects (N,).
    """
    lots, rules, states = decisions
    steps = block.steps if sharing else block.own_steps
    needs = block_needs(problem, block, scenarios, workers, states)
    c, m = block.market_participant, block.market_material
    holding = lots[c, m] * problem.lot[m]
    rule = rules[:, block.materials[0]]
    terms = candidate_terms(problem.menu, steps, holding[:, None], rule[:, None])
    tally = _Tally(problem, block, terms, needs)
    for first in range(0, needs.scenario.size, AT_ONCE):
        some = np.arange(first, min(first + AT_ONCE, needs.scenario.size))
        part = needs.only(some, needs.probability[some])
        months = simulate_months(block, part, terms, problem.refill[c], problem.horizon)
        tally.add(some, months)
    return tally.flows()


class _Tally:
    """Adds up what is simulated, scenario by scenario."""

    def __init__(self, problem: Problem, block: Block, terms: Terms, needs: Needs) -> None:
        self._problem, self._block, self._needs = problem, block, needs
        self._steps = steps = terms.steps
        self._capacity = terms.capacity[:, 0]
        S, E = needs.scenario.size, problem.conversions.count
        self._released = np.zeros((S, steps.count))
        self._unserved = np.zeros((S, block.num_streams))
        self._months = np.zeros(S)
        self._full, self._asked = np.zeros(E), np.zeros(E)

    def add(self, some: NDArray[np.int64], months: Months) -> None:
        """Add scenarios that were simulated."""
        released = months.released[..., 0]  # (S, T, J)
        self._released[some] = released.sum(axis=1)
        self._unserved[some] = months.unserved[..., 0]
        with_need = (months.need > 0.0).any(axis=2).sum(axis=1)
        self._months[some] = self._problem.period.months(with_need)
        pools, weight = self._steps.pools, self._needs.probability[some]
        left = np.tile(self._capacity, (*released.shape[:2], 1))
        asked = np.zeros((*released.shape[:2], self._problem.conversions.count), np.bool_)
        for j in range(self._steps.count):
            wanted = months.need[:, :, self._steps.stream[j]] > 0.0
            for d in range(pools.first[j], pools.first[j + 1]):
                left[..., pools.pool[d]] -= released[..., j] * pools.made[d]
                asked[..., pools.plant[pools.pool[d]]] |= wanted
        for e in range(asked.shape[2]):
            # What the rules never allow has no part of a plant that could be used up.
            own = (pools.plant == e) & (self._capacity > 0.0)
            empty = (left[..., own] <= USED_UP * self._capacity[own]).any(axis=2) & asked[..., e]
            self._full[e] += float(weight @ empty.sum(axis=1))
            self._asked[e] += float(weight @ asked[..., e].sum(axis=1))

    def flows(self) -> BlockFlows:
        """Return what has been added up."""
        problem, steps, needs = self._problem, self._steps, self._needs
        weight = self._weights()
        months = weight @ self._months
        through = weight @ self._released  # (cases, J)
        per_month = np.divide(
            through, months[:, None], out=np.zeros_like(through), where=months[:, None] > 0.0
        )
        made = np.zeros((len(CASES), problem.conversions.count))
        shipped: dict[tuple[int, int, int], NDArray[np.float64]] = {}
        for j in range(steps.count):
            for e, per_t in plants_of(steps, j):
                made[:, e] += per_month[:, j] * per_t
            for leg in legs_of(problem, self._block, steps, j):
                key = (leg.here, leg.there, leg.material)
                amounts = shipped.setdefault(key, np.zeros(len(CASES)))
                amounts += per_month[:, j] * leg.shipped
        probability = weight.sum(axis=1)

        def on_average(values: NDArray[np.float64]) -> NDArray[np.float64]:
            sums = weight @ values
            out = np.zeros_like(sums)
            return np.asarray(np.divide(sums, probability, out=out, where=probability > 0.0))

        return BlockFlows(
            block=self._block,
            steps=steps,
            released=_yearly(needs.probability @ self._released, problem),
            unserved=_yearly(needs.probability @ self._unserved, problem),
            probability=probability,
            months=on_average(self._months),
            need=on_average(needs.total.sum(axis=1)),
            short=on_average(self._unserved.sum(axis=1)),
            made=made,
            full=np.divide(
                self._full, self._asked, out=np.full_like(self._full, np.nan), where=self._asked > 0
            ),
            shipped=shipped,
        )

    def _weights(self) -> NDArray[np.float64]:
        """Return the weight of each kept scenario in each case, (cases, S').

        The worst are those with the highest cost of shortage, of equal ones those with the most
        valuable need; the last one of them counts in part.
        """
        problem, block, needs = self._problem, self._block, self._needs
        z = block.stream_market
        worth = problem.shortage_cost[
            block.market_participant[z], block.market_material[z], block.stream_class
        ]
        order = np.lexsort((-(needs.total @ worth), -(self._unserved @ worth)))
        weight = needs.probability[order]
        before = np.cumsum(weight) - weight
        worst = np.zeros_like(weight)
        worst[order] = np.clip(WORST - before, 0.0, weight)
        return np.array([needs.probability, worst])


def _yearly(total: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    return np.array([yearly(float(value), problem) for value in total])


def plants_of(steps: Steps, j: int) -> Iterator[tuple[int, float]]:
    """Yield the plants on the way of a step, in order, and the tonnes made per tonne served."""
    pools = steps.pools
    for d in range(pools.first[j], pools.first[j + 1]):
        yield int(pools.plant[pools.pool[d]]), float(pools.made[d])


def legs_of(problem: Problem, block: Block, steps: Steps, j: int) -> Iterator[Leg]:
    """Yield the shipments on the way of a step, in order."""
    plants = list(plants_of(steps, j))
    at = [int(problem.conversions.participant[e]) for e, _ in plants]
    places = [int(steps.owner[j]), *at, int(block.market_participant[steps.market[j]])]
    goods = [int(problem.conversions.takes[e]) for e, _ in plants]
    goods.append(int(block.market_material[steps.market[j]]))
    # What is taken from the stock is shipped first; then what each plant has made.
    amounts = [1.0 / float(steps.yield_[j]), *(per_t for _, per_t in plants)]
    for leg, (good, amount) in enumerate(zip(goods, amounts, strict=True)):
        if places[leg] != places[leg + 1]:
            yield Leg(places[leg], places[leg + 1], good, amount)


def is_own(steps: Steps, j: int) -> bool:
    """Say whether a step takes from the stock of who is in need."""
    return bool(steps.relation[j] == OWN)
