"""Quantiles of values that have weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weighted_quantile(
    values: NDArray[np.float64] | NDArray[np.int64], weight: NDArray[np.float64], part: float
) -> float:
    """Return the least value that a part of the weight does not exceed.

    >>> weighted_quantile(np.array([3, 1, 2]), np.array([0.5, 0.25, 0.25]), 0.5)
    2.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    place = int(np.searchsorted(reached, part * reached[-1] * (1.0 - 1e-12)))
    return float(values[order[place]])
