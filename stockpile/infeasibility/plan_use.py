"""What one plan uses of everything that could be asked of it, whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.master.columns import Columns
from stockpile.master.rule_names import fewest_rules
from stockpile.master.selections import selection
from stockpile.model.verify import tail_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.candidates import Candidates
    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class PlanUse:
    """What a plan uses and reaches.

    Attributes
    ----------
    outlay
        (C,) acquisition outlay (8) [USD].
    stored
        (C, L) tonnes by storage kind [t].
    covered
        (G,) probability that each joint chance group is covered (13).
    followed
        (C, R) rules in use (15), as few as can be.
    share
        (C,) what each participant bears (16) [USD/year].
    tail_cost
        Mean shortage cost of the tail (18) [USD/year]; 0 where there is no limit on it.
    held
        (C, M) lots held.
    states
        (N,) states of projects.
    broken
        Indices of the problem's promises that are broken.
    """

    outlay: NDArray[np.float64]
    stored: NDArray[np.float64]
    covered: NDArray[np.float64]
    followed: NDArray[np.bool_]
    share: NDArray[np.float64]
    tail_cost: float
    held: NDArray[np.int64]
    states: NDArray[np.int64]
    broken: frozenset[int]


def plan_use(
    evaluators: Sequence[Evaluator],
    couplings: Couplings,
    scenarios: ScenarioSet,
    classes: Sequence[NDArray[np.int64]],
    plan: Sequence[Candidates],
    states: NDArray[np.int64],
) -> PlanUse:
    """Work out what a plan uses.

    Parameters
    ----------
    evaluators
        With the promises that are looked at.
    couplings
        Tells how storage and the tail are counted.
    classes
        By block: (C, R) the rule that stands for each rule.
    plan
        One candidate of every block.
    states
        (N,) states of projects.
    """
    problem = evaluators[0].problem
    columns = []
    held = np.zeros(problem.lots_min.shape, dtype=np.int64)
    broken: set[int] = set()
    for evaluator, candidate in zip(evaluators, plan, strict=True):
        own = Columns(evaluator)
        own.add(candidate)
        columns.append(own)
        block = evaluator.block
        held[block.market_participant, block.market_material] = candidate.lots[0]
        _, met = evaluator.achievements(candidate.lots, candidate.rule)
        broken.update(promise_indices(evaluator)[~met[:, 0]].tolist())
    only = [np.zeros(1, dtype=np.int64)] * len(columns)
    model = selection(problem, couplings, evaluators, columns, only, classes, scenarios)
    shortage = model.shortage.sum(axis=1)
    weights = tail_weights(shortage, scenarios.probability, couplings.tail) if shortage.size else 0
    return PlanUse(
        outlay=model.outlay.sum(axis=1),
        stored=model.stored.sum(axis=2),
        covered=model.covered.all(axis=2) @ scenarios.probability,
        followed=np.array([_in_use(follows.T) for follows in model.follows]),
        share=model.cost_share.sum(axis=1),
        tail_cost=float(np.sum(weights * shortage)),
        held=held,
        states=states,
        broken=frozenset(broken),
    )


def promise_indices(evaluator: Evaluator) -> NDArray[np.int64]:
    """Return which of the problem's promises a block's are."""
    materials = [promise.material for promise in evaluator.problem.promises]
    return np.flatnonzero(np.isin(materials, evaluator.block.materials))


def _in_use(patterns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rules are in use, (R,), of an owner with these patterns (blocks, R)."""
    holds = [not pattern.all() for pattern in patterns]  # Who holds nothing follows any rule.
    in_use = np.zeros(patterns.shape[1], dtype=np.bool_)
    for rule, held in zip(fewest_rules(list(patterns), holds), holds, strict=True):
        in_use[rule] |= held
    return in_use
