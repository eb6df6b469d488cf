"""Least cost of holdings under cuts (F12): a small program with a row for each holding.

Its dual has one row more than there are stocks, however many cuts there are, and a cut that is
added is one more column. So the simplex method is run on the dual, from where it ended before. It
only proposes: what is reported is worked out from the cuts themselves (:func:`weak_bound`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.certificate import ROUNDING
from stockpile.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 1e-12
"""What a column must promise, relative to all costs, to be looked at."""
OUTSIDE = 1e-11
"""What a holding may lie outside its limits, relative to their distance, before it is cut off."""
PIVOT = 1e-11
"""Entries of a column below this, relative to its largest, are rounding."""
CAREFUL_AFTER = 200
"""Steps after which columns are taken by Bland's rule, which never runs in circles."""
MOST_STEPS = 5000


class HoldingArrays(NamedTuple):
    """Limits and costs of holdings, as in :class:`stockpile.model.foresight_data.ForesightData`.

    Attributes
    ----------
    cost
        (C,) of holding a tonne [USD/(t year)].
    lower, existing, upper
        (C,) [t].
    pool, pooled
        (R, C) 0 or 1, and (R,) [t].
    per_year
        Turns a cost over the horizon into a cost per year.
    """

    cost: NDArray[np.float64]
    lower: NDArray[np.float64]
    existing: NDArray[np.float64]
    upper: NDArray[np.float64]
    pool: NDArray[np.float64]
    pooled: NDArray[np.float64]
    per_year: float


class CutArrays(NamedTuple):
    """Cuts ``constant + slope @ h`` [USD]: (K,) and (K, C), with room for more."""

    constant: NDArray[np.float64]
    slope: NDArray[np.float64]


@compiled
def weak_bound(cuts, count, holdings, charge, weight, pool_price):
    """Return a lower bound of the least cost by weak duality (F12), and an allowance [USD/year].

    The allowance for rounding is taken off already.

    Parameters
    ----------
    count
        Number of cuts.
    charge
        (C,) what is charged on top for a tonne that is bought [USD/(t year)].
    weight
        (1 + K,) weights of zero cost, and of each cut; at least one is positive.
    pool_price
        (R,) price of each pooled promise [USD/(t year)].
    """
    all_weight = 0.0
    for k in range(count + 1):
        all_weight += max(weight[k], 0.0)
    bound = 0.0
    size = 0.0
    for k in range(count):
        of_cut = holdings.per_year * max(weight[k + 1], 0.0) / all_weight
        bound += of_cut * cuts.constant[k]
        size += of_cut * abs(cuts.constant[k])
    for r in range(pool_price.size):
        bound += max(pool_price[r], 0.0) * holdings.pooled[r]
    for c in range(holdings.cost.size):
        unit_cost = holdings.cost[c]
        unit_size = holdings.cost[c] + charge[c]
        for k in range(count):
            of_cut = holdings.per_year * max(weight[k + 1], 0.0) / all_weight
            unit_cost += of_cut * cuts.slope[k, c]
            unit_size += of_cut * abs(cuts.slope[k, c])
        for r in range(pool_price.size):
            unit_cost -= max(pool_price[r], 0.0) * holdings.pool[r, c]
            unit_size += max(pool_price[r], 0.0) * holdings.pool[r, c]
        # The charge sets in at what exists, so the least is there or at a limit.
        lower, upper = holdings.lower[c], holdings.upper[c]
        free = min(max(holdings.existing[c], lower), upper)
        at_lower = unit_cost * lower + charge[c] * max(0.0, lower - holdings.existing[c])
        at_free = unit_cost * free + charge[c] * max(0.0, free - holdings.existing[c])
        at_upper = unit_cost * upper + charge[c] * max(0.0, upper - holdings.existing[c])
        bound += min(at_lower, min(at_free, at_upper))
        size += unit_size * upper  # Differences lose digits of what they are made of.
    rounding = ROUNDING * size
    return bound - rounding, rounding


# Columns of the dual, by number: C slacks of the holdings' rows, C upper limits, R pools, zero
# cost, and the cuts.


@compiled
def _pool_width(r, holdings):
    """Return the tonnes between all lower and all upper limits of a pool; 1 where they are one."""
    width = 0.0
    for c in range(holdings.cost.size):
        width += holdings.pool[r, c] * (holdings.upper[c] - holdings.lower[c])
    return width if width > 0.0 else 1.0


@compiled
def _money(cuts, count, holdings):
    """Return the size of the money that the program is about [USD/year]."""
    money = 0.0
    for c in range(holdings.cost.size):
        width = holdings.upper[c] - holdings.lower[c]
        money = max(money, holdings.cost[c] * width)
        for k in range(count):
            money = max(money, holdings.per_year * abs(cuts.slope[k, c]) * width)
    for k in range(count):
        money = max(money, holdings.per_year * abs(cuts.constant[k]))
    return money if money > 0.0 else 1.0


@compiled
def _column(number, cuts, holdings, money, column):
    """Write a column; return what it adds to the dual's objective.

    All in units of ``money`` [USD/year], of the width of each holding, and of that of each pool:
    so sizes can be compared.
    """
    C, R = holdings.cost.size, holdings.pooled.size
    column[:] = 0.0
    if number < C:
        column[1 + number] = 1.0
        return 0.0
    if number < 2 * C:
        column[1 + number - C] = -1.0
        return -1.0
    if number < 2 * C + R:
        r = number - 2 * C
        value = holdings.pooled[r]
        width = _pool_width(r, holdings)
        for c in range(C):
            column[1 + c] = holdings.pool[r, c] * (holdings.upper[c] - holdings.lower[c]) / width
            value -= holdings.pool[r, c] * holdings.lower[c]
        return value / width
    column[0] = 1.0
    k = number - 2 * C - R - 1
    if k < 0:
        return 0.0
    value = cuts.constant[k]
    for c in range(C):
        width = holdings.upper[c] - holdings.lower[c]
        column[1 + c] = -holdings.per_year * cuts.slope[k, c] * width / money
        value += cuts.slope[k, c] * holdings.lower[c]
    return holdings.per_year * value / money


@compiled
def _solve(matrix, right, transposed):
    """Solve a small system by elimination, largest entry first; False if it is singular."""
    m = right.size
    work = np.empty((m, m + 1))
    for i in range(m):
        for j in range(m):
            work[i, j] = matrix[j, i] if transposed else matrix[i, j]
        work[i, m] = right[i]
    for j in range(m):
        best = j
        for i in range(j + 1, m):
            if abs(work[i, j]) > abs(work[best, j]):
                best = i
        if work[best, j] == 0.0:
            return False
        for n in range(j, m + 1):
            work[j, n], work[best, n] = work[best, n], work[j, n]
        for i in range(j + 1, m):
            factor = work[i, j] / work[j, j]
            for n in range(j, m + 1):
                work[i, n] -= factor * work[j, n]
    for i in range(m - 1, -1, -1):
        value = work[i, m]
        for j in range(i + 1, m):
            value -= work[i, j] * right[j]
        right[i] = value / work[i, i]
    return True


@compiled
def _begin(basis, holdings):
    """Take zero cost and the slacks of the holdings' rows, which always is a solution."""
    C, R = holdings.cost.size, holdings.pooled.size
    basis[0] = 2 * C + R
    for c in range(C):
        basis[1 + c] = c


@compiled
def best_under_cuts(cuts, count, holdings, basis, holding, weight, pool_price):
    """Find the holdings of least cost under cuts.

    Parameters
    ----------
    count
        Number of cuts.
    basis
        (1 + C,) columns of the dual from which to begin, and where it has ended; -1 for none.
    holding, weight, pool_price
        (C,) [t], (1 + K,) and (R,), where the holdings and the duals are written.

    Returns
    -------
    Whether an optimum was reached, as far as floating point can tell. What is written can be used
    in any case.
    """
    C, R = holdings.cost.size, holdings.pooled.size
    m, columns = C + 1, 2 * C + R + 1 + count
    matrix, column, right = np.empty((m, m)), np.empty(m), np.empty(m)
    value, price, entering = np.empty(m), np.empty(m), np.empty(m)
    right[0] = 1.0
    money = _money(cuts, count, holdings)
    for c in range(C):
        right[1 + c] = holdings.cost[c] * (holdings.upper[c] - holdings.lower[c]) / money
    if basis[0] < 0:
        _begin(basis, holdings)
    optimal = False
    restarted = False
    for step in range(MOST_STEPS):
        for i in range(m):
            price[i] = _column(basis[i], cuts, holdings, money, column)
            for n in range(m):
                matrix[n, i] = column[n]
        value[:] = right
        sound = _solve(matrix, value, False) and _solve(matrix, price, True)
        if not sound or value.min() < -1e-7 * max(1.0, value.max()):
            if restarted:
                break
            _begin(basis, holdings)  # Rounding has spoilt it.
            restarted = True
            continue
        best, enters = 0.0, -1
        for number in range(columns):
            inside = False
            for i in range(m):
                inside = inside or basis[i] == number
            if inside:
                continue
            gain = _column(number, cuts, holdings, money, column)
            size = abs(gain)
            for n in range(m):
                gain -= price[n] * column[n]
                size = max(size, abs(price[n] * column[n]))
            least = OUTSIDE if number < 2 * C else SMALL * max(1.0, size)
            if gain > least and (gain / max(size, least) > best or step > CAREFUL_AFTER):
                best, enters = gain / max(size, least), number
                if step > CAREFUL_AFTER:
                    break
        if enters < 0:
            optimal = True
            break
        _column(enters, cuts, holdings, money, entering)
        if not _solve(matrix, entering, False):
            break
        largest = 0.0
        for i in range(m):
            largest = max(largest, abs(entering[i]))
        leaves, ratio = -1, np.inf
        for i in range(m):
            if entering[i] > PIVOT * largest:
                of_row = max(value[i], 0.0) / entering[i]
                if of_row < ratio or (of_row == ratio and basis[i] < basis[leaves]):
                    leaves, ratio = i, of_row
        if leaves < 0:
            break  # No holdings keep within the pools.
        basis[leaves] = enters
    for c in range(C):
        z = min(max(price[1 + c], 0.0), 1.0)
        holding[c] = min(
            holdings.lower[c] + z * (holdings.upper[c] - holdings.lower[c]), holdings.upper[c]
        )
    weight[: count + 1] = 0.0
    pool_price[:] = 0.0
    for i in range(m):
        number = basis[i] - 2 * C
        if number >= R:
            weight[number - R] = max(value[i], 0.0)
        elif number >= 0:
            pool_price[number] = max(value[i], 0.0) * money / _pool_width(number, holdings)
    if not weight[: count + 1].any():
        weight[0] = 1.0
    return optimal
