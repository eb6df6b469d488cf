"""Holdings of least cost under perfect foresight, by cuts (the L-shaped method), with a bound.

Van Slyke and Wets (1969). The expected recourse is convex and piecewise linear in the holdings.
Each choice of holdings that is tried gives a cut (F8) below it; the least cost under all cuts so
far (F12) is a small linear program, whose solution is tried next. That only proposes: cost and
bound are worked out from the recourse and from the cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from stockpile.errors import CheckError
from stockpile.kernels.cut_program import CutArrays, HoldingArrays, best_under_cuts, weak_bound
from stockpile.model.linear import LinearModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.foresight_recourse import Recourse, Response
    from stockpile.model.foresight_data import ForesightData

GAP = 1e-9
"""Relative gap at which the search ends."""
MOST_CUTS = 500
"""Cuts after which it ends in any case; cost and bound stand even so."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """What a search has found and proved.

    Attributes
    ----------
    holding
        (C,) [t]; nan where no holdings keep within the limits.
    cost
        Of the holdings and the recourse to them (F1) [USD/year]; infinite without any.
    bound
        Proven lower limit on it [USD/year].
    cuts
        Those made on the way. They are below the recourse everywhere, so they stay valid.
    """

    holding: NDArray[np.float64]
    cost: float
    bound: float
    cuts: tuple[Response, ...]


def minimise(recourse: Recourse, start: NDArray[np.float64] | None = None) -> Optimum:
    """Find holdings of least cost, beginning with a first choice (C,) [t] within the limits.

    The result is never worse than the first choice, by default the cheapest to hold.
    """
    data = useful(recourse.data)
    if not data.feasible:
        return Optimum(np.full(data.lower.size, np.nan), np.inf, np.inf, ())
    program = CutProgram(data)
    holding = program.best().holding if start is None else start
    cuts: list[Response] = []
    best, best_cost, bound = holding, np.inf, -np.inf
    while len(cuts) < MOST_CUTS:
        cuts.append(recourse.respond(holding))
        cost = data.holdings_cost(holding) + data.per_year * cuts[-1].cost
        if cost < best_cost:
            best, best_cost = holding, cost
        program.add(cuts[-1])
        proposed = program.best()
        bound = max(bound, proposed.bound)
        # Where nothing costs anything, no relative gap is small enough.
        if best_cost - bound <= max(GAP * best_cost, 2.0 * proposed.rounding):
            break
        holding = proposed.holding
    return Optimum(best, best_cost, bound, tuple(cuts))


def useful(data: ForesightData) -> ForesightData:
    """Lower the upper limits of holdings to what can be of use; the least cost stays the same.

    Nobody needs more than all needs of one scenario, or all of a pooled promise. Limits that are
    far beyond would only cost digits.
    """
    most = max(data.need.sum(axis=1).max(initial=0.0), data.pooled.max(initial=0.0))
    return replace(data, upper=np.minimum(data.upper, np.maximum(data.lower, most)))


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the cuts so far say.

    Attributes
    ----------
    holding
        (C,) the holdings of least cost under the cuts [t], tried next.
    bound, rounding
        Proven lower limit on the cost of all holdings, and the allowance for rounding that has
        been taken off it [USD/year].
    """

    holding: NDArray[np.float64]
    bound: float
    rounding: float


class CutProgram:
    """The least cost of holdings under cuts, one after the other."""

    def __init__(self, data: ForesightData) -> None:
        C, R = data.lower.size, data.pooled.size
        self._data = data
        self._count = 0
        self._cuts = CutArrays(np.empty(MOST_CUTS), np.empty((MOST_CUTS, C)))
        self._holdings = _holding_arrays(data)
        self._basis = np.full(1 + C, -1)
        self._weight, self._pool_price = np.empty(1 + MOST_CUTS), np.empty(R)
        self._charge = np.zeros(C)

    def add(self, cut: Response) -> None:
        """Take in one more cut."""
        self._cuts.constant[self._count] = cut.constant
        self._cuts.slope[self._count] = cut.slope
        self._count += 1

    def best(self) -> Proposed:
        """Return the holdings of least cost under the cuts, and what the cuts prove.

        The bound is worked out from the cuts by weak duality, so it holds whatever the holdings.

        Raises
        ------
        CheckError
            If the least cost under the cuts is not found: a bug, never the user's mistake.
        """
        holding = np.empty(self._charge.size)
        found = best_under_cuts(
            self._cuts,
            self._count,
            self._holdings,
            self._basis,
            holding,
            self._weight,
            self._pool_price,
        )
        if not found:
            raise CheckError(f"{self._data.material}: no optimum under {self._count} cuts")
        bound, rounding = weak_bound(
            self._cuts, self._count, self._holdings, self._charge, self._weight, self._pool_price
        )
        return Proposed(holding, bound, rounding)


def _holding_arrays(data: ForesightData) -> HoldingArrays:
    return HoldingArrays(
        data.holding_cost,
        data.lower,
        data.existing,
        data.upper,
        data.pool.astype(np.float64),
        data.pooled,
        float(data.per_year),
    )


def cut_model(data: ForesightData, cuts: Sequence[Response]) -> LinearModel:
    """Return the least cost of holdings under all cuts as a linear program.

    Columns: the holdings, and the recourse. Rows: zero, below which no recourse is, and each cut;
    then the pooled promises.
    """
    stocks, pools = data.holding_cost.size, data.pooled.size
    slope = np.array([np.zeros(stocks), *(cut.slope for cut in cuts)])
    constant = np.array([0.0, *(cut.constant for cut in cuts)])
    rows = np.concatenate(
        [
            np.append(-slope, np.ones((constant.size, 1)), axis=1),
            np.append(data.pool.astype(np.float64), np.zeros((pools, 1)), axis=1),
        ]
    )
    return LinearModel(
        cost=np.append(data.holding_cost, data.per_year),
        lower=np.append(data.lower, -np.inf),
        upper=np.append(data.upper, np.inf),
        integer=np.zeros(stocks + 1, dtype=np.bool_),
        matrix=csr_array(rows),
        row_lower=np.concatenate([constant, data.pooled]),
        row_upper=np.full(rows.shape[0], np.inf),
    )


def cut_bound(
    data: ForesightData,
    cuts: Sequence[Response],
    price: NDArray[np.float64],
    pool_price: NDArray[np.float64],
    purchase_price: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Return a lower bound of the least cost from cuts, by weak duality (F12) [USD/year].

    It holds for all weights of the cuts and all prices of the pools, so whatever a solver has
    said; the better they are, the closer it is. It is lowered by an allowance for rounding, which
    is returned as well.

    Parameters
    ----------
    price
        (1 + cuts,) weight of zero cost, and of each cut.
    pool_price
        (R,) price of each pooled promise [USD/(t year)].
    purchase_price
        (C,) what is charged on top for a tonne that is bought [USD/(t year)]; default nothing.
    """
    slope = np.array([cut.slope for cut in cuts]).reshape(len(cuts), data.lower.size)
    constant = np.array([cut.constant for cut in cuts], dtype=np.float64)
    charge = np.zeros(data.lower.size) if purchase_price is None else purchase_price
    bound, rounding = weak_bound(
        CutArrays(constant, slope), len(cuts), _holding_arrays(data), charge, price, pool_price
    )
    return float(bound), float(rounding)
