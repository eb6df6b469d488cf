"""Paths: the ways on which a stock can serve a need, through plants and over borders.

A path leads from a stock (o, a) through conversions at p1, .., pn to a need of z in b. Where two
neighbours among o, p1, .., pn, b differ the goods are shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.conversions import Conversions
    from stockpile.problem import Problem


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a stock to the needs of a market.

    Attributes
    ----------
    owner, material
        Whose stock of what, o and a.
    plants
        Conversions e1, .., en, in the order of the goods.
    shipments
        Who ships what on the way.
    abroad
        Number of plants that do not stand where the need is.
    yield_
        Tonnes served per tonne taken.
    made
        Tonnes made at each plant per tonne served, 1 / Y of the formulation.
    lag
        [periods].
    shipping, conversion
        Cost of the shipments and of the plants [USD per tonne served].
    """

    owner: int
    material: int
    plants: tuple[int, ...]
    shipments: tuple[tuple[int, int], ...]
    abroad: int
    yield_: float
    made: tuple[float, ...]
    lag: int
    shipping: float
    conversion: float


def paths_to(
    problem: Problem, beneficiary: int, material: int, *, partners: bool
) -> tuple[Path, ...]:
    """Return all paths to the needs of a market, in no particular order.

    Parameters
    ----------
    partners
        If false, only paths that never leave the country.
    """
    owners = range(len(problem.participants)) if partners else (beneficiary,)
    found = []
    for plants in _chains(problem.conversions, material, beneficiary, partners=partners):
        for owner in owners:
            path = _path(problem, owner, plants, beneficiary, material)
            if path is not None:
                found.append(path)
    return tuple(found)


def _chains(
    conversions: Conversions, material: int, beneficiary: int, *, partners: bool
) -> Iterator[tuple[int, ...]]:
    """Yield the plants of all chains that end in a material and have no material twice."""

    def grow(
        plants: tuple[int, ...], made: frozenset[int], first: int
    ) -> Iterator[tuple[int, ...]]:
        yield plants
        for e in range(conversions.count):
            takes, there = int(conversions.takes[e]), int(conversions.participant[e])
            if conversions.makes[e] != first or takes in made:
                continue
            if partners or there == beneficiary:
                yield from grow((e, *plants), made | {takes}, takes)

    return grow((), frozenset({material}), material)


def _path(
    problem: Problem, owner: int, plants: tuple[int, ...], beneficiary: int, material: int
) -> Path | None:
    """Return the path from a stock of an owner through some plants; None where nothing ships."""
    conversions = problem.conversions
    places = [owner, *(int(conversions.participant[e]) for e in plants), beneficiary]
    goods = [*(int(conversions.takes[e]) for e in plants), material]
    # Tonnes served per tonne of the goods on each leg: the yields of the plants still to come.
    served = [1.0]
    for e in reversed(plants):
        served.insert(0, served[0] * float(conversions.yield_[e]))
    lag, shipping, shipments = 0, 0.0, []
    for leg, good in enumerate(goods):
        here, there = places[leg], places[leg + 1]
        if here == there:
            continue
        if problem.transfer_lag[here, there] < 0:
            return None
        lag += int(problem.transfer_lag[here, there])
        shipping += float(problem.transfer_cost[here, there]) / served[leg]
        shipments.append((here, good))
    made = tuple(1.0 / after for after in served[1:])
    costs = (float(conversions.cost[e]) * per_t for e, per_t in zip(plants, made, strict=True))
    return Path(
        owner=owner,
        material=goods[0],
        plants=plants,
        shipments=tuple(shipments),
        abroad=sum(place != beneficiary for place in places[1:-1]),
        yield_=served[0],
        made=made,
        lag=lag + sum(int(conversions.lag[e]) for e in plants),
        shipping=shipping,
        conversion=sum(costs),
    )
