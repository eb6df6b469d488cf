"""Conversions as arrays: plants that turn one material of a chain into the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.periods import Period


@dataclass(frozen=True, slots=True)
class Conversions:
    """The plants of ``conversions.csv`` that can make anything; E of them, in table order.

    Attributes
    ----------
    names
        Names of the plants.
    participant
        (E,) where they stand.
    takes, makes
        (E,) materials.
    yield_
        (E,) tonnes made per tonne taken.
    capacity
        (E,) most that is made [t/period], above 0: without capacity there is no plant.
    lag
        (E,) [periods].
    cost
        (E,) [USD per tonne made].
    share
        (E, C, M, K) part of the capacity that ``plant_shares.csv`` keeps for each need; nan
        throughout where a plant has no such rows.
    """

    names: tuple[str, ...]
    participant: NDArray[np.int64]
    takes: NDArray[np.int64]
    makes: NDArray[np.int64]
    yield_: NDArray[np.float64]
    capacity: NDArray[np.float64]
    lag: NDArray[np.int64]
    cost: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Return the number of plants E."""
        return len(self.names)


def read_conversions(
    instance: Instance,
    participants: Sequence[str],
    materials: Sequence[str],
    classes: Sequence[str],
    period: Period,
) -> Conversions:
    """Spell out ``conversions.csv`` and ``plant_shares.csv``."""
    plants = [row for row in instance.conversions if row.capacity_t_per_month > 0.0]
    names = tuple(row.conversion for row in plants)
    share = np.full((len(plants), len(participants), len(materials), len(classes)), np.nan)
    for row in instance.plant_shares:
        if row.conversion not in names:
            continue
        e = names.index(row.conversion)
        if np.isnan(share[e]).all():
            share[e] = 0.0  # Needs that the rows of a plant leave out get nothing of it.
        share[
            e,
            participants.index(row.participant),
            materials.index(row.material),
            classes.index(row.demand_class),
        ] = row.share
    conversions = Conversions(
        names=names,
        participant=np.array([participants.index(row.participant) for row in plants], np.int64),
        takes=np.array([materials.index(row.from_material) for row in plants], np.int64),
        makes=np.array([materials.index(row.to_material) for row in plants], np.int64),
        yield_=np.array([row.yield_ for row in plants], np.float64),
        capacity=period.rate(np.array([row.capacity_t_per_month for row in plants], np.float64)),
        lag=np.array([period.whole(row.lag_months) for row in plants], np.int64),
        cost=np.array([row.cost_usd_per_t for row in plants], np.float64),
        share=share,
    )
    for name in Conversions.__slots__[1:]:
        getattr(conversions, name).setflags(write=False)
    return conversions


def joined_materials(conversions: Conversions, count: int) -> tuple[tuple[int, ...], ...]:
    """Return which of so many materials conversions join: components, by first material.

    >>> from types import SimpleNamespace
    >>> joined_materials(SimpleNamespace(takes=[2, 0], makes=[0, 3]), 5)
    ((0, 2, 3), (1,), (4,))
    """
    component = list(range(count))
    for a, b in zip(conversions.takes, conversions.makes, strict=True):
        least, other = sorted((component[a], component[b]))
        component = [least if number == other else number for number in component]
    return tuple(
        tuple(m for m in range(count) if component[m] == number)
        for number in sorted(set(component))
    )
