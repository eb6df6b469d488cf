"""Columns: candidates of one block with everything that the limits ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from stockpile.candidates import Candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.evaluator import Evaluator


T = TypeVar("T", Candidates, "Figures")


@dataclass(frozen=True, slots=True)
class Figures:
    """What candidates of one block use of what all blocks share; n of them.

    Attributes
    ----------
    cost
        (n,) annual cost (7) [USD/year].
    share
        (n, C) what each participant bears of it (16) [USD/year].
    outlay, outlay_most
        (n, C) acquisition outlay (8) [USD]: the least and the most that it can be. They differ
        only where others buy the same materials outside the block.
    stored
        (n, I) tonnes in each stock [t].
    holds
        (n, C) whether a participant holds anything.
    """

    cost: NDArray[np.float64]
    share: NDArray[np.float64]
    outlay: NDArray[np.float64]
    outlay_most: NDArray[np.float64]
    stored: NDArray[np.float64]
    holds: NDArray[np.bool_]


def figures(evaluator: Evaluator, candidates: Candidates) -> Figures:
    """Work out what candidates use, from their lots and what their simulation showed."""
    block, lots = evaluator.block, candidates.lots
    holding = evaluator.holding(lots)
    share = evaluator.holding_cost(lots) + candidates.variable
    return Figures(
        cost=share.sum(axis=1),
        share=share,
        outlay=_by_participant(block, evaluator.outlay(lots), share.shape),
        outlay_most=_by_participant(block, evaluator.outlay(lots, most=True), share.shape),
        stored=holding,
        holds=evaluator.holds(lots),
    )


def _by_participant(
    block: Block, by_stock: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    total = np.zeros(shape)
    for i, c in enumerate(block.market_participant):
        total[:, c] += by_stock[:, i]
    return total


class Columns:
    """The columns of one block that the master knows; they are only ever added to."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._shortage: dict[int, NDArray[np.float64]] = {}
        self._places: dict[bytes, int] = {}
        participants = len(evaluator.problem.participants)
        stocks = evaluator.block.num_stocks
        size = evaluator.needs.scenario.size
        self.candidates = Candidates(
            np.empty((0, stocks), dtype=np.int64),
            np.empty((0, participants + 1), dtype=np.int64),
            np.empty((0, participants)),
            np.empty((0, len(evaluator.groups), -(-size // 8)), dtype=np.uint8),
        )
        self.figures = figures(evaluator, self.candidates)
        self.covered = np.empty((0, len(evaluator.groups), size), dtype=np.uint8)
        """(n, G', S') whether the block's part of each of its groups is kept, 0 or 1."""

    @property
    def count(self) -> int:
        """Return the number of columns."""
        return self.candidates.count

    def add(self, candidates: Candidates) -> int:
        """Add candidates that are not known yet, and return how many those were."""
        keys = [
            lots.tobytes() + rule.tobytes()
            for lots, rule in zip(candidates.lots, candidates.rule, strict=True)
        ]
        fresh: list[int] = []
        for place, key in enumerate(keys):
            if key not in self._places:
                self._places[key] = self.count + len(fresh)
                fresh.append(place)
        if not fresh:
            return 0
        chosen = candidates.take(np.array(fresh))
        self.candidates = _joined(self.candidates, chosen)
        self.figures = _joined(self.figures, figures(self._evaluator, chosen))
        size = self.covered.shape[2]
        bits = np.unpackbits(chosen.covered, axis=2)[:, :, :size]
        self.covered = np.concatenate([self.covered, bits])
        return len(fresh)

    def shortage(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the shortage cost of some columns in each kept scenario, (n, S') [USD/year].

        They are simulated when first asked for: few columns are ever part of a solution.
        """
        fresh = np.array([number for number in numbers.tolist() if number not in self._shortage])
        if fresh.size:
            chosen = self.candidates.take(fresh)
            costs = self._evaluator.shortage_cost(chosen.lots, chosen.rule)
            self._shortage.update(zip(fresh.tolist(), costs, strict=True))
        none = np.empty((0, self._evaluator.needs.scenario.size))
        return np.stack([self._shortage[n] for n in numbers.tolist()]) if numbers.size else none


def _joined(first: T, second: T) -> T:
    return type(first)(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in type(first).__slots__
        )
    )
