"""Holdings of least cost under perfect foresight, by cuts (the L-shaped method), with a bound.

Van Slyke and Wets (1969). The expected recourse is convex and piecewise linear in the holdings.
Each choice of holdings that is tried gives a cut (F8) below it; the least cost under all cuts so
far (F12) is a small linear program, whose solution is tried next. The solver only proposes: cost
and bound are computed here, from the recourse and from the cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from stockpile.boxsearch import ROUNDING
from stockpile.errors import CheckError
from stockpile.model.linear import GrowingProgram, LinearModel, LinearSolution, solve_linear

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
    holding = _cheapest(data) if start is None else start
    cuts: list[Response] = []
    best, best_cost, bound = holding, np.inf, -np.inf
    program: CutProgram | None = None
    while len(cuts) < MOST_CUTS:
        cuts.append(recourse.respond(holding))
        cost = data.holdings_cost(holding) + data.per_year * cuts[-1].cost
        if cost < best_cost:
            best, best_cost = holding, cost
        if program is None:
            program = CutProgram(data, cuts[0])
        else:
            program.add(cuts[-1])
        holding, price, pool_price = program.best()
        proved, rounding = cut_bound(data, cuts, price, pool_price)
        bound = max(bound, proved)
        # Where nothing costs anything, no relative gap is small enough.
        if best_cost - bound <= max(GAP * best_cost, 2.0 * rounding):
            break
    return Optimum(best, best_cost, bound, tuple(cuts))


def useful(data: ForesightData) -> ForesightData:
    """Lower the upper limits of holdings to what can be of use; the least cost stays the same.

    Nobody needs more than all needs of one scenario, or all of a pooled promise. Limits that are
    far beyond would only cost digits.
    """
    most = max(data.need.sum(axis=1).max(initial=0.0), data.pooled.max(initial=0.0))
    return replace(data, upper=np.minimum(data.upper, np.maximum(data.lower, most)))


def _cheapest(data: ForesightData) -> NDArray[np.float64]:
    """Return the holdings (C,) that are the cheapest to hold."""
    return _holding(data, solve_linear(cut_model(data, [])), 0)


def _holding(data: ForesightData, solution: LinearSolution, cuts: int) -> NDArray[np.float64]:
    if solution.status != "optimal" or not solution.row_duals.size:
        raise CheckError(f"{data.material}: no optimum under {cuts} cuts: {solution.status}")
    return np.clip(solution.values[: data.lower.size], data.lower, data.upper)


class CutProgram:
    """The least cost of holdings under cuts, one after the other, as a linear program."""

    def __init__(self, data: ForesightData, cut: Response) -> None:
        self._data = data
        self._cuts = 1
        self._program = GrowingProgram(cut_model(data, [cut]))

    def add(self, cut: Response) -> None:
        """Take in one more cut."""
        self._cuts += 1
        self._program.add_row(np.append(-cut.slope, 1.0), cut.constant)

    def best(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the holdings (C,) of least cost, and the duals of zero and cuts, and of pools."""
        solution = self._program.solve()
        holding = _holding(self._data, solution, self._cuts)
        duals = solution.row_duals
        last = 2 + self._data.pooled.size  # Zero and the first cut stand before the pools.
        return holding, np.concatenate([duals[:2], duals[last:]]), duals[2:last]


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
    weight = np.maximum(price, 0.0)
    weight *= data.per_year / weight.sum()
    pool_price = np.maximum(pool_price, 0.0)
    slope = np.array([cut.slope for cut in cuts]).reshape(len(cuts), data.lower.size)
    constant = np.array([cut.constant for cut in cuts])
    charge = np.zeros(data.lower.size) if purchase_price is None else purchase_price
    unit_cost = data.holding_cost + weight[1:] @ slope - pool_price @ data.pool
    # The charge sets in at what exists, so the least is there or at a limit.
    places = np.array([data.lower, np.clip(data.existing, data.lower, data.upper), data.upper])
    at_place = unit_cost * places + charge * np.maximum(0.0, places - data.existing)
    terms = [weight[1:] * constant, pool_price * data.pooled, at_place.min(axis=0)]
    # Differences lose digits of what they are made of.
    size = (
        weight[1:] @ abs(constant)
        + (data.holding_cost + weight[1:] @ abs(slope) + pool_price @ data.pool + charge)
        @ data.upper
    )
    rounding = ROUNDING * float(size)
    return float(sum(term.sum() for term in terms)) - rounding, rounding
