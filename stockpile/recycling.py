"""Recycling: what comes back from use, on top of normal supply, in equation (2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.periods import Period
    from stockpile.tables import Recycling


def recycled(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    demand: NDArray[np.float64],
    period: Period,
    horizon: int,
) -> NDArray[np.float64]:
    """Return what is recycled by participant, material and period, (C, M, T) [t/period].

    A part of the normal use of the product is collected, of all classes; surges of demand change
    nothing in it. No event touches it, so it is the same in all scenarios and stress cases.

    Parameters
    ----------
    demand
        (C, M, K) normal demand [t/period].
    horizon
        T [periods].
    """
    C, M, _ = demand.shape
    normal = demand.sum(axis=2)
    output = np.zeros((C, M, horizon))
    for row in instance.recycling:
        c, m = participants.index(row.participant), materials.index(row.material)
        product = materials.index(row.from_material or row.material)
        output[c, m] += normal[c, product] * collected(row, period, horizon) * row.yield_
    return output


def collected(row: Recycling, period: Period, horizon: int) -> NDArray[np.float64]:
    """Return the fraction of normal use that is collected, by period (T,).

    It grows from the period after the delay on, each time by its part of the yearly growth, up to
    its most.
    """
    growing = np.maximum(0.0, np.arange(horizon) - period.whole(row.delay_months))
    rate = row.collection_rate + row.collection_growth_per_year * growing / period.per_year
    return np.minimum(row.collection_max, rate)
