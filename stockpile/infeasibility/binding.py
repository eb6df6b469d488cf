"""A guess which promises force a plan to break limits: those that its candidates just keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.infeasibility.plan_use import promise_indices
from stockpile.infeasibility.promise_requirements import PromiseRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.candidates import Candidates
    from stockpile.evaluator import Evaluator
    from stockpile.infeasibility.requirements import Requirement

PARTS = 32
"""Numbers of lots that are looked at in one round when the fewest are looked for."""
LEAST_WEIGHT = 1e-3
"""Blocks that are charged less than this part of all are not looked at."""


def by_weight(
    promises: Sequence[Requirement],
    evaluators: Sequence[Evaluator],
    priced: Sequence[tuple[float, Candidates]],
) -> list[Requirement]:
    """Sort promises by what the blocks are charged in which they are binding, the dearest first.

    Parameters
    ----------
    priced
        By block: what its best candidate is charged for limits, and the candidate.
    """
    problem = evaluators[0].problem
    weight = np.zeros(len(problem.promises))
    total = sum(abs(charge) for charge, _ in priced)
    for evaluator, (charge, candidate) in zip(evaluators, priced, strict=True):
        if abs(charge) > LEAST_WEIGHT * total:
            binding = _binding(evaluator, candidate.lots[0], candidate.rule[0])
            weight[promise_indices(evaluator)[binding]] += abs(charge)
    of_row = {
        promise.key: float(weight[list(promise.promises)].sum())
        for promise in promises
        if isinstance(promise, PromiseRow)
    }
    return sorted(promises, key=lambda promise: -of_row.get(promise.key, 0.0))


def _binding(
    evaluator: Evaluator, lots: NDArray[np.int64], rule: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say which promises break with a lot less of some stock, all spare lots taken off first."""
    problem, block = evaluator.problem, evaluator.block
    least = problem.lots_min[block.market_participant, block.market_material]
    lots = lots.copy()
    for i in np.argsort(-evaluator.unit_cost, kind="stable"):
        low, high = int(least[i]), int(lots[i])  # With `high`, all promises are kept.
        while low < high:
            tried = np.unique(np.linspace(low, high, PARTS).astype(np.int64))[:-1]
            kept = _achieved(evaluator, lots, int(i), tried, rule).all(axis=0)
            first = int(kept.argmax()) if kept.any() else tried.size
            high = int(tried[first]) if kept.any() else high
            low = int(tried[first - 1]) + 1 if first > 0 else low
        lots[i] = high
    binding = np.zeros(len(evaluator.promises), dtype=np.bool_)
    for i in np.flatnonzero(lots > least):
        fewer = lots[[i]] - 1
        binding |= ~_achieved(evaluator, lots, int(i), fewer, rule)[:, 0]
    return binding


def _achieved(
    evaluator: Evaluator,
    lots: NDArray[np.int64],
    i: int,
    tried: NDArray[np.int64],
    rule: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say which promises are kept with other numbers of lots of stock i, (promises, tried)."""
    candidates = np.tile(lots, (tried.size, 1))
    candidates[:, i] = tried
    return evaluator.achievements(candidates, np.tile(rule, (tried.size, 1)))[1]
