"""Coverage metrics and how far each scenario moves them: numbers in, numbers out.

What a scenario adds to the error of an estimate, to first order, is its *pull*: the standard error
of the estimate is that of the mean of the pulls (`stockpile.intervals`), however they depend on
each other. For a mean they are the deviations from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.tail import worst_shortfalls
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def served_fraction(
    unserved: NDArray[np.float64], need: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return v = 1 - u / need, and 1 where nothing is needed; arrays are broadcast."""
    ratio = np.zeros(np.broadcast_shapes(unserved.shape, need.shape))
    np.divide(unserved, need, out=ratio, where=need > 0.0)
    return 1.0 - ratio


def worst_mean(
    unserved: NDArray[np.float64],
    need: NDArray[np.float64],
    probability: NDArray[np.float64],
    tail: float,
) -> NDArray[np.float64]:
    """Mean of the served fraction over the worst ``tail`` of probability (CVaR of coverage).

    The last scenario of the tail counts in part. Scenarios that are not listed need nothing and
    count as served in full.

    Parameters
    ----------
    unserved : (S', P) [t].
    need : (S',) [t].
    probability : (S',)
    tail : probability mass of the tail, in (0, 1].

    Returns
    -------
    (P,) mean over the tail; the worst scenario of all where the tail has no mass.
    """
    if tail <= LEVEL_TOLERANCE:
        return np.asarray(served_fraction(unserved, need[:, None]).min(axis=0, initial=1.0))
    shortfall = np.empty(unserved.shape[1])
    # One layout each, so that one version is compiled.
    unserved, need = np.ascontiguousarray(unserved), np.ascontiguousarray(need)
    worst_shortfalls(unserved, need, probability, tail, shortfall)
    return 1.0 - shortfall / tail


def fill_rate_pull(
    unserved: NDArray[np.float64], need: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return the pull of scenarios on the fill rate, a ratio of means, by the delta method.

    Parameters
    ----------
    unserved, need
        (S',) by scenario [t]; the scenarios that are not listed need nothing.
    count
        Number S of scenarios, equally weighted.

    Returns
    -------
    (S',) pulls; those of scenarios that are not listed are 0.
    """
    total = need.sum()
    if total == 0.0:
        return np.zeros(need.size)
    return np.asarray((unserved - unserved.sum() / total * need) / (total / count))


def tail_pull(values: NDArray[np.float64], tail: float) -> NDArray[np.float64]:
    """Return the pull (S,) of scenarios on the mean of the largest values (S,), equally weighted.

    The estimator is the mean of excesses over a quantile, divided by the tail (Rockafellar and
    Uryasev, 2000); the error of the quantile itself cancels to first order.
    """
    tail = max(tail, 1.0 / values.size)
    excess = np.maximum(values - np.quantile(values, 1.0 - tail), 0.0) / tail
    return np.asarray(excess - excess.mean())
