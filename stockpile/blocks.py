"""Blocks and their steps: what happens in a month, as a list.

A block is a set of materials that conversions join, so that they must be simulated together.
Neither the simulation nor the search knows more of a block than what stands here. A month is a
period of the problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.conversions import joined_materials
from stockpile.paths import paths_to
from stockpile.pools import Division, Pools
from stockpile.rules import OWN, PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from stockpile.paths import Path
    from stockpile.problem import Problem

COST_TOLERANCE = 1e-9
"""A step's cost counts as no more than the shortage cost within this, relatively."""
NOBODY = -1
"""Fills the rows of shipments and of hosts."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The fixed list of steps of a month, section 4 of the formulation.

    Step j says: stream ``stream[j]`` may now take from stock ``stock[j]``, with
    ``yield_[j]`` tonnes served per tonne taken, once the event is ``lag[j]`` months old.
    ``relation[j]`` and ``demand_class[j]`` say which rows of the owner's rule apply,
    ``market[j]`` whose loss and age open the gate. The gate is shut by a ``sharing_blocked``
    event that hits any of the shipments: ``ships[j]`` are the markets of who ships what, filled
    up with -1. A tonne served costs ``shipping[j]`` and ``conversion[j]`` [USD].

    A step through plants abroad also needs their hosts to be open to partners of its class:
    ``hosts[j]`` are these participants, filled up with -1.

    All arrays are (J,), but for ``ships`` (J, X) and ``hosts`` (J, Y).

    Attributes
    ----------
    pools
        The parts of plants' capacities that the steps draw on.
    """

    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    market: NDArray[np.int64]
    owner: NDArray[np.int64]
    relation: NDArray[np.int64]
    demand_class: NDArray[np.int64]
    lag: NDArray[np.int64]
    yield_: NDArray[np.float64]
    ships: NDArray[np.int64]
    hosts: NDArray[np.int64]
    shipping: NDArray[np.float64]
    conversion: NDArray[np.float64]
    pools: Pools

    @property
    def count(self) -> int:
        """Return the number of steps J."""
        return int(self.stream.size)

    @property
    def cost(self) -> NDArray[np.float64]:
        """Return the unit cost c of every step [USD per tonne served]."""
        return self.shipping + self.conversion


@dataclass(frozen=True, slots=True)
class Block:
    """Materials that are simulated together.

    A *market* z is a pair of a participant and a material of the block, numbered participant by
    participant; it is where losses, gaps and ages are observed. Stocks i are numbered like
    markets. A stream q = z * K + k is a demand class of a market.

    Attributes
    ----------
    name
        The material, or several joined by ``+``.
    materials
        Indices m of the materials.
    market_participant, market_material
        (Z,) c and m of every market and stock.
    stream_market, stream_class
        (Q,) z and k of every stream.
    steps
        The steps of a month in which partners share.
    own_steps
        The steps of a month in which no partner releases, ships or converts anything; the capacity
        of plants is divided among these alone.
    part_of
        The block whose needs decide when stocks are refilled (6), where this is a part of one;
        else None.
    """

    name: str
    materials: tuple[int, ...]
    market_participant: NDArray[np.int64]
    market_material: NDArray[np.int64]
    stream_market: NDArray[np.int64]
    stream_class: NDArray[np.int64]
    steps: Steps
    own_steps: Steps
    part_of: Block | None = None

    @property
    def num_stocks(self) -> int:
        """Return the number of stocks I, which is the number of markets."""
        return int(self.market_participant.size)

    @property
    def num_streams(self) -> int:
        """Return the number of streams Q."""
        return int(self.stream_market.size)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Return the participants that have stocks in the block."""
        return self.market_participant[:: len(self.materials)]

    @property
    def by_material(self) -> NDArray[np.int64]:
        """Return all stocks (I,), material by material as the tables of results list them."""
        return np.arange(self.num_stocks).reshape(-1, len(self.materials)).T.reshape(-1)

    def sharing_plants(self, steps: Steps, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return who has a part in ways through plants that more than one participant uses.

        Their rules matter even where they hold nothing: these say who may use the plants, and
        among which needs the capacity is divided.

        Parameters
        ----------
        place
            (E,) where each plant stands.
        """
        pools = steps.pools
        step = np.repeat(np.arange(steps.count), np.diff(pools.first))
        at = place[pools.plant[pools.pool]]
        others = (steps.owner[step] != at) | (self.market_participant[steps.market[step]] != at)
        return np.unique(np.concatenate([at[others], steps.owner[step[others]]]))

    def owns(self, participant: int, material: int) -> bool:
        """Say whether a market is one of the block."""
        here = (self.market_participant == participant) & (self.market_material == material)
        return bool(here.any())

    def market(self, participant: int, material: int) -> int:
        """Return the index z of a market."""
        market = (self.market_participant == participant) & (self.market_material == material)
        return int(np.flatnonzero(market)[0])

    def stream(self, participant: int, material: int, demand_class: int) -> int:
        """Return the index q of a need stream."""
        return self.market(participant, material) * self._num_classes() + demand_class

    def _num_classes(self) -> int:
        return self.num_streams // self.num_stocks


def build_blocks(problem: Problem) -> tuple[Block, ...]:
    """Return the blocks of a problem: materials that conversions join, by their first material."""
    return tuple(
        _block(problem, materials)
        for materials in joined_materials(problem.conversions, len(problem.materials))
    )


def own_blocks(problem: Problem, block: Block) -> tuple[Block, ...]:
    """Return what a block falls into where no partner does anything: one block per participant."""
    return tuple(
        replace(_block(problem, block.materials, (c,)), part_of=block)
        for c in range(len(problem.participants))
    )


def _block(
    problem: Problem, materials: tuple[int, ...], participants: tuple[int, ...] | None = None
) -> Block:
    """Build the block of some materials, of all participants or of one alone."""
    alone = participants is not None
    owners = tuple(range(len(problem.participants))) if participants is None else participants
    C, K, M = len(owners), len(problem.classes), len(materials)
    own_steps = _steps(problem, materials, owners, partners=False)
    return Block(
        name="+".join(problem.materials[m] for m in materials),
        materials=materials,
        market_participant=np.repeat(np.array(owners), M),
        market_material=np.tile(np.array(materials), C),
        stream_market=np.repeat(np.arange(C * M), K),
        stream_class=np.tile(np.arange(K), C * M),
        steps=own_steps if alone else _steps(problem, materials, owners, partners=True),
        own_steps=own_steps,
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """A step before it has numbers: the need of a class that a path leads to."""

    beneficiary: int
    material: int
    demand_class: int
    path: Path

    @property
    def relation(self) -> int:
        return OWN if self.path.owner == self.beneficiary else PARTNER

    @property
    def order(self) -> tuple[object, ...]:
        """Return what decides on the place of the step in a month."""
        path = self.path
        return (
            self.demand_class,
            self.relation,
            path.abroad,
            len(path.plants),
            self.beneficiary,
            self.material,
            path.owner,
            path.material,
            path.plants,
        )


def _ways(
    problem: Problem, materials: Sequence[int], owners: Sequence[int], *, partners: bool
) -> list[_Way]:
    """Return the steps of a month in their order.

    A step that costs more than the shortage that it prevents is left out.
    """
    ways = []
    for beneficiary in owners:
        for material in materials:
            for path in paths_to(problem, beneficiary, material, partners=partners):
                cost = path.shipping + path.conversion
                for k, worth in enumerate(problem.shortage_cost[beneficiary, material]):
                    if cost <= worth * (1.0 + COST_TOLERANCE):
                        ways.append(_Way(beneficiary, material, k, path))
    return sorted(ways, key=lambda way: way.order)


def _steps(
    problem: Problem, materials: tuple[int, ...], owners: tuple[int, ...], *, partners: bool
) -> Steps:
    """Return the steps of a month in numbers, the plants divided among them."""
    C, K, M = len(owners), len(problem.classes), len(materials)
    place = {m: number for number, m in enumerate(materials)}
    seat = {c: number for number, c in enumerate(owners)}

    def market(participant: int, material: int) -> int:
        return seat[participant] * M + place[material]

    def stream(way: _Way) -> int:
        return market(way.beneficiary, way.material) * K + way.demand_class

    ways = _ways(problem, materials, owners, partners=partners)
    division = Division(
        conversions=problem.conversions,
        streams=tuple(stream(way) for way in ways),
        paths=tuple(way.path for way in ways),
        demand=problem.demand[np.ix_(owners, materials)].reshape(-1),
        share=problem.conversions.share[:, owners][:, :, materials].reshape(-1, C * M * K),
    )
    # A step that has no part of a plant never serves anything.
    serves = division.useful()
    ways = [way for way, useful in zip(ways, serves, strict=True) if useful]
    pools = division.select(serves).pools()
    paths = [way.path for way in ways]
    ships = [[market(*shipment) for shipment in path.shipments] for path in paths]
    place_of = problem.conversions.participant
    hosts = [
        sorted({int(place_of[e]) for e in way.path.plants} - {way.beneficiary}) for way in ways
    ]

    def whole(values: Iterable[int]) -> NDArray[np.int64]:
        return np.array(list(values), dtype=np.int64)

    def amounts(values: Iterable[float]) -> NDArray[np.float64]:
        return np.array(list(values), dtype=np.float64)

    return Steps(
        stream=whole(stream(way) for way in ways),
        stock=whole(market(path.owner, path.material) for path in paths),
        market=whole(market(way.beneficiary, way.material) for way in ways),
        owner=whole(path.owner for path in paths),
        relation=whole(way.relation for way in ways),
        demand_class=whole(way.demand_class for way in ways),
        lag=whole(path.lag for path in paths),
        yield_=amounts(path.yield_ for path in paths),
        ships=_filled(ships),
        hosts=_filled(hosts),
        shipping=amounts(path.shipping for path in paths),
        conversion=amounts(path.conversion for path in paths),
        pools=pools,
    )


def _filled(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return rows of different lengths as a table, filled up with -1."""
    table = np.full((len(rows), max([1, *map(len, rows)])), NOBODY, np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
