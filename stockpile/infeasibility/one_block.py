"""Why a block is infeasible, in terms of its promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.presolve import distinct_rules
from stockpile.problem import describe_promise, promise_in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.evaluator import Evaluator
    from stockpile.problem import Problem, Promise


def find_conflicts(
    evaluator: Evaluator,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], tuple[str, ...]]:
    """Say which promises of an infeasible block cannot be kept, even with all stock allowed.

    Returns
    -------
    best
        What each promise reaches at best, under the rules and projects that are best for it alone.
    kept
        Whether it can be kept on its own.
    conflicts
        The promises that cannot be kept, in words.
    """
    problem, block = evaluator.problem, evaluator.block
    choices = [*distinct_rules(evaluator), np.arange(evaluator.variants.count)]
    rules = np.array(np.meshgrid(*choices, indexing="ij"), dtype=np.int64)
    rules = rules.reshape(len(choices), -1).T
    most = problem.lots_max[block.market_participant, block.market_material]
    least = problem.lots_min[block.market_participant, block.market_material]
    if (least > most).any():
        nothing = np.full(len(evaluator.promises), np.nan)
        stocks = np.flatnonzero(least > most)
        return (
            nothing,
            np.zeros(nothing.size, dtype=np.bool_),
            tuple(
                f"holdings.csv: {problem.participants[block.market_participant[i]]}, "
                f"{problem.materials[block.market_material[i]]}: no whole number of lots of "
                f"{problem.lot[block.market_material[i]]:g} t lies between min_t and max_t"
                for i in stocks
            ),
        )
    achieved, met = evaluator.achievements(np.tile(most, (len(rules), 1)), rules)
    kept = np.asarray(met.any(axis=1))
    never = np.flatnonzero(~kept)
    together = not never.size
    named = never if never.size else _smallest_conflict(met)
    best = np.array([np.nan if np.isnan(row).all() else np.nanmax(row) for row in achieved])
    conflicts = tuple(
        _conflict(problem, evaluator.promises[index], best[index], together=together)
        for index in named
    )
    return best, kept, conflicts


def _smallest_conflict(met: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find promises that no combination of rules keeps together, none of which can be left out.

    Parameters
    ----------
    met
        (promises, combinations) whether a promise is kept; no combination keeps all.
    """
    named = np.arange(len(met))
    for promise in range(len(met)):  # A deletion filter: leave out what is not needed.
        others = named[named != promise]
        if not met[others].all(axis=0).any():
            named = others
    return named


def _conflict(problem: Problem, promise: Promise, best: float, *, together: bool) -> str:
    where = f"{promise.file} line {promise.line}: " if promise.line else ""
    text = f"{where}{promise_in_words(describe_promise(problem, promise))} "
    if together:
        return text + "cannot be kept together with the others named here"
    return text + f"is out of reach: at most {best:.6g} with all the stock that max_t allows"
