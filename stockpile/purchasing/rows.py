"""A buying calendar as a mixed-integer program, in plain units.

Variables, in this order: lots bought of each stock and quarter; tonnes bought at each step of the
price; which step a material's price has reached in a quarter; lots disposed of; whether a store is
open; weights of an exposure's levels; and one that is 1, for what all lots count that are never
bought. All but the tonnes, the weights and the last are whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from stockpile.model.linear import LinearModel
from stockpile.purchasing.settings import QUARTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from stockpile.purchasing.data import ScheduleData


@dataclass(frozen=True, slots=True)
class Places:
    """Where variables stand.

    Attributes
    ----------
    bought
        (I, T).
    at_step
        By stock: (T, L), empty where the price does not rise.
    reached
        By material: (T, L), empty likewise.
    disposed
        (J, T).
    open_
        (W, T).
    weight
        By exposure: (T, G).
    one
        The last.
    """

    bought: NDArray[np.int64]
    at_step: tuple[NDArray[np.int64], ...]
    reached: tuple[NDArray[np.int64], ...]
    disposed: NDArray[np.int64]
    open_: NDArray[np.int64]
    weight: tuple[NDArray[np.int64], ...]
    one: int
    count: int


def places(data: ScheduleData) -> Places:
    """Return where the variables stand."""
    T, count = data.settings.quarters, 0

    def take(*shape: int) -> NDArray[np.int64]:
        nonlocal count
        numbers = count + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        count += numbers.size
        return numbers

    bought = take(data.lots.size, T)
    sizes = [0 if steps is None else steps.most.size for steps in data.steps]
    at_step = tuple(take(T, sizes[m]) for m in data.material)
    reached = tuple(take(T, size) for size in sizes)
    disposed = take(data.excess_lots.size, T)
    open_ = take(len(data.couplings.facilities.names), T)
    weight = tuple(take(T, exposure.cost.size) for exposure in data.exposures)
    one = int(take(1)[0])
    return Places(bought, at_step, reached, disposed, open_, weight, one, count)


@dataclass
class _Rows:
    """Rows that are being written."""

    row: list[NDArray[np.int64]] = field(default_factory=lambda: [np.empty(0, np.int64)])
    column: list[NDArray[np.int64]] = field(default_factory=lambda: [np.empty(0, np.int64)])
    value: list[NDArray[np.float64]] = field(default_factory=lambda: [np.empty(0)])
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def add(
        self,
        terms: Iterable[tuple[NDArray[np.int64], float | NDArray[np.float64]]],
        lower: float,
        upper: float,
    ) -> None:
        """Write a row: sums of variables times values."""
        for numbers, values in terms:
            flat = numbers.reshape(-1)
            self.row.append(np.full(flat.size, len(self.lower), dtype=np.int64))
            self.column.append(flat)
            self.value.append(np.broadcast_to(np.asarray(values, np.float64), flat.shape))
        self.lower.append(lower)
        self.upper.append(upper)


def schedule_model(data: ScheduleData) -> tuple[LinearModel, Places]:
    """Return the model of a calendar, and where its variables stand."""
    at = places(data)
    rows = _Rows()
    _add_purchases(rows, data, at)
    _add_prices(rows, data, at)
    _add_yearly_limits(rows, data, at)
    _add_budgets(rows, data, at)
    _add_exposures(rows, data, at)
    _add_stores(rows, data, at)
    lower, upper = np.zeros(at.count), np.ones(at.count)
    for i, lots in enumerate(data.lots):
        upper[at.bought[i]] = lots
        upper[at.at_step[i]] = lots * data.lot[i]
    upper[at.disposed] = data.excess_lots[:, None]
    existing = data.couplings.facilities.existing
    lower[at.open_] = existing[:, None]
    lower[at.one] = 1.0
    integer = np.zeros(at.count, dtype=np.bool_)
    for numbers in (at.bought, at.disposed, at.open_, *at.reached):
        integer[numbers] = True
    entries = (np.concatenate(rows.value), (np.concatenate(rows.row), np.concatenate(rows.column)))
    matrix = coo_array(entries, shape=(len(rows.lower), at.count)).tocsr()
    return (
        LinearModel(
            _objective(data, at),
            lower,
            upper,
            integer,
            matrix,
            np.array(rows.lower),
            np.array(rows.upper),
        ),
        at,
    )


def _objective(data: ScheduleData, at: Places) -> NDArray[np.float64]:
    """Return what each variable costs, at its worth at the beginning [USD]."""
    cost = np.zeros(at.count)
    stores = data.couplings.facilities
    # What is missed: of all lots, less those that are bought.
    cost[at.one] = data.missed @ data.lots
    cost[at.bought] = -data.missed[:, None]
    for t in range(data.settings.quarters):
        for i, (c, m) in enumerate(zip(data.participant, data.material, strict=True)):
            worth, steps = data.worth(int(c), t), data.steps[m]
            if steps is None:
                cost[at.bought[i, t]] += worth * data.price[m] * data.lot[i]
            else:
                cost[at.at_step[i][t]] = worth * steps.price
        for j, (c, m) in enumerate(zip(data.excess_participant, data.excess_material, strict=True)):
            cost[at.disposed[j, t]] = -data.worth(int(c), t) * data.price[m] * data.excess_lot[j]
        cost[at.open_[:, t]] = data.worth_to_all(t) / QUARTERS * stores.fixed_cost
        for numbers, exposure in zip(at.weight, data.exposures, strict=True):
            cost[numbers[t]] = data.exposure_years(t) * exposure.cost
    return cost


def _add_purchases(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Buy no more than is lacking, all that is due in time; dispose of no more than is too much."""
    for i, lots in enumerate(data.lots):
        rows.add([(at.bought[i], 1.0)], 0.0, float(lots))
        if data.due[i]:
            rows.add([(at.bought[i, : data.due[i]], 1.0)], float(lots), np.inf)
    for j, lots in enumerate(data.excess_lots):
        rows.add([(at.disposed[j], 1.0)], 0.0, float(lots))


def _add_prices(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Everybody pays the price of the step that all purchases of a quarter reach."""
    for m, steps in enumerate(data.steps):
        stocks = np.flatnonzero(data.material == m)
        if steps is None:
            continue
        for t in range(data.settings.quarters):
            for i in stocks:
                rows.add([(at.at_step[i][t], 1.0), (at.bought[i, [t]], -data.lot[i])], 0.0, 0.0)
            for step, most in enumerate(steps.most):
                bought = np.array([at.at_step[i][t, step] for i in stocks])
                rows.add([(bought, 1.0), (at.reached[m][t, [step]], -most)], -np.inf, 0.0)
            rows.add([(at.reached[m][t], 1.0)], 0.0, 1.0)


def _years(data: ScheduleData) -> list[NDArray[np.int64]]:
    """Return the quarters of each calendar year."""
    return list(np.arange(data.settings.quarters).reshape(-1, QUARTERS))


def _add_yearly_limits(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Buy and dispose of no more in a year than a share of world supply."""
    for m, most in enumerate(data.most_yearly):
        if not np.isfinite(most):
            continue
        for year in _years(data):
            for numbers, of, lot in (
                (at.bought, data.material, data.lot),
                (at.disposed, data.excess_material, data.excess_lot),
            ):
                stocks = np.flatnonzero(of == m)
                if stocks.size:
                    terms = [(numbers[i, year], lot[i]) for i in stocks]
                    rows.add(terms, -np.inf, float(most))


def _add_budgets(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Pay no more in the quarters of a fiscal year than its budget, or its part of it."""
    for part in data.budget_years():
        if not np.isfinite(part.budget):
            continue
        terms: list[tuple[NDArray[np.int64], float | NDArray[np.float64]]] = []
        for i in np.flatnonzero(part.stocks):
            m = int(data.material[i])
            steps = data.steps[m]
            if steps is None:
                terms.append((at.bought[i, part.quarters], data.price[m] * data.lot[i]))
            else:
                terms += [(at.at_step[i][t], steps.price) for t in part.quarters]
        if terms:
            rows.add(terms, -np.inf, part.budget)


def _add_exposures(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Keep levels at most at the part of each material's lack that has been bought."""
    for exposure, numbers in zip(data.exposures, at.weight, strict=True):
        materials = data.materials_of[exposure.block]
        for t in range(data.settings.quarters):
            rows.add([(numbers[t], 1.0)], 1.0, 1.0)
            for place, c in enumerate(exposure.buyers):
                for i in np.flatnonzero(
                    (data.participant == c) & np.isin(data.material, materials)
                ):
                    part = data.lot[i] / data.lacking[i]
                    rows.add(
                        [(at.bought[i, : t + 1], part), (numbers[t], -exposure.level[:, place])],
                        0.0,
                        np.inf,
                    )


def _add_stores(rows: _Rows, data: ScheduleData, at: Places) -> None:
    """Store no more than there is room for in open stores, which stay open."""
    limits, stores = data.couplings, data.couplings.facilities
    T = data.settings.quarters
    for w in range(len(stores.names)):
        for t in range(1, T):
            rows.add([(at.open_[w, [t]], 1.0), (at.open_[w, [t - 1]], -1.0)], 0.0, np.inf)
    for c in [-1] if limits.pooled else range(limits.limited.size):
        if not limits.limited[c]:
            continue
        everybody = c < 0
        for kind in range(len(limits.kinds)):
            here = (stores.kind == kind) & (everybody | (stores.participant == c))
            kept = float(data.stored[:, kind].sum() if everybody else data.stored[c, kind])
            mine = np.flatnonzero(
                (limits.kind_of[data.material] == kind) & (everybody | (data.participant == c))
            )
            gone = np.flatnonzero(
                (limits.kind_of[data.excess_material] == kind)
                & (everybody | (data.excess_participant == c))
            )
            if not mine.size:
                continue
            excess = float((data.excess_lots * data.excess_lot)[gone].sum())
            # What is there already may stay where it is; only nothing may be added to it.
            before = min(kept + excess, float(stores.capacity[here].sum()))
            for t in range(T):
                terms: list[tuple[NDArray[np.int64], float | NDArray[np.float64]]] = [
                    (at.bought[i, : t + 1], data.lot[i]) for i in mine
                ]
                terms += [(at.disposed[j, : t + 1], -data.excess_lot[j]) for j in gone]
                terms.append((at.open_[here, t], -stores.capacity[here]))
                rows.add(terms, -np.inf, -before)
