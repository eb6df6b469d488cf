"""Blocks and their steps: what happens in a month, as a list.

A block is a set of materials that must be simulated together. So far every material is a block
of its own; conversions (section 9 of the formulation) will join several, which only makes the
list of steps longer. Neither the simulation nor the search knows more of a block than what
stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.rules import OWN, PARTNER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.problem import Problem

COST_TOLERANCE = 1e-9
"""A shipping cost counts as no more than the shortage cost within this, relatively."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The fixed list of steps of a month, section 4 of the formulation.

    Step j says: stream ``stream[j]`` may now take from stock ``stock[j]``, with
    ``yield_[j]`` tonnes served per tonne taken, at most ``capacity[j]`` tonnes a month, at
    ``cost[j]`` USD per tonne served, once the event is ``lag[j]`` months old. ``relation[j]``
    and ``demand_class[j]`` say which rows of the owner's rule apply, ``market[j]`` whose loss
    and age open the gate. Steps between partners are closed by a ``sharing_blocked`` event.

    All arrays are (J,).
    """

    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    market: NDArray[np.int64]
    owner: NDArray[np.int64]
    relation: NDArray[np.int64]
    demand_class: NDArray[np.int64]
    lag: NDArray[np.int64]
    yield_: NDArray[np.float64]
    capacity: NDArray[np.float64]
    cost: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Return the number of steps J."""
        return int(self.stream.size)

    def select(self, chosen: NDArray[np.bool_]) -> Steps:
        """Return the chosen steps, in their order."""
        return Steps(*(getattr(self, name)[chosen] for name in Steps.__slots__))


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
    """

    name: str
    materials: tuple[int, ...]
    market_participant: NDArray[np.int64]
    market_material: NDArray[np.int64]
    stream_market: NDArray[np.int64]
    stream_class: NDArray[np.int64]
    steps: Steps

    @property
    def num_stocks(self) -> int:
        """Return the number of stocks I, which is the number of markets."""
        return int(self.market_participant.size)

    @property
    def num_streams(self) -> int:
        """Return the number of streams Q."""
        return int(self.stream_market.size)

    @property
    def own_steps(self) -> Steps:
        """Return the steps of a month in which no partner releases anything."""
        return self.steps.select(self.steps.relation == OWN)

    def stream(self, participant: int, material: int, demand_class: int) -> int:
        """Return the index q of a need stream."""
        market = (self.market_participant == participant) & (self.market_material == material)
        return int(np.flatnonzero(market)[0]) * self._num_classes() + demand_class

    def _num_classes(self) -> int:
        return self.num_streams // self.num_stocks


def build_blocks(problem: Problem) -> tuple[Block, ...]:
    """Return the blocks of a problem: one per material, in table order."""
    return tuple(_single_material(problem, m) for m in range(len(problem.materials)))


def _single_material(problem: Problem, m: int) -> Block:
    """Build the block of one material.

    The order of a month: classes by priority; within a class first every beneficiary from its
    own stock, then what remains from partners' stocks, participants in the order of their table.
    A partner's step that costs more than the shortage it prevents is left out.
    """
    C, K = len(problem.participants), len(problem.classes)
    steps: list[tuple[int, int, int, int, int, int, int, float, float, float]] = []
    for k in range(K):
        for c in range(C):
            steps.append((c * K + k, c, c, c, OWN, k, 0, 1.0, np.inf, 0.0))  # noqa: PERF401
        for beneficiary in range(C):
            for owner in range(C):
                lag = int(problem.transfer_lag[owner, beneficiary])
                cost = float(problem.transfer_cost[owner, beneficiary])
                worth = problem.shortage_cost[beneficiary, m, k]
                if owner == beneficiary or lag < 0 or cost > worth * (1.0 + COST_TOLERANCE):
                    continue
                steps.append(
                    (
                        beneficiary * K + k,
                        owner,
                        beneficiary,
                        owner,
                        PARTNER,
                        k,
                        lag,
                        1.0,
                        np.inf,
                        cost,
                    )
                )
    return Block(
        name=problem.materials[m],
        materials=(m,),
        market_participant=np.arange(C),
        market_material=np.full(C, m),
        stream_market=np.repeat(np.arange(C), K),
        stream_class=np.tile(np.arange(K), C),
        steps=Steps(*_arrays(steps)),
    )


def _arrays(steps: Sequence[Sequence[float]]) -> list[NDArray[Any]]:
    """Turn steps into the columns of :class:`Steps`: seven of indices, three of amounts."""
    columns = list(zip(*steps, strict=True))
    return [
        np.array(column, dtype=np.int64 if place < 7 else np.float64)
        for place, column in enumerate(columns)
    ]
