"""Best candidate of one block over all lots and rules, with a certificate.

A box fixes the rule of every owner and the variant of the block (:mod:`stockpile.choices`; both
are called ``rule`` here), and bounds the lots of every stock, lo <= n <= hi. Holding
cost at its bottom corner plus shortage and shipping cost simulated at its top corner is a lower
bound for every candidate inside; if the top corner breaks a promise, so does every candidate
inside (Proposition 1). The balance of tonnes (:mod:`stockpile.tonne_values`) adds to the bound, and
less so the more is held. The box search splits boxes, the most promising first, until none is left
whose bound is below the incumbent by more than the gap. It can be stopped at any time: incumbent
and bound stand. Section 8 of the formulation.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stockpile.boxes import Boxes, join
from stockpile.candidates import Candidates
from stockpile.certificate import ROUNDING, SAME, Certificate
from stockpile.choices import numbered, variant_of
from stockpile.improving import improve
from stockpile.prices import reward, same_prices
from stockpile.tonne_values import Spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.balance import Tangents
    from stockpile.candidates import Region
    from stockpile.presolve import Space
    from stockpile.prices import BlockPrices
    from stockpile.scores import Lowered, Scores
    from stockpile.sketch import Sketch
    from stockpile.tonne_values import BalanceLimit

BATCH = 512
"""Boxes split in one round; each costs one simulation."""
TRIM = 0.9
"""A box is trimmed in a dimension where less than this part of its width is left."""
MANY_STOCKS = 3
"""Stocks of a block from which on candidates are improved step by step, boxes with the same rules
are split together, and the search begins with whole boxes at new prices."""
LONG, LONG_BATCH = 5_000, 2_048
"""Boxes after which a search of a block of many stocks counts as long, and boxes split in one
round from then on: in few scenarios each takes so little time that rounds do."""
REST = 0.15
"""What the scenarios outside of a sketch add to it, about; more decides when they are simulated."""
SINCE = 2
"""Times that a box is split before its top corner is simulated in all scenarios again, if only to
see whether it keeps the promises."""
SKETCHED = 16
"""Combinations of rules for whose best candidates a sketch is made."""
BALANCED_STOCKS, BALANCED = 2, 6
"""Stocks of a block from which on the balance of tonnes is asked, and combinations of rules around
whose best candidates it is seen at first what says most."""
TOUCHED = (0.0, 0.2)
"""Where between its corners what the balance of tonnes says of a box is looked at."""
OPEN_BOXES, FROM_OPEN = 24, 0.15
"""Open boxes of a long search between whose corners, from this part on, it is seen what says most
of boxes that stay open."""
OPEN_AGAIN, FEW_OPEN = 2, 512
"""That is seen again when there are so many times the simulations; and open boxes below which it
would take longer than it saves."""
LOOKED_AT = 8
"""Times as many boxes as are split in one round are looked at for those with the same rules."""
IMPROVED, LONG_IMPROVED = 4, 10
"""Combinations of rules from whose best candidates a better one is looked for; in long searches."""
OFFERED = 64
"""Candidates looked at as incumbents where the tail is charged for: that takes a simulation."""
GRID_RULES, GRID_POINTS, GRID_ROUNDS = 2, 25, 3
"""Combinations of rules, points for each, and rounds of the search for a first incumbent."""


class Judge(Protocol):
    """What the search needs of a block: monotone charges for holding and for running short."""

    def plain_prices(self) -> BlockPrices:
        """Return the prices at which the annual cost alone counts."""

    def slope(self, prices: BlockPrices) -> NDArray[np.float64]:
        """Return by how much the charge for holding rises at least with a lot, (I,)."""

    def fixed_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], prices: BlockPrices
    ) -> NDArray[np.float64]:
        """Return the charge for holding lots (P, I), non-decreasing in every lot."""

    def tail_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return shortage cost weighted by scenario, non-increasing in every lot."""

    def scores(
        self,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        tangents: Tangents | None = None,
    ) -> Scores:
        """Return the scores of candidates: lots (P, I), rules and variants (P, C + 1)."""

    def find_values(self, spans: Spans) -> None:
        """Look for values of tonnes between candidates, besides those that are known."""

    def balance(self, spans: Spans, prices: BlockPrices) -> BalanceLimit:
        """Return what the balance of tonnes says at some prices, most between candidates."""

    def sketch(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Sketch:
        """Return a quick lower limit on cost, made for candidates like these."""


def _group_ranks(choices: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return by what boxes with choices (B, C + 1) are sorted, the most important last.

    First come those of the variant of the first box, then of the variant that most are of; of one
    variant, those with the rules that most follow.
    """
    _, group = np.unique(numbered(choices), return_inverse=True)
    ranks = []
    for of in (group, variant_of(choices)):
        size = np.bincount(of).astype(np.float64)
        size[of[0]] = np.inf
        ranks += [of.astype(np.float64), -size[of]]
    return ranks


def _unsimulated(boxes: Boxes) -> Boxes:
    """Return boxes whose top corners have to be simulated again before they are split."""
    single = boxes.single
    return replace(boxes, exact=single, sketched=single)


class BoxSearch:
    """The search as a state that is advanced round by round.

    Parameters
    ----------
    judge
        The block's evaluator.
    space
        The boxes to start from.
    gap
        Relative gap to prove; 0 proves the optimum, up to rounding.
    keep
        Whether to keep closed boxes and candidates, so that the search can be taken up at other
        prices.
    """

    def __init__(self, judge: Judge, space: Space, gap: float, *, keep: bool = False) -> None:
        self._judge = judge
        self._gap = gap
        self._keep = keep
        self._closed: list[Boxes] = []
        self._candidates: list[Candidates] = []
        self._seen: set[bytes] = set()
        self._stocks = int(space.lo.shape[1])
        self.simulations = 0
        self.split = 0
        """Boxes looked at in the search that is going on."""
        self._sketch: Sketch | None = None
        self._balance: BalanceLimit | None = None
        self._spans: Spans | None = None
        """Between what the balance says most."""
        self._look_again = 0
        """Simulations from which on open boxes are looked at for that."""
        self._whole_balanced = False
        """Whether the boxes to start from have been simulated with the balance."""
        self.takes_long = False
        """Whether a search has taken so long that good candidates are better looked for first."""
        self.tail_simulations = 0
        """Candidates simulated once more for what the tail is charged."""
        self._reset(judge.plain_prices(), slack=0.0)
        self._open = self._whole = self._simulate(space.lo, space.hi, space.rule)
        self._look_at_a_grid()
        self._open = self._prune(self._open)

    def _reset(self, prices: BlockPrices, slack: float) -> None:
        self.prices = prices
        self._slack = slack
        self._goal = np.inf
        self.split = 0
        self._unit_cost = self._judge.slope(prices)
        self._priced_tail = bool(prices.tail.any())
        self._priced_variants = 2.0 * float(np.abs(prices.variant).max())
        self.incumbent = np.inf
        self.lots: NDArray[np.int64] | None = None
        self.rule: NDArray[np.int64] | None = None
        self._rounding = self._scale = 0.0
        self._closed_bound = np.inf
        """Least bound of any box that was closed because it was within the gap."""

    def begin(
        self,
        prices: BlockPrices,
        *,
        slack: float,
        region: Region | None = None,
        goal: float = np.inf,
    ) -> None:
        """Take the search up at other prices, in a part of the candidates.

        Needs ``keep``. Boxes are cut at the borders of the region; those outside wait.

        Parameters
        ----------
        slack
            Absolute gap to prove [USD/year], in place of the relative one.
        goal
            A bound that is enough in any case, as long as no candidate is charged less.
        """
        fresh = not same_prices(prices, self.prices)
        if not np.array_equal(prices.weight, self.prices.weight):
            self._forget_balance()
        if self.many_stocks and fresh:
            # Boxes that were cut to pieces at other prices are more than it takes from the start.
            boxes = self._from_the_start()
        else:
            boxes = join([self._open, *self._closed])
        self._reset(prices, slack)
        self._gap, self._goal = 0.0, goal
        boxes.tail = np.zeros(boxes.count)
        boxes.stale = np.full(boxes.count, self._priced_tail)
        boxes.bound = np.full(boxes.count, -np.inf)
        self._closed = []
        if region is not None:
            inside = region.allows(boxes.rule)
            lo, hi = np.maximum(boxes.lo, region.lo), np.minimum(boxes.hi, region.hi)
            inside &= (lo <= hi).all(axis=1)
            self._closed.append(boxes.take(~inside))
            boxes, outside = self._cut(boxes.take(inside), lo[inside], hi[inside])
            self._closed += outside
        known = self.candidates
        known = known if region is None else known.take(region.holds(known))
        self._offer(known)
        if region is not None and fresh:
            self._improve(region)
        boxes.bound = self._bounds(boxes)
        self._open = self._prune(boxes)

    def _from_the_start(self) -> Boxes:
        """Return the boxes to start from, with what the balance of tonnes says of them."""
        whole = self._whole
        if self._balance is not None and not self._whole_balanced:
            self._whole = whole = self._simulate(whole.lo, whole.hi, whole.rule)
            self._whole_balanced = True
        return replace(whole)

    def _forget_balance(self) -> None:
        """Forget what the balance of tonnes says: it was asked at other weights."""
        self._balance, self._whole_balanced = None, False
        for boxes in (self._whole, self._open, *self._closed):
            boxes.added = np.zeros(boxes.count)

    def look_at(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Candidates:
        """Simulate one candidate, lots (I,) and rules (C + 1,); return it if it keeps its promises.

        Needs ``keep``. It may become the incumbent; no box is split.
        """
        self._simulate(lots[None], lots[None], rule[None])
        known = self.candidates
        same = (known.lots == lots).all(axis=1) & (known.rule == rule).all(axis=1)
        return known.take(np.flatnonzero(same)[:1])

    @property
    def candidates(self) -> Candidates:
        """Return all feasible candidates that have been simulated; needs ``keep``."""
        if len(self._candidates) > 1:
            self._candidates = [
                Candidates(
                    *(
                        np.concatenate([getattr(part, name) for part in self._candidates])
                        for name in Candidates.__slots__
                    )
                )
            ]
        return self._candidates[0]

    def _remember(self, found: Candidates) -> None:
        """Add to the candidates that have been simulated those that are new."""
        if self.many_stocks and found.count:
            # Looking for better candidates comes upon the same ones again and again.
            rows = np.concatenate([found.lots, found.rule], axis=1)
            keys = rows.view(f"V{rows.itemsize * rows.shape[1]}").reshape(-1).tolist()
            fresh = [i for i, key in enumerate(keys) if key not in self._seen]
            self._seen.update(keys)
            found = found.take(np.array(fresh, dtype=np.int64))
        self._candidates.append(found)

    def charge(self, candidates: Candidates, prices: BlockPrices) -> NDArray[np.float64]:
        """Return what candidates are charged at some prices, the tail left out, (P,)."""
        fixed = self._judge.fixed_cost(candidates.lots, candidates.rule, prices)
        cost: NDArray[np.float64] = fixed + candidates.variable @ prices.weight
        return cost - reward(candidates.covered, prices.covered)

    @property
    def many_stocks(self) -> bool:
        """Return whether the block has so many stocks that a search takes long."""
        return self._stocks >= MANY_STOCKS

    @property
    def bound(self) -> float:
        """Return the proven lower limit on the charge of every candidate."""
        open_bound = self._open.bound.min() if self._open.count else np.inf
        own = self.incumbent - self._rounding
        return float(min(own, self._closed_bound, open_bound))

    @property
    def finished(self) -> bool:
        """Return whether no box is left that could hold a better candidate beyond the gap."""
        return self._open.count == 0

    def certificate(self) -> Certificate:
        """Return what has been found and proved so far."""
        return Certificate(
            self.lots, self.rule, self.incumbent, self.bound, self.simulations, self.finished
        )

    def advance(self) -> None:
        """Split the most promising boxes and simulate the new top corners in one call."""
        self._find_balance()
        boxes = self._open
        chosen, rest = self._choose(boxes)
        if chosen.stale.any():
            # The charge for the tail may close a box: it is looked at before the box is split.
            self._refresh(chosen)
            self._open = self._prune(join([rest, chosen]))
            return
        if self.takes_long and self.lots is not None:
            self._split_by_sketch(chosen, rest)
            return
        chosen, trimmed = self._trim(chosen)
        # A trimmed box is simulated at its new top corner before it is split any further.
        alone, chosen = chosen.take(~chosen.exact), chosen.take(chosen.exact)
        lower_hi, upper = self._halves(chosen)
        lower = self._simulate(
            np.concatenate([alone.lo, chosen.lo]),
            np.concatenate([alone.hi, lower_hi]),
            np.concatenate([alone.rule, chosen.rule]),
            np.concatenate([alone.tail, chosen.tail]),
            np.concatenate([alone.bound, chosen.bound]),
        )
        self._open = self._prune(join([rest, lower, upper, *trimmed]))
        self.split += len(alone.lo) + len(chosen.lo)
        self.takes_long |= self.many_stocks and self.split > LONG

    def _find_balance(self) -> None:
        """See what the balance of tonnes says, as soon as there is an incumbent.

        Boxes whose top corners have been simulated without it are simulated once more. In long
        searches it is seen again and again what says most of the boxes that are left open.
        """
        if self._stocks < BALANCED_STOCKS or self.lots is None:
            return
        if (
            self.takes_long
            and self.split > LONG  # Boxes that are still whole tell nothing of those that stay.
            and self.simulations >= self._look_again
            and self._open.count >= FEW_OPEN
        ):
            self._find_values(self._between_corners())
            self._look_again = OPEN_AGAIN * self.simulations
        if self._balance is None:
            if self._spans is None:
                self._find_values(Spans.around(*self._good(BALANCED)))
            assert self._spans is not None
            self._balance = self._judge.balance(self._spans, self.prices)
            self._open = _unsimulated(self._open)

    def _find_values(self, spans: Spans) -> None:
        self._judge.find_values(spans)
        self.simulations += 2 * len(spans.rule)
        self._spans, self._balance = spans, None

    def _between_corners(self) -> Spans:
        """Return what lies between the corners of open boxes, from the best bound to the last."""
        order = np.argsort(self._open.bound, kind="stable")
        some = np.linspace(0, order.size - 1, min(OPEN_BOXES, order.size)).astype(np.int64)
        boxes = self._open.take(order[some])
        inside = np.floor(FROM_OPEN * (boxes.hi - boxes.lo)).astype(np.int64)
        return Spans(boxes.lo + inside, boxes.hi, boxes.rule)

    def _tangents(
        self, lo: NDArray[np.int64], hi: NDArray[np.int64], rule: NDArray[np.int64]
    ) -> Tangents | None:
        """Return where it is asked what the balance of tonnes says of boxes."""
        if self._balance is None:
            return None
        width = (hi - lo)[:, None] * np.array(TOUCHED)[:, None]
        return self._balance.tangents(lo[:, None] + np.rint(width).astype(np.int64), rule)

    def _plane(
        self,
        lo: NDArray[np.int64],
        hi: NDArray[np.int64],
        tangents: Tangents | None,
        said: Scores | Lowered,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return which of the planes below boxes bounds them best: at lo (B,), and its fall (B, I).

        Planes touch what the balance says, which is convex, and so are nowhere above it.
        """
        if tangents is None:
            return np.zeros(len(lo)), np.zeros(lo.shape)
        inside = (tangents.lots - lo[:, None]).astype(np.float64)
        added = said.added + (said.fall * inside).sum(axis=2)
        width = (hi - lo)[:, None].astype(np.float64)
        least = added + np.minimum((self._unit_cost - said.fall) * width, 0.0).sum(axis=2)
        best = least.argmax(axis=1)
        row = np.arange(len(lo))
        return added[row, best], said.fall[row, best]

    def _halves(self, boxes: Boxes) -> tuple[NDArray[np.int64], Boxes]:
        """Halve boxes; return the top corners of the lower halves, and the upper halves.

        The upper half keeps its top corner, and what has been simulated there.
        """
        width = boxes.hi - boxes.lo
        # The costliest dimension; the widest where holding is free.
        weight = width * self._unit_cost + 1e-9 * width * max(float(self._unit_cost.max()), 1e-9)
        dimension = weight.argmax(axis=1)
        row = np.arange(len(dimension))
        middle = (boxes.lo[row, dimension] + boxes.hi[row, dimension]) // 2
        lower_hi, upper_lo = boxes.hi.copy(), boxes.lo.copy()
        lower_hi[row, dimension] = middle
        upper_lo[row, dimension] = middle + 1
        return lower_hi, self._resize(boxes, upper_lo, boxes.hi)

    def _split_by_sketch(self, chosen: Boxes, rest: Boxes) -> None:
        """Split boxes, and simulate new top corners in the scenarios of the sketch.

        What is left open then is simulated in all scenarios where that may close it.
        """
        sketch = self._sketch_here()
        unknown = np.flatnonzero(chosen.exact & np.isnan(chosen.rest[:, 0]))
        if unknown.size:
            known = sketch.lower(chosen.hi[unknown], chosen.rule[unknown])
            chosen.rest[unknown] = chosen.lower[unknown] - known.cost
        chosen, trimmed = self._trim(chosen)
        ready = chosen.exact | chosen.sketched
        gain = (chosen.lower - chosen.full) @ self.prices.weight
        room = self._limit() - chosen.bound
        single = (chosen.lo == chosen.hi).all(axis=1)
        due = np.where(
            ready,
            ~chosen.exact & ((room <= REST * gain) | single | (chosen.since >= SINCE)),
            np.isnan(chosen.rest[:, 0]),
        )
        raw = ~ready & ~due
        in_all, alone, whole = chosen.take(due), chosen.take(raw), chosen.take(ready & ~due)
        lower_hi, upper = self._halves(whole)
        parts = [upper, *trimmed]
        if in_all.count:
            before = in_all.lower - in_all.rest
            full = self._simulate(
                in_all.lo, in_all.hi, in_all.rule, in_all.tail, in_all.bound, before
            )
            parts.append(full)
        lower = join([alone, replace(whole, hi=lower_hi, exact=np.zeros_like(whole.exact))])
        if lower.count:
            tangents = self._tangents(lower.lo, lower.hi, lower.rule)
            here = sketch.lower(lower.hi, lower.rule, tangents)
            lower.lower = here.cost + lower.rest
            lower.added, lower.fall = self._plane(lower.lo, lower.hi, tangents, here)
            lower.since = lower.since + 1
            lower.sketched = np.ones(lower.count, dtype=np.bool_)
            lower.stale = np.full(lower.count, self._priced_tail)
            lower.bound = np.maximum(self._bounds(lower), lower.bound)
            parts.append(lower)
        self.simulations += lower.count
        self.split += whole.count
        self._open = self._prune(join([rest, *parts]))

    def _sketch_here(self) -> Sketch:
        """Return the sketch, which is made for the best candidates of some rules."""
        if self._sketch is None:
            self._sketch = self._judge.sketch(*self._good(SKETCHED))
        return self._sketch

    def _good(self, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the best candidates of some rules; the incumbent alone where none are kept."""
        if self._keep:
            known = self.candidates
            best = self._best_of_each(known, numbered(known.rule))[:most]
            return known.lots[best], known.rule[best]
        assert self.lots is not None
        assert self.rule is not None
        return self.lots[None], self.rule[None]

    def _choose(self, boxes: Boxes) -> tuple[Boxes, Boxes]:
        """Take the most promising boxes, those with the same rules together; return the rest too.

        What is simulated side by side costs least where rules are the same.
        """
        order = np.argsort(boxes.bound, kind="stable")
        batch = LONG_BATCH if self.takes_long else BATCH
        if self.many_stocks and boxes.count > batch:
            near, far = order[: LOOKED_AT * batch], order[LOOKED_AT * batch :]
            near = near[np.lexsort(_group_ranks(boxes.rule[near]))]
            order = np.concatenate([near, far])
        return boxes.take(order[:batch]), boxes.take(order[batch:])

    def _refresh(self, boxes: Boxes) -> None:
        """Simulate the charge for the tail at the top corners where it is not known."""
        stale = np.flatnonzero(boxes.stale)
        self.tail_simulations += stale.size
        boxes.tail[stale] = self._judge.tail_cost(
            boxes.hi[stale], boxes.rule[stale], self.prices.tail
        )
        boxes.stale[stale] = False
        boxes.bound = np.maximum(self._bounds(boxes), boxes.bound)

    def _trim(self, boxes: Boxes) -> tuple[Boxes, list[Boxes]]:
        """Cut off the lots that cost more to hold than the incumbent leaves room for.

        Whoever holds n lots of stock i in a box is charged at least its bound and n - lo lots
        more; from some n on that is beyond the limit. Where the balance of tonnes falls faster
        than holding costs, few lots are beyond it, too. What was simulated at the old top corner
        still bounds what is left, but the new top corner has not been simulated itself.
        """
        limit, width = self._limit(), (boxes.hi - boxes.lo).astype(np.float64)
        low = self._bottom_bounds(boxes)
        net = self._unit_cost - boxes.fall
        room = limit - low - boxes.added - np.minimum(net * width, 0.0).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.floor((limit - low)[:, None] / self._unit_cost)
            reach = np.floor(room[:, None] / np.abs(net))
        balanced = boxes.added[:, None] > 0.0
        most = np.where(balanced & (net > 0.0), np.minimum(most, reach), most)
        least = np.where(balanced & (net < 0.0), np.maximum(width - reach, 0.0), 0.0)
        # Free holding leaves room for everything, and so does a search without incumbent.
        most = np.clip(np.where(most < width, most, width), 0.0, None)
        least = np.minimum(least, most)
        cut = most - least < TRIM * width
        kept = np.where(cut, most, width).astype(np.int64)
        left = np.where(cut, least, 0.0).astype(np.int64)
        if not cut.any():
            return boxes, []
        return self._cut(boxes, boxes.lo + left, boxes.lo + kept)

    def _cut(
        self, boxes: Boxes, lo: NDArray[np.int64], hi: NDArray[np.int64]
    ) -> tuple[Boxes, list[Boxes]]:
        """Cut boxes to new bounds; return what is inside, and slabs of what is outside."""
        inner_lo, inner_hi = boxes.lo.copy(), boxes.hi.copy()
        slabs = []
        for i in range(boxes.lo.shape[1]):
            below = inner_lo[:, i] < lo[:, i]
            above = inner_hi[:, i] > hi[:, i]
            if below.any():
                slab_hi = inner_hi[below]
                slab_hi[:, i] = lo[below, i] - 1
                slabs.append(self._resize(boxes.take(below), inner_lo[below], slab_hi))
                inner_lo[below, i] = lo[below, i]
            if above.any():
                slab_lo = inner_lo[above]
                slab_lo[:, i] = hi[above, i] + 1
                slabs.append(self._resize(boxes.take(above), slab_lo, inner_hi[above]))
                inner_hi[above, i] = hi[above, i]
        return self._resize(boxes, inner_lo, inner_hi), slabs

    def _resize(self, boxes: Boxes, lo: NDArray[np.int64], hi: NDArray[np.int64]) -> Boxes:
        """Return smaller boxes; what is known of the old top corner bounds them still."""
        lowered = (hi < boxes.hi).any(axis=1)
        smaller = replace(
            boxes,
            lo=lo,
            hi=hi,
            exact=boxes.exact & ~lowered,
            added=boxes.added_from(lo),
            sketched=boxes.sketched & ~lowered,
            stale=boxes.stale | (lowered & self._priced_tail),
        )
        smaller.bound = np.maximum(self._bounds(smaller), boxes.bound)
        return smaller

    def _look_at_a_grid(self) -> None:
        """Look for a good incumbent: a coarse grid for the best rules, then a finer one.

        The better the incumbent, the more is trimmed off the boxes. This only finds candidates;
        it proves nothing.
        """
        if not self._open.count:
            return
        best = np.argsort(self._open.bound, kind="stable")[:GRID_RULES]
        boxes = self._open.take(best)
        steps = max(2, round(GRID_POINTS ** (1.0 / boxes.lo.shape[1])))
        grid = np.array(list(itertools.product(range(steps), repeat=boxes.lo.shape[1])))
        fraction = (grid + 0.5) / steps
        centre, half = (boxes.lo + boxes.hi) / 2.0, (boxes.hi - boxes.lo) / 2.0
        rule = boxes.rule
        for _ in range(GRID_ROUNDS):
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

    def improve(self, starts: Candidates, prices: BlockPrices, region: Region) -> Candidates:
        """Look for better candidates around some, at any prices; return the best found from each.

        All that keep their promises are remembered. The tail is left out.
        """

        def look_at(
            lots: NDArray[np.int64], rule: NDArray[np.int64]
        ) -> tuple[Candidates, NDArray[np.bool_]]:
            scores = self._judge.scores(lots, rule)
            self.simulations += len(lots)
            found = Candidates(lots, rule, scores.variable, scores.covered)
            self._remember(found.take(scores.feasible))
            return found, scores.feasible

        return improve(starts, region, look_at, lambda found: self.charge(found, prices))

    def _improve(self, region: Region) -> None:
        """Look for a better incumbent in a region where a block has many stocks.

        What is best with some rules is improved. Where searches take long, what is best in a
        variant is looked at with all rules first, and what is best in each variant then is improved
        as well.
        """
        known = self.candidates.take(region.holds(self.candidates))
        if not (self.many_stocks and known.count):
            return
        if not self.takes_long:
            starts = self._best_of_each(known, numbered(known.rule))[:IMPROVED]
        else:
            self._look_at_all_rules(known, region)
            known = self.candidates.take(region.holds(self.candidates))
            rules = self._best_of_each(known, numbered(known.rule))[:LONG_IMPROVED]
            variants = self._best_of_each(known, variant_of(known.rule))
            starts = np.unique(np.concatenate([rules, variants]))
        self._offer(self.improve(known.take(starts), self.prices, region))

    def _look_at_all_rules(self, known: Candidates, region: Region) -> None:
        """Simulate the best lots known of each variant with all rules that may still pay."""
        whole = self._whole
        lo, hi = np.maximum(whole.lo, region.lo), np.minimum(whole.hi, region.hi)
        here = region.allows(whole.rule) & (lo <= hi).all(axis=1)
        here &= self._bounds(replace(whole, tail=np.zeros(whole.count))) < self.incumbent
        best = self._best_of_each(known, variant_of(known.rule))
        of = np.full(len(region.variants), best[0])
        of[variant_of(known.rule[best])] = best
        lots = np.clip(known.lots[of[variant_of(whole.rule)]], lo, hi)[here]
        if len(lots):
            self._simulate(lots, lots, whole.rule[here])

    def _best_of_each(self, known: Candidates, kind: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which candidates are charged least of their kind (P,), the best first."""
        order = np.argsort(self.charge(known, self.prices), kind="stable")
        _, first = np.unique(kind[order], return_index=True)
        return np.asarray(order[np.sort(first)])

    def _bounds(self, boxes: Boxes) -> NDArray[np.float64]:
        """Return the charge that the top corners, or the balance of tonnes, prove, (B,)."""
        low = self._bottom_bounds(boxes)
        # The balance falls with every lot held: where faster than holding costs, at the most lots.
        width = (boxes.hi - boxes.lo).astype(np.float64)
        falls = np.minimum((self._unit_cost - boxes.fall) * width, 0.0).sum(axis=1)
        return np.asarray(low + np.where(boxes.single, 0.0, np.maximum(boxes.added + falls, 0.0)))

    def _bottom_bounds(self, boxes: Boxes) -> NDArray[np.float64]:
        """Return what bottom corners are charged for holding and top corners for the rest, (B,)."""
        fixed = self._judge.fixed_cost(boxes.lo, boxes.rule, self.prices)
        cost = np.where(boxes.single[:, None], boxes.variable, boxes.lower)
        charged = fixed + cost @ self.prices.weight + boxes.tail
        rewarded = reward(boxes.covered, self.prices.covered)
        # The price of a variant has either sign, so a charge may be a small difference.
        size = np.abs(charged) + rewarded + self._priced_variants
        return np.asarray(charged - rewarded - ROUNDING * size)

    def _simulate(
        self,
        lo: NDArray[np.int64],
        hi: NDArray[np.int64],
        rule: NDArray[np.int64],
        tail: NDArray[np.float64] | None = None,
        bound: NDArray[np.float64] | None = None,
        sketched: NDArray[np.float64] | None = None,
    ) -> Boxes:
        """Simulate top corners, take the best as incumbent, return boxes still hopeful.

        A box inherits the charge for the tail and the bound of the larger one that it comes from.

        Parameters
        ----------
        sketched
            (B, C) what the scenarios of the sketch cost, if that is known.
        """
        tangents = self._tangents(lo, hi, rule)
        scores = self._judge.scores(hi, rule, tangents)
        self.simulations += len(hi)
        found = Candidates(hi, rule, scores.variable, scores.covered).take(scores.feasible)
        if self._keep:
            self._remember(found)
        self._offer(found)
        boxes = Boxes(
            lo,
            hi,
            rule,
            scores.lower,
            scores.lower,
            np.full(scores.lower.shape, np.nan) if sketched is None else scores.lower - sketched,
            np.ones(len(lo), dtype=np.bool_),
            np.zeros(len(lo), dtype=np.int64),
            scores.variable,
            scores.feasible,
            scores.covered_loose,
            np.ones(len(lo), dtype=np.bool_),
            np.zeros(len(lo)) if tail is None else tail,
            np.full(len(lo), self._priced_tail),
            *self._plane(lo, hi, tangents, scores),
            np.empty(len(lo)),
        )
        boxes.bound = self._bounds(boxes)
        if bound is not None:
            boxes.bound = np.maximum(boxes.bound, bound)
        return boxes.take(scores.hopeful)

    def _offer(self, candidates: Candidates) -> None:
        """Take the best candidate as incumbent, if it is better."""
        charge = self.charge(candidates, self.prices)
        better = np.flatnonzero(charge < self.incumbent)
        if self._priced_tail and better.size:
            better = better[np.argsort(charge[better], kind="stable")[:OFFERED]]
            self.tail_simulations += better.size
            charge[better] += self._judge.tail_cost(
                candidates.lots[better], candidates.rule[better], self.prices.tail
            )
        if not better.size:
            return
        best = int(better[charge[better].argmin()])
        if charge[best] < self.incumbent:
            self.incumbent = float(charge[best])
            self.lots, self.rule = candidates.lots[best].copy(), candidates.rule[best].copy()
            rewarded = float(reward(candidates.covered[[best]], self.prices.covered)[0])
            # Charges and rewards may nearly cancel: what rounding can do grows with both.
            self._scale = abs(self.incumbent) + 2.0 * rewarded + self._priced_variants
            self._rounding = ROUNDING * self._scale

    def _limit(self) -> float:
        """Return the charge from which on a bound closes a box."""
        if not np.isfinite(self.incumbent):
            return np.inf
        if self._goal <= self.incumbent - self._rounding:
            return self._goal
        within = max(self._gap * abs(self.incumbent), self._slack, SAME * self._scale)
        return self.incumbent - within

    def _prune(self, boxes: Boxes) -> Boxes:
        """Close the boxes that cannot hold anything better than the gap allows.

        A box of a single candidate that has been simulated is closed in any case: it has been
        compared with the incumbent, or is not feasible.
        """
        if np.isnan(boxes.bound).any():
            raise ArithmeticError("a box has no bound")
        single = boxes.single
        boxes = boxes.take(~single | boxes.feasible)
        single = boxes.single
        hold = (boxes.bound < self._limit()) & ~(single & ~boxes.stale)
        closed = boxes.take(~hold)
        if closed.count:
            self._closed_bound = min(self._closed_bound, float(closed.bound.min()))
            if self._keep:
                self._closed.append(closed)
        return boxes.take(hold)
