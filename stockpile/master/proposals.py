"""The best plan so far, and better ones from what is known: an integer program proposes them.

It only proposes: cost and limits of every plan are recomputed from the data before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.master.branching import FRACTIONAL
from stockpile.master.columns import Columns
from stockpile.master.selections import selection
from stockpile.model.plan_arrays import judged
from stockpile.model.verify import tail_weights, within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from stockpile.boxsearch import BoxSearch
    from stockpile.candidates import Candidates
    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.duals import Duals
    from stockpile.master.known import Known
    from stockpile.master.node import Node
    from stockpile.master.relaxation import Relaxed
    from stockpile.model.plan_arrays import Choice
    from stockpile.model.selection import Selection
    from stockpile.prices import BlockPrices
    from stockpile.scenarios import ScenarioSet

PRICING_SHARE = 0.25
"""Part of the gap that the box searches may leave open, all together."""
WORTH_ASKING = 0.1
"""Part of the gap by which a plan must be above the relaxation for a better one to be asked for."""
OFFERED_COLUMNS = 40
"""Candidates of each block that are offered to the integer master besides those in use."""
OFFERED_ONCE = 160
"""The same before the first split."""
SPENDINGS = 20
"""Parts of what candidates spend, of each of which the cheapest one is offered besides."""
MOST_SPARE = 0.05
"""Candidates that are charged more than the cheapest one of their block by this part of all costs
are not offered for what they spend."""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The best plan found: a candidate of every block, and open facilities.

    Attributes
    ----------
    candidates
        One for each block.
    open_
        (W,) which facilities are open.
    states
        (N,) states of projects.
    block_costs
        Annual cost (7) of each block [USD/year].
    cost
        The objective (9) [USD/year], recomputed outside any solver.
    """

    candidates: tuple[Candidates, ...]
    open_: NDArray[np.bool_]
    states: NDArray[np.int64]
    block_costs: tuple[float, ...]
    cost: float


class Proposals:
    """The best plan so far, which is replaced by better ones.

    Parameters
    ----------
    scenarios
        The scenarios that the evaluators simulate.
    gap
        Relative gap that is to be proved in the end.
    choose
        Chooses the plan from a model of some candidates.
    tell
        Called where a better plan has been found.
    """

    def __init__(
        self,
        known: Known,
        evaluators: Sequence[Evaluator],
        couplings: Couplings,
        scenarios: ScenarioSet,
        gap: float,
        choose: Callable[[Selection], Choice | None],
        tell: Callable[[], None],
    ) -> None:
        self._known = known
        self._evaluators = evaluators
        self._couplings = couplings
        self._scenarios = scenarios
        self._gap = gap
        self._choose = choose
        self._tell = tell
        self.incumbent: Incumbent | None = None

    @property
    def cost(self) -> float:
        """Return the cost of the incumbent; infinite without one."""
        return np.inf if self.incumbent is None else self.incumbent.cost

    def propose(
        self,
        node: Node,
        relaxed: Relaxed,
        duals: Duals,
        offered: int = OFFERED_COLUMNS,
        *,
        fully: bool,
    ) -> None:
        """Let the integer master choose among the columns in use and what pays nearly as well.

        It only proposes: cost and limits are recomputed.

        Parameters
        ----------
        duals
            Prices at which candidates pay.
        offered
            Candidates of each block to choose from, besides those in use.
        fully
            Whether to ask at all where the relaxation mixes candidates.
        """
        if self.cost - relaxed.value <= WORTH_ASKING * self._gap * abs(relaxed.value):
            return  # Nothing much better can be chosen.
        if all((part > 1.0 - FRACTIONAL).any() for _, part in relaxed.z):
            before = self.cost
            self.take_better(
                self._known.columns, [numbers[[part.argmax()]] for numbers, part in relaxed.z]
            )
            if self.cost < before:
                return
        if not fully:
            return
        # What a block may be charged above its cheapest candidate in a plan that is better.
        spare = min(self.cost - relaxed.value, MOST_SPARE * abs(relaxed.value))
        pools = []
        for i, (numbers, part) in enumerate(relaxed.z):
            pool = Columns(self._evaluators[i])
            pool.add(self._known.columns[i].candidates.take(numbers[part > FRACTIONAL]))
            search = self._known.searches[i]
            known = search.candidates
            known = known.take(node.regions[i].holds(known))
            prices = self._known.prices(duals, i)
            pool.add(_cheapest(search, known, prices, offered))
            if prices.outlay.any():
                # Where a mixture just keeps the budgets, plans need some that spend less, or more.
                pool.add(_of_each_spending(search, known, prices, spare))
            pools.append(pool)
        self.take_better(pools, [np.arange(pool.count) for pool in pools])

    def take_better(self, columns: Sequence[Columns], chosen: Sequence[NDArray[np.int64]]) -> None:
        """Take the best plan from chosen columns as incumbent, if it is better."""
        # Most plans keep the limit on the tail anyway, and of one plan that is soon found out.
        choice = self._best_of(columns, chosen, tail=False)
        if choice is not None and not self._tail_kept(columns, chosen, choice):
            choice = self._best_of(columns, chosen, tail=True)
        if choice is not None and choice.cost < self.cost:
            numbers = np.concatenate(list(chosen))[choice.columns]
            plan = tuple(
                own.candidates.take(number[None])
                for own, number in zip(columns, numbers, strict=True)
            )
            costs = tuple(
                float(own.figures.cost[number])
                for own, number in zip(columns, numbers, strict=True)
            )
            self.incumbent = Incumbent(plan, choice.open_, choice.states, costs, choice.cost)
            for own, candidate in zip(self._known.columns, plan, strict=True):
                own.add(candidate)
            self._tell()

    def _best_of(
        self, columns: Sequence[Columns], chosen: Sequence[NDArray[np.int64]], *, tail: bool
    ) -> Choice | None:
        """Return the best plan from chosen columns, if there is one."""
        model = selection(
            self._evaluators[0].problem,
            self._couplings,
            self._evaluators,
            columns,
            chosen,
            self._known.classes,
            self._scenarios,
            tail=tail,
        )
        if any(numbers.size > 1 for numbers in chosen):
            return self._choose(model)
        return judged(model, np.arange(len(chosen)), "optimal")

    def _tail_kept(
        self, columns: Sequence[Columns], chosen: Sequence[NDArray[np.int64]], choice: Choice
    ) -> bool:
        """Say whether a plan keeps the limit on the tail (18)."""
        if not np.isfinite(self._couplings.most_tail_cost):
            return True
        cost = np.zeros(self._scenarios.count)
        numbers = np.concatenate(list(chosen))[choice.columns]
        for evaluator, own, number in zip(self._evaluators, columns, numbers, strict=True):
            cost[evaluator.needs.scenario] += own.shortage(number[None])[0]
        weight = tail_weights(cost, self._scenarios.probability, self._couplings.tail)
        return within(float(weight @ cost), self._couplings.most_tail_cost)


def _cheapest(search: BoxSearch, known: Candidates, prices: BlockPrices, most: int) -> Candidates:
    """Return the candidates that are charged least at some prices, at most so many."""
    return known.take(np.argsort(search.charge(known, prices), kind="stable")[:most])


def _of_each_spending(
    search: BoxSearch, known: Candidates, prices: BlockPrices, spare: float
) -> Candidates:
    """Return the cheapest candidates of those that spend much, less, and little.

    A relaxation mixes one that spends much and one that spends little, and candidates that are
    charged least are near to one of the two. Plans need those in between, which no prices find.

    Parameters
    ----------
    spare
        Most that a candidate may be charged above the cheapest one.
    """
    charge = search.charge(known, prices)
    near = np.flatnonzero(charge <= charge.min(initial=np.inf) + spare)
    free = replace(prices, outlay=np.zeros_like(prices.outlay))
    near_known = known.take(near)
    spent = charge[near] - search.charge(near_known, free)
    part = np.floor((spent - spent.min(initial=np.inf)) * (SPENDINGS / max(np.ptp(spent), 1e-9)))
    order = np.lexsort((charge[near], np.minimum(part, SPENDINGS - 1)))
    first = np.diff(np.minimum(part, SPENDINGS - 1)[order], prepend=-1.0) > 0.0
    return near_known.take(order[first])
