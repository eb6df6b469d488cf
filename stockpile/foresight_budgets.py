"""Holdings of all materials under the budgets that join them, by the cuts of all (F12), (F16).

Each material is solved on its own first. Where that keeps the budgets, nothing is left to do. Else
one linear program has the cuts of all materials and the budgets; its solution is tried, which
gives a further cut of every material. The solver only proposes, as in
:mod:`stockpile.foresight_search`: cost and bound are computed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from stockpile.certificate import ROUNDING
from stockpile.errors import CheckError
from stockpile.foresight_search import GAP, cut_bound, cut_model, useful
from stockpile.model.foresight_arrays import MILLION, under_budgets
from stockpile.model.linear import solve_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.foresight_recourse import Recourse, Response
    from stockpile.foresight_search import Optimum
    from stockpile.model.foresight_data import ForesightBudgets, ForesightData
    from stockpile.model.linear import LinearModel

MOST_ROUNDS = 300
"""Rounds after which the search ends in any case; cost and bound stand even so."""


@dataclass(frozen=True, slots=True)
class JointOptimum:
    """What a search over all materials has found and proved.

    Attributes
    ----------
    holdings
        By material (C,) [t]; nan where no holdings keep within the limits.
    costs
        By material: of the holdings and the recourse to them (F1) [USD/year].
    bound
        Proven lower limit on the sum of the costs [USD/year]; infinite where no holdings keep
        within the limits.
    bounds
        The same by material; nan where budgets bind, because there is one for all then.
    cuts
        By material: number of cuts made.
    """

    holdings: tuple[NDArray[np.float64], ...]
    costs: tuple[float, ...]
    bound: float
    bounds: tuple[float, ...]
    cuts: tuple[int, ...]

    @property
    def cost(self) -> float:
        """Return the cost of all materials [USD/year]."""
        return float(sum(self.costs))


@dataclass(frozen=True, slots=True)
class _Prices:
    """Duals of the cuts and pools, by material, and of the budgets [USD/year per USD]."""

    cuts: tuple[NDArray[np.float64], ...]
    pools: tuple[NDArray[np.float64], ...]
    budgets: NDArray[np.float64]


def minimise_within(
    recourses: Sequence[Recourse],
    alone: Sequence[Optimum],
    budgets: ForesightBudgets,
    start: Sequence[NDArray[np.float64]] | None = None,
) -> JointOptimum:
    """Find holdings of least cost for all materials within the budgets.

    Parameters
    ----------
    alone
        Each material solved on its own.
    start
        By material (C,) [t]: holdings within the budgets, which the result is never worse than.
    """
    materials = [useful(recourse.data) for recourse in recourses]
    holdings = [found.holding for found in alone]
    feasible = all(data.feasible for data in materials)
    if not feasible or (budgets.outlay(materials, holdings) <= budgets.most).all():
        return apart(alone)
    cuts = [list(found.cuts) for found in alone]
    best: JointOptimum | None = None
    bound = -np.inf
    trial = start
    for _ in range(MOST_ROUNDS):
        if trial is not None:
            for recourse, of_material, holding in zip(recourses, cuts, trial, strict=True):
                of_material.append(recourse.respond(holding))
            found = _judged(materials, trial, cuts)
            best = found if best is None or found.cost < best.cost else best
        trial, prices = _best_under_cuts(materials, cuts, budgets)
        if trial is None:
            return _nothing(materials, cuts)
        proved, rounding = budget_bound(materials, cuts, budgets, prices)
        bound = max(bound, proved)
        if best is not None and best.cost - bound <= max(GAP * best.cost, 2.0 * rounding):
            break
    assert best is not None
    # Holdings that exceed a budget by rounding may cost less than any within it, by rounding.
    return replace(best, bound=min(bound, best.cost), cuts=tuple(len(c) for c in cuts))


def budget_bound(
    materials: Sequence[ForesightData],
    cuts: Sequence[Sequence[Response]],
    budgets: ForesightBudgets,
    prices: _Prices,
) -> tuple[float, float]:
    """Return a lower bound of the least cost of all materials (F12), (F16) [USD/year].

    At prices of the budgets, each material pays for what it buys and is bounded on its own. It
    holds for all prices, so whatever a solver has said. It is lowered by an allowance for
    rounding, which is returned as well.
    """
    budget_price = np.maximum(prices.budgets, 0.0)
    charge = budget_price @ budgets.member
    paid = float(budget_price @ budgets.most)
    bound, rounding = -paid - ROUNDING * paid, ROUNDING * paid
    for data, of_material, price, pool_price in zip(
        materials, cuts, prices.cuts, prices.pools, strict=True
    ):
        proved, allowance = cut_bound(data, of_material, price, pool_price, charge * data.price)
        bound, rounding = bound + proved, rounding + allowance
    return bound, rounding


def apart(alone: Sequence[Optimum]) -> JointOptimum:
    """Return materials that no budget joins."""
    return JointOptimum(
        holdings=tuple(found.holding for found in alone),
        costs=tuple(found.cost for found in alone),
        bound=float(sum(found.bound for found in alone)),
        bounds=tuple(found.bound for found in alone),
        cuts=tuple(len(found.cuts) for found in alone),
    )


def _nothing(
    materials: Sequence[ForesightData], cuts: Sequence[Sequence[Response]]
) -> JointOptimum:
    """Say that the budgets do not suffice for what promises require."""
    number = len(materials)
    return JointOptimum(
        holdings=tuple(np.full(data.lower.size, np.nan) for data in materials),
        costs=(np.inf,) * number,
        bound=np.inf,
        bounds=(np.inf,) * number,
        cuts=tuple(len(of_material) for of_material in cuts),
    )


def _judged(
    materials: Sequence[ForesightData],
    holdings: Sequence[NDArray[np.float64]],
    cuts: Sequence[Sequence[Response]],
) -> JointOptimum:
    """Work out what holdings cost; the last cut of each material was made there."""
    return JointOptimum(
        holdings=tuple(holdings),
        costs=tuple(
            data.holdings_cost(holding) + data.per_year * of_material[-1].cost
            for data, holding, of_material in zip(materials, holdings, cuts, strict=True)
        ),
        bound=-np.inf,
        bounds=(np.nan,) * len(materials),
        cuts=(),
    )


def _best_under_cuts(
    materials: Sequence[ForesightData],
    cuts: Sequence[Sequence[Response]],
    budgets: ForesightBudgets,
) -> tuple[list[NDArray[np.float64]] | None, _Prices]:
    """Return the holdings of least cost under all cuts and budgets, and the prices of these.

    None instead of holdings where it is proved that there are none.
    """
    models = [
        cut_model(data, of_material) for data, of_material in zip(materials, cuts, strict=True)
    ]
    solution = solve_linear(under_budgets(models, materials, budgets))
    if solution.status == "infeasible":
        return None, _too_little(materials, budgets)
    if solution.status != "optimal" or not solution.row_duals.size:
        raise CheckError(f"no optimum under the cuts and budgets: {solution.status}")
    holdings, first = [], 0
    for data, model in zip(materials, models, strict=True):
        held = solution.values[first : first + data.lower.size]
        holdings.append(np.clip(held, data.lower, data.upper))
        first += model.cost.size
    return holdings, _prices(solution.row_duals, materials, cuts, budgets)


def _too_little(materials: Sequence[ForesightData], budgets: ForesightBudgets) -> _Prices:
    """Prove that the budgets do not suffice, by the least that they have to be exceeded by.

    Raises
    ------
    CheckError
        If they do suffice, although the solver has said otherwise.
    """
    free = [replace(data, holding_cost=np.zeros_like(data.holding_cost)) for data in materials]
    no_cuts: list[list[Response]] = [[] for _ in materials]
    models = [cut_model(data, []) for data in free]
    solution = solve_linear(_elastic(under_budgets(models, free, budgets), len(budgets.names)))
    # Without cuts nothing is known of the recourse but that it is not negative.
    prices = replace(
        _prices(solution.row_duals, free, no_cuts, budgets),
        cuts=tuple(np.ones(1) for _ in materials),
    )
    excess, rounding = budget_bound(free, no_cuts, budgets, prices)
    if solution.status != "optimal" or excess <= rounding:
        raise CheckError(f"the budgets seem too small, but by no more than {excess!r} USD")
    return prices


def _elastic(model: LinearModel, number: int) -> LinearModel:
    """Let the last rows, the budgets, be exceeded, and let nothing cost but that."""
    m, n = model.matrix.shape
    rows, columns = np.arange(m - number, m), np.arange(number)
    excess = coo_array((-np.ones(number), (rows, columns)), shape=(m, number))
    return replace(
        model,
        cost=np.concatenate([np.zeros(n), np.full(number, MILLION)]),
        lower=np.concatenate([model.lower, np.zeros(number)]),
        upper=np.concatenate([model.upper, np.full(number, np.inf)]),
        integer=np.zeros(n + number, dtype=np.bool_),
        matrix=csr_array(hstack([model.matrix, excess])),
    )


def _prices(
    duals: NDArray[np.float64],
    materials: Sequence[ForesightData],
    cuts: Sequence[Sequence[Response]],
    budgets: ForesightBudgets,
) -> _Prices:
    """Sort the duals of rows: cuts and pools of each material, purchases, budgets."""
    of_cuts, of_pools, first = [], [], 0
    for data, of_material in zip(materials, cuts, strict=True):
        pool = first + 1 + len(of_material)
        of_cuts.append(duals[first:pool])
        first = pool + data.pooled.size
        of_pools.append(duals[pool:first])
    # Rows of budgets are in million USD, and more budget never costs more.
    return _Prices(tuple(of_cuts), tuple(of_pools), -duals[-len(budgets.names) :] / MILLION)
