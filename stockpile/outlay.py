"""Acquisition outlay, equation (8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.problem import Problem


def acquisition_outlay(
    problem: Problem,
    block: Block,
    holding: NDArray[np.float64],
    others: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Return what it costs to buy the holdings (P, I) [t] of a block, (P, I) [USD].

    The price rises with the share of yearly world supply that all participants buy together, so
    the outlay never falls when any holding rises.

    Parameters
    ----------
    others
        (I,) what participants buy of the material of each stock who have no stock in the block
        [t].
    """
    c, m = block.market_participant, block.market_material
    bought = np.maximum(0.0, holding - problem.existing[c, m])
    supply = problem.world_supply[m]
    impact = np.zeros_like(bought)
    for material in block.materials:
        stocks = m == material
        if np.isfinite(supply[stocks][0]) and problem.price_impact[material] > 0.0:
            together = bought[:, stocks].sum(axis=1, keepdims=True)
            together = together + (others[stocks] if isinstance(others, np.ndarray) else others)
            impact[:, stocks] = problem.price_impact[material] * together / supply[stocks][0]
    return problem.price[m] * (1.0 + impact) * bought  # (8)
