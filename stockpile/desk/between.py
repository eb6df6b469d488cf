"""One month of the rules where stocks and holdings are known only to lie between two ends.

Equations (4) and (5), with the two ends of every amount in place of the amount. What holds of all
amounts between the ends bounds each step, so every release that is possible lies between the ends
that come out, whatever the stocks are. They may lie further apart than they need to: what two
amounts have to do with each other is forgotten from step to step. They lie closer where what is not
known is cut into pieces. A month is a period of the problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.simulation import TRIGGER_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.needs import Needs
    from stockpile.simulate import Terms

MOST_PIECES = 4096
"""Pieces that what is not known of a block is cut into, all together."""
MOST_OF_ONE = 256
"""Pieces that one amount is cut into."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The least and the most that amounts may be, two arrays of the same shape."""

    least: NDArray[np.float64]
    most: NDArray[np.float64]

    @staticmethod
    def exactly(amount: NDArray[np.float64]) -> Ends:
        """Return the ends of amounts that are known."""
        return Ends(amount, amount)

    def pick(self, place: int) -> Ends:
        """Return the ends at a place of the first axis."""
        return Ends(self.least[place], self.most[place])

    def put(self, place: int, other: Ends) -> None:
        """Write the ends at a place of the first axis."""
        self.least[place], self.most[place] = other.least, other.most

    def times(self, factor: float) -> Ends:
        """Return the ends of a multiple; of nothing where the factor is 0."""
        return Ends(_times(factor, self.least), _times(factor, self.most))


@dataclass(frozen=True, slots=True)
class Stocks:
    """What is known of stocks, each (I, P): of P pieces of what is possible.

    Attributes
    ----------
    holding
        Full stocks h [t].
    left
        What is there, x, at most h [t].
    missing
        What is not, h - x [t]; known better than the two where a stock is full.
    """

    holding: Ends
    left: Ends
    missing: Ends


def pieces(agreed: Ends, left: Ends, full: NDArray[np.bool_]) -> Stocks:
    """Cut what is possible into pieces that together hold all of it.

    What is there beyond what is agreed counts as held.

    Parameters
    ----------
    agreed, left
        (I,) what is agreed to be held, and what is there [t]; the latter has no meaning where full.
    full
        (I,) whether what is agreed to be held is there.
    """
    amounts = Ends(
        np.concatenate([agreed.least, np.where(full, 0.0, left.least)]),
        np.concatenate([agreed.most, np.where(full, 0.0, left.most)]),
    )
    open_ = np.isfinite(amounts.most) & (amounts.most > amounts.least)
    each = min(_whole_root(MOST_PIECES, max(int(open_.sum()), 1)), MOST_OF_ONE)
    parts = [np.arange(each if cut else 1) for cut in open_]
    place = np.stack(np.meshgrid(*parts, indexing="ij")).reshape(len(parts), -1)
    least, most = amounts.least[:, None], amounts.most[:, None]
    width = np.where(open_, (amounts.most - amounts.least) / each, 0.0)[:, None]
    last = ~open_[:, None] | (place == each - 1)
    cut = Ends(least + width * place, np.where(last, most, least + width * (place + 1)))
    count = agreed.least.size
    held = Ends(cut.least[:count], cut.most[:count])
    there = Ends(cut.least[count:], cut.most[count:])
    there = Ends(
        np.where(full[:, None], held.least, there.least),
        np.where(full[:, None], held.most, there.most),
    )
    return Stocks(
        holding=Ends(np.maximum(held.least, there.least), np.maximum(held.most, there.most)),
        left=there,
        missing=Ends(
            np.where(full[:, None], 0.0, np.maximum(held.least - there.most, 0.0)),
            np.where(full[:, None], 0.0, np.maximum(held.most - there.least, 0.0)),
        ),
    )


def _whole_root(most: int, power: int) -> int:
    """Return the largest whole number whose power is no more than ``most``.

    >>> [_whole_root(4096, power) for power in (1, 2, 3, 4, 5, 6, 12, 13)]
    [4096, 64, 16, 8, 5, 4, 2, 1]
    """
    root = int(most ** (1.0 / power)) + 1  # Which rounding may have put below the true one.
    while root**power > most:
        root -= 1
    return root


def released_between(terms: Terms, needs: Needs, place: int, stocks: Stocks) -> Ends:
    """Return the ends of what every step serves in one month, (J, P) [t].

    Parameters
    ----------
    terms
        Of one candidate, whose rules are followed; its holdings have no meaning.
    needs, place
        Of the block, and which of their months.
    """
    steps, pools = terms.steps, terms.steps.pools
    loss, age, blocked = needs.loss[place], needs.age[place], needs.blocked[place]
    shape = (steps.count, stocks.left.least.shape[1])
    left, missing = _copied(stocks.left), _copied(stocks.missing)
    rest = _spread(needs.need[place], shape[1])
    room = _spread(terms.capacity[:, 0], shape[1])
    released = Ends(np.zeros(shape), np.zeros(shape))
    for j in range(steps.count):
        q, i, z = int(steps.stream[j]), int(steps.stock[j]), int(steps.market[j])
        segment = int(np.searchsorted(terms.breakpoints, age[z], side="right")) - 1
        ships = steps.ships[j][steps.ships[j] >= 0]
        limit, level = float(terms.limit[segment, j, 0]), float(terms.level[segment, j, 0])
        opens = terms.trigger[segment, j, 0] - TRIGGER_TOLERANCE
        shut = segment < 0 or age[z] < steps.lag[j] or loss[z] < opens or blocked[ships].any()
        if shut or limit == 0.0:
            continue
        drawn = range(int(pools.first[j]), int(pools.first[j + 1]))
        yield_ = float(steps.yield_[j])
        holding = stocks.holding.pick(i)
        spare = _spare(level, holding, left.pick(i), missing.pick(i)).times(yield_)
        most = holding.times(limit * yield_)
        rooms = {d: room.pick(int(pools.pool[d])).times(1.0 / float(pools.made[d])) for d in drawn}
        # (4) and (5): what is left of each is what the least of all the others leaves.
        served = _least(rest.pick(q), spare, most, *rooms.values())
        by_others = _least(rest.pick(q), most, *rooms.values()).times(1.0 / yield_)
        kept = Ends(
            np.minimum(left.least[i], _times(level, holding.least)),
            np.minimum(left.most[i], _times(level, holding.most)),
        )
        after = Ends(
            np.maximum(kept.least, left.least[i] - by_others.most),
            np.maximum(kept.most, left.most[i] - by_others.least),
        )
        of_pools = {
            d: _without(
                room.pick(int(pools.pool[d])),
                _least(
                    rest.pick(q), spare, most, *(rooms[other] for other in drawn if other != d)
                ).times(float(pools.made[d])),
            )
            for d in drawn
        }
        rest.put(q, _without(rest.pick(q), _least(spare, most, *rooms.values())))
        left.put(i, after)
        taken = served.times(1.0 / yield_)
        missing.put(i, Ends(missing.least[i] + taken.least, missing.most[i] + taken.most))
        for d, ends in of_pools.items():
            room.put(int(pools.pool[d]), ends)
        released.put(j, served)
    return released


def _spare(level: float, holding: Ends, left: Ends, missing: Ends) -> Ends:
    """Return the ends of max(x - l h, 0), which is (1 - l) x - l (h - x), too."""
    above = 1.0 - level
    least = np.maximum(
        left.least - _times(level, holding.most),
        above * left.least - _times(level, missing.most),
    )
    most = np.minimum(
        left.most - _times(level, holding.least),
        _times(above, left.most) - _times(level, missing.least),
    )
    return Ends(np.maximum(least, 0.0), np.maximum(most, 0.0))


def _least(*amounts: Ends) -> Ends:
    """Return the ends of the least of some amounts."""
    return Ends(
        np.minimum.reduce([ends.least for ends in amounts]),
        np.minimum.reduce([ends.most for ends in amounts]),
    )


def _without(amount: Ends, taken: Ends) -> Ends:
    """Return the ends of what is left of an amount, of which no more is taken than there is."""
    return Ends(
        np.maximum(amount.least - taken.most, 0.0), np.maximum(amount.most - taken.least, 0.0)
    )


def _times(factor: float, amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a multiple of amounts that may have no end; none of what has no end is nothing."""
    return factor * amount if factor else np.zeros_like(amount)


def _copied(ends: Ends) -> Ends:
    return Ends(ends.least.copy(), ends.most.copy())


def _spread(amount: NDArray[np.float64], count: int) -> Ends:
    """Return known amounts for each of so many pieces."""
    whole = np.repeat(amount[:, None], count, axis=1)
    return Ends(whole.copy(), whole)
