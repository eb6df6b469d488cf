"""Recycling: what comes back from use, on top of normal supply, in equation (2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.tables import Recycling


def recycled(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    demand: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what is recycled by participant, material and month, (C, M, T) [t/month].

    A part of the normal use of the product is collected, of all classes; surges of demand change
    nothing in it. No event touches it, so it is the same in all scenarios and stress cases.

    Parameters
    ----------
    demand
        (C, M, K) normal demand [t/month].
    """
    C, M, _ = demand.shape
    normal = demand.sum(axis=2)
    output = np.zeros((C, M, instance.horizon_months))
    for row in instance.recycling:
        c, m = participants.index(row.participant), materials.index(row.material)
        product = materials.index(row.from_material or row.material)
        output[c, m] += normal[c, product] * collected(row, instance.horizon_months) * row.yield_
    return output


def collected(row: Recycling, horizon: int) -> NDArray[np.float64]:
    """Return the fraction of normal use that is collected, by month (T,).

    It grows from the month after the delay on, by a twelfth of the yearly growth a month, up to
    its most.
    """
    growing = np.maximum(0.0, np.arange(horizon) - row.delay_months)
    rate = row.collection_rate + row.collection_growth_per_year * growing / 12.0
    return np.minimum(row.collection_max, rate)
