"""Best candidate of one block over all lots and rules, with a certificate.

A box fixes the rule of every owner and bounds the lots of every stock, lo <= n <= hi. Holding
cost at its bottom corner plus shortage and shipping cost simulated at its top corner is a lower
bound for every candidate inside; if the top corner breaks a promise, so does every candidate
inside (Proposition 1). The box search splits boxes, the most promising first, until none is left
whose bound is below the incumbent by more than the gap. It can be stopped at any time: incumbent
and bound stand. Section 8 of the formulation.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.evaluator import Scores
    from stockpile.presolve import Space

BATCH = 512
"""Boxes split in one round; each costs one simulation."""
TRIM = 0.9
"""A box is trimmed in a dimension where less than this part of its width is left."""
DIVE_RULES, DIVE_GRID, DIVE_ROUNDS = 2, 25, 3
"""Combinations of rules, points for each, and rounds of the search for a first incumbent."""
ROUNDING = 1e-11
"""Relative allowance for rounding in sums of costs: bounds are lowered by it."""
SAME = 10.0 * ROUNDING
"""Plans whose costs differ by less than this, relatively, count as equally good."""


class Judge(Protocol):
    """What the search needs of a block: monotone costs of holding and of running short."""

    def holding_cost(self, lots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cost of holding lots (P, I), non-decreasing in every lot."""

    def scores(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Scores:
        """Return the scores of candidates: lots (P, I), rules (P, C)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a box search has found and proved.

    Attributes
    ----------
    lots, rule
        (I,) lots and (C,) rules of the incumbent; None without one.
    incumbent
        Its cost [USD/year]; infinite without one.
    bound
        Proven lower limit on the cost of every candidate [USD/year]; infinite if none is
        feasible.
    simulations
        Candidates simulated.
    finished
        Whether the wanted gap was reached, or infeasibility proved, before a stop.
    """

    lots: NDArray[np.int64] | None
    rule: NDArray[np.int64] | None
    incumbent: float
    bound: float
    simulations: int
    finished: bool

    @property
    def gap(self) -> float:
        """Return (incumbent - bound) / incumbent."""
        return relative_gap(self.incumbent, self.bound)


def relative_gap(incumbent: float, bound: float) -> float:
    """Return (incumbent - bound) / incumbent; infinite without a plan.

    0 where both are the same cost but for rounding.
    """
    if not np.isfinite(incumbent):
        return float("inf")
    if incumbent - bound <= 2.0 * SAME * abs(incumbent):
        return 0.0
    if incumbent <= 0.0:
        return float("inf")
    return (incumbent - bound) / incumbent


@dataclass(slots=True)
class _Boxes:
    """Open boxes as parallel arrays; B of them."""

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    rule: NDArray[np.int64]
    top: NDArray[np.float64]
    """(B,) lower variable cost simulated at the top corner."""
    bound: NDArray[np.float64]
    exact: NDArray[np.bool_]
    """(B,) whether the top corner itself has been simulated, and not one above it."""

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> _Boxes:
        return _Boxes(*(getattr(self, name)[chosen] for name in _Boxes.__slots__))

    def join(self, other: _Boxes) -> _Boxes:
        return _Boxes(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in _Boxes.__slots__
            )
        )


class BoxSearch:
    """The search as a state that is advanced round by round.

    Parameters
    ----------
    judge
        The block's evaluator.
    space
        The boxes to start from.
    unit_cost
        (I,) holding cost of a lot, used to choose where to split [USD/(lot year)].
    gap
        Relative gap to prove; 0 proves the optimum, up to rounding.
    """

    def __init__(
        self,
        judge: Judge,
        space: Space,
        unit_cost: NDArray[np.float64],
        gap: float,
    ) -> None:
        self._judge = judge
        self._unit_cost = unit_cost
        self._gap = gap
        self.simulations = 0
        self.incumbent = np.inf
        self.lots: NDArray[np.int64] | None = None
        self.rule: NDArray[np.int64] | None = None
        self._closed_bound = np.inf
        """Least bound of any box that was closed because it was within the gap."""
        self._open = self._simulate(space.lo, space.hi, space.rule)
        self._dive()
        self._open = self._prune(self._open)

    @property
    def bound(self) -> float:
        """Return the proven lower limit on the cost of every candidate."""
        open_bound = self._open.bound.min() if self._open.bound.size else np.inf
        own = self.incumbent * (1.0 - ROUNDING)
        return float(min(own, self._closed_bound, open_bound))

    @property
    def finished(self) -> bool:
        """Return whether no box is left that could hold a better candidate beyond the gap."""
        return self._open.bound.size == 0

    def certificate(self) -> Certificate:
        """Return what has been found and proved so far."""
        return Certificate(
            self.lots, self.rule, self.incumbent, self.bound, self.simulations, self.finished
        )

    def advance(self) -> None:
        """Split the most promising boxes and simulate the new top corners in one call."""
        boxes = self._open
        order = np.argsort(boxes.bound, kind="stable")
        chosen, rest = self._trim(boxes.take(order[:BATCH])), boxes.take(order[BATCH:])
        # A trimmed box is simulated at its new top corner before it is split any further.
        alone, chosen = chosen.take(~chosen.exact), chosen.take(chosen.exact)
        width = chosen.hi - chosen.lo
        # The costliest dimension; the widest where holding is free.
        weight = width * self._unit_cost + 1e-9 * width * max(float(self._unit_cost.max()), 1e-9)
        dimension = weight.argmax(axis=1)
        row = np.arange(len(dimension))
        middle = (chosen.lo[row, dimension] + chosen.hi[row, dimension]) // 2
        lower_hi, upper_lo = chosen.hi.copy(), chosen.lo.copy()
        lower_hi[row, dimension] = middle
        upper_lo[row, dimension] = middle + 1
        # The upper half keeps its top corner, and what has been simulated there.
        upper = _Boxes(
            upper_lo,
            chosen.hi,
            chosen.rule,
            chosen.top,
            self._bounds(upper_lo, chosen.top),
            chosen.exact,
        )
        lower = self._simulate(
            np.concatenate([alone.lo, chosen.lo]),
            np.concatenate([alone.hi, lower_hi]),
            np.concatenate([alone.rule, chosen.rule]),
        )
        self._open = self._prune(rest.join(lower).join(upper))

    def _trim(self, boxes: _Boxes) -> _Boxes:
        """Cut off the lots that cost more to hold than the incumbent leaves room for.

        Whoever holds n lots of stock i in a box pays at least its bound and n - lo lots more; from
        some n on that is beyond the limit. What was simulated at the old top corner still bounds
        what is left, but the new top corner has not been simulated itself.
        """
        room = self._limit() - boxes.bound
        width = boxes.hi - boxes.lo
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.floor(room[:, None] / self._unit_cost)
        # Free holding leaves room for everything, and so does a search without incumbent.
        kept = np.where(most < TRIM * width, most, width).astype(np.int64)
        cut = kept < width
        if not cut.any():
            return boxes
        beyond = boxes.bound[:, None] + (kept + 1) * self._unit_cost
        self._close(beyond[cut] * (1.0 - ROUNDING))
        return _Boxes(
            boxes.lo,
            boxes.lo + kept,
            boxes.rule,
            boxes.top,
            boxes.bound,
            boxes.exact & ~cut.any(axis=1),
        )

    def _dive(self) -> None:
        """Look for a good incumbent: a coarse grid for the best rules, then a finer one.

        The better the incumbent, the more is trimmed off the boxes. This only finds candidates;
        it proves nothing.
        """
        if not self._open.bound.size:
            return
        best = np.argsort(self._open.bound, kind="stable")[:DIVE_RULES]
        boxes = self._open.take(best)
        steps = max(2, round(DIVE_GRID ** (1.0 / boxes.lo.shape[1])))
        grid = np.array(list(itertools.product(range(steps), repeat=boxes.lo.shape[1])))
        fraction = (grid + 0.5) / steps
        centre, half = (boxes.lo + boxes.hi) / 2.0, (boxes.hi - boxes.lo) / 2.0
        rule = boxes.rule
        for _ in range(DIVE_ROUNDS):
            points = centre[:, None] + (2.0 * fraction - 1.0) * half[:, None]
            lots = np.clip(np.rint(points).astype(np.int64), boxes.lo[:, None], boxes.hi[:, None])
            shape = lots.shape[:2]
            self._simulate(
                lots.reshape(-1, lots.shape[2]),
                lots.reshape(-1, lots.shape[2]),
                np.repeat(rule, shape[1], axis=0),
            )
            if self.lots is None:
                return
            centre = np.repeat(self.lots[None, :].astype(np.float64), len(boxes.lo), axis=0)
            half = half / steps * 1.5

    def _bounds(self, lo: NDArray[np.int64], top: NDArray[np.float64]) -> NDArray[np.float64]:
        bound = self._judge.holding_cost(lo) + top
        return bound - ROUNDING * np.abs(bound)

    def _simulate(
        self, lo: NDArray[np.int64], hi: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> _Boxes:
        """Simulate top corners, take the best as incumbent, return boxes still hopeful."""
        scores = self._judge.scores(hi, rule)
        self.simulations += len(hi)
        cost = np.where(scores.feasible, self._judge.holding_cost(hi) + scores.variable, np.inf)
        if cost.size and cost.min() < self.incumbent:
            best = int(cost.argmin())
            self.incumbent = float(cost[best])
            self.lots, self.rule = hi[best].copy(), rule[best].copy()
        boxes = _Boxes(
            lo,
            hi,
            rule,
            scores.lower,
            self._bounds(lo, scores.lower),
            np.ones(len(lo), dtype=np.bool_),
        )
        return boxes.take(scores.hopeful)

    def _limit(self) -> float:
        """Return the cost from which on a bound closes a box."""
        return self.incumbent * (1.0 - max(self._gap, SAME))

    def _prune(self, boxes: _Boxes) -> _Boxes:
        """Close the boxes that cannot hold anything better than the gap allows.

        A box of a single candidate that has been simulated needs no bound: it has been compared
        with the incumbent.
        """
        boxes = boxes.take(np.any(boxes.lo < boxes.hi, axis=1) | ~boxes.exact)
        hold = np.asarray(boxes.bound < self._limit())
        if not hold.all():
            self._close(boxes.bound[~hold])
        return boxes.take(hold)

    def _close(self, bounds: NDArray[np.float64]) -> None:
        self._closed_bound = min(self._closed_bound, float(bounds.min()))
