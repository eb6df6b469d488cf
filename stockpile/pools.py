"""Pools: the parts into which the capacity of plants is divided.

A capacity that several streams share would break Proposition 1, and so would one that several ways
to the same stream share but for a part: what goes one way could take up two plants and keep
others from serving twice as much. So the capacity of a plant is divided among the streams that it
serves, and the part of a stream among the *ways on* from there, the plants still to come. What
shares a pool then also shares all pools further down, and makes as many tonnes per tonne served.

What the rules in force never serve gets no part of a plant (:meth:`Pools.under`). Rules are fixed
within a box of plans, so the bounds stand. And whoever is closed to its partners keeps its plants
to itself, so that acting together is never worse than acting alone. A month is a period of the
problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from stockpile.conversions import Conversions
    from stockpile.paths import Path

PoolKey: TypeAlias = "tuple[int, tuple[int, ...]]"
"""A stream, and the plants from a plant on to it, that plant first."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Parts of capacities that steps draw on; L of them, and J steps.

    Attributes
    ----------
    first
        (J + 1,) pools of step j are rows ``first[j]`` to ``first[j + 1] - 1`` of the next two.
    pool, made
        Number of a pool; tonnes made there per tonne served, 1 / Y.
    plant
        (L,) conversion that a pool is a part of.
    divide
        How capacities are divided, by which steps the rules in force ever allow.
    """

    first: NDArray[np.int64]
    pool: NDArray[np.int64]
    made: NDArray[np.float64]
    plant: NDArray[np.int64]
    divide: Division

    @property
    def count(self) -> int:
        """Return the number of pools L."""
        return int(self.plant.size)

    def under(self, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what can be made of each pool in a month (L,) [t].

        Parameters
        ----------
        allowed
            (J,) whether the rules in force ever allow a step.
        """
        return self.divide.capacity(allowed)


@dataclass(frozen=True, slots=True)
class Division:
    """How the capacities of plants are divided among pools, in numbers of steps J.

    Attributes
    ----------
    conversions
        The plants.
    streams, paths
        (J,) stream and path of every step.
    demand
        (Q,) normal demand of each stream [t/period].
    share
        (E, Q) what ``plant_shares.csv`` says; nan where it says nothing of a plant.
    known
        What has been worked out already, by the steps allowed.
    """

    conversions: Conversions
    streams: tuple[int, ...]
    paths: tuple[Path, ...]
    demand: NDArray[np.float64]
    share: NDArray[np.float64]
    known: dict[bytes, NDArray[np.float64]] = field(default_factory=dict, compare=False)

    def pools(self) -> Pools:
        """Return the pools that the steps draw on: one of each for every plant of its path."""
        first, pool, made = [0], [], []
        number = self._numbers()
        for stream, path in zip(self.streams, self.paths, strict=True):
            for place, per_t in enumerate(path.made):
                pool.append(number[stream, path.plants[place:]])
                made.append(per_t)
            first.append(len(pool))
        return Pools(
            first=np.array(first, dtype=np.int64),
            pool=np.array(pool, dtype=np.int64),
            made=np.array(made, dtype=np.float64),
            plant=np.array([ways[0] for _, ways in number], dtype=np.int64),
            divide=self,
        )

    def capacity(self, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the capacity of each pool (L,) [t made a month] where only some steps matter."""
        key = allowed.tobytes()
        if key not in self.known:
            chosen = np.flatnonzero(allowed).tolist()
            divided = self._divided(chosen)
            # A way on which some plant has nothing for the stream takes up no part of the others.
            useful = self._useful(chosen, divided)
            while len(useful) < len(chosen):
                chosen, divided = useful, self._divided(useful)
                useful = self._useful(chosen, divided)
            self.known[key] = np.array([divided.get(pool, 0.0) for pool in self._numbers()])
        return self.known[key]

    def useful(self) -> NDArray[np.bool_]:
        """Say which steps can ever serve anything, (J,)."""
        capacity = dict(
            zip(
                self._numbers(),
                self.capacity(np.ones(len(self.streams), dtype=np.bool_)).tolist(),
                strict=True,
            )
        )
        found = np.zeros(len(self.streams), dtype=np.bool_)
        found[self._useful(range(len(self.streams)), capacity)] = True
        return found

    def _divided(self, steps: Sequence[int]) -> dict[PoolKey, float]:
        return divide(
            self.conversions,
            [self.streams[j] for j in steps],
            [self.paths[j] for j in steps],
            self.demand,
            self.share,
        )

    def _useful(self, steps: Iterable[int], capacity: Mapping[PoolKey, float]) -> list[int]:
        return [
            j
            for j in steps
            if all(
                capacity.get((self.streams[j], self.paths[j].plants[place:]), 0.0) > 0.0
                for place in range(len(self.paths[j].plants))
            )
        ]

    def select(self, chosen: NDArray[np.bool_]) -> Division:
        """Return the division among some of the steps."""
        places = np.flatnonzero(chosen).tolist()
        return replace(
            self,
            streams=tuple(self.streams[j] for j in places),
            paths=tuple(self.paths[j] for j in places),
            known={},
        )

    def _numbers(self) -> dict[PoolKey, int]:
        number: dict[PoolKey, int] = {}
        for stream, path in zip(self.streams, self.paths, strict=True):
            for place in range(len(path.plants)):
                number.setdefault((stream, path.plants[place:]), len(number))
        return number


def divide(
    conversions: Conversions,
    streams: Sequence[int],
    paths: Sequence[Path],
    demand: NDArray[np.float64],
    share: NDArray[np.float64],
) -> dict[PoolKey, float]:
    """Divide the capacity of all plants among the streams, and these among their ways on.

    Parameters
    ----------
    streams, paths
        The stream and the path of every step of the list.
    demand
        (Q,) normal demand of each stream [t/period].
    share
        (E, Q) what ``plant_shares.csv`` says; nan where it says nothing of a plant.

    Returns
    -------
    Capacity of every pool [t made a month].
    """
    made: dict[PoolKey, float] = {}
    for stream, path in zip(streams, paths, strict=True):
        for place, per_t in enumerate(path.made):
            made[stream, path.plants[place:]] = per_t
    of_plant: dict[int, list[PoolKey]] = {}
    for key in made:
        of_plant.setdefault(key[1][0], []).append(key)

    @cache
    def capacity(key: PoolKey) -> float:
        stream, (plant, *_) = key
        alike = of_plant[plant]
        weight = {other: intake(other) for other in alike if other[0] == stream}
        part = _part(conversions, plant, stream, alike, made, demand, share)
        return part * _fraction(weight[key], sum(weight.values()))

    def intake(key: PoolKey) -> float:
        """Return what the next pool on a way can take in a month [t]; 1 where there is none."""
        stream, (_, *after) = key
        if not after:
            return 1.0
        return capacity((stream, tuple(after))) / float(conversions.yield_[after[0]])

    return {key: capacity(key) for key in made}


def _part(
    conversions: Conversions,
    plant: int,
    stream: int,
    alike: Sequence[PoolKey],
    made: Mapping[PoolKey, float],
    demand: NDArray[np.float64],
    share: NDArray[np.float64],
) -> float:
    """Return the part of a plant's capacity that a stream has [t made a month].

    Without shares it is in proportion to what the plant would make for the whole normal demand of
    the stream, on the way with the largest yield.
    """
    if not np.isnan(share[plant, stream]):
        return float(conversions.capacity[plant] * share[plant, stream])
    least: dict[int, float] = {}
    for key in alike:
        least[key[0]] = min(made[key], least.get(key[0], np.inf))
    wanted = {q: float(demand[q]) * per_t for q, per_t in least.items()}
    return float(conversions.capacity[plant]) * _fraction(wanted[stream], sum(wanted.values()))


def _fraction(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else 0.0
