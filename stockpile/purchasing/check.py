"""A calendar recomputed from the data alone: what it pays and stores, and what it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.model.verify import within
from stockpile.purchasing.settings import QUARTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stockpile.purchasing.data import ScheduleData


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is done when.

    Attributes
    ----------
    bought
        (I, T) lots.
    disposed
        (J, T) lots.
    open_
        (W, T) whether a store is open.
    """

    bought: NDArray[np.int64]
    disposed: NDArray[np.int64]
    open_: NDArray[np.bool_]


def prices(data: ScheduleData, bought: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the price that every purchase pays, (I, T) [USD/t]."""
    found = np.repeat(data.price[data.material][:, None], bought.shape[1], axis=1)
    for m, steps in enumerate(data.steps):
        stocks = np.flatnonzero(data.material == m)
        if steps is None or not stocks.size:
            continue
        for t in range(bought.shape[1]):
            found[stocks, t] = steps.of(float(data.lot[stocks] @ bought[stocks, t]))
    return found


def payments(data: ScheduleData, bought: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is paid for each stock in each quarter, (I, T) [USD]."""
    paid: NDArray[np.float64] = prices(data, bought) * bought * data.lot[:, None]
    return paid


def money(data: ScheduleData, decisions: Decisions) -> float:
    """Return what is paid for stocks and stores less what is got, at its worth at the beginning."""
    paid = payments(data, decisions.bought)
    total = 0.0
    for t in range(data.settings.quarters):
        worth = np.array([data.worth(c, t) for c in range(len(data.participants))])
        total += float(worth[data.participant] @ paid[:, t])
        got = data.price[data.excess_material] * data.excess_lot * decisions.disposed[:, t]
        total -= float(worth[data.excess_participant] @ got)
        fixed = data.couplings.facilities.fixed_cost[decisions.open_[:, t]].sum()
        total += data.worth_to_all(t) * float(fixed) / QUARTERS
    return total


def missed_cost(data: ScheduleData, decisions: Decisions) -> float:
    """Return what lots that are never bought count [USD]."""
    return float(data.missed @ (data.lots - decisions.bought.sum(axis=1)))


def broken(data: ScheduleData, decisions: Decisions) -> Iterator[str]:
    """Say what a calendar breaks, in words; nothing where it keeps all limits."""
    bought, settings = decisions.bought, data.settings
    if (bought < 0).any() or (bought.sum(axis=1) > data.lots).any():
        yield "more is bought than is lacking"
    if (decisions.disposed < 0).any() or (decisions.disposed.sum(axis=1) > data.excess_lots).any():
        yield "more is disposed of than is too much"
    for i in np.flatnonzero(data.due):
        if bought[i, : data.due[i]].sum() < data.lots[i]:
            yield f"{_stock(data, int(i))} is not bought back in time"
    paid = payments(data, bought)
    for part in data.budget_years():
        spent = float(paid[part.stocks][:, part.quarters].sum())
        if not within(spent, part.budget):
            yield f"{part.who} pays {spent:,.0f} USD in fiscal {part.year}"
    for m, most in enumerate(data.most_yearly):
        for year in np.arange(settings.quarters).reshape(-1, QUARTERS):
            for number, of, lot in (
                (bought, data.material, data.lot),
                (decisions.disposed, data.excess_material, data.excess_lot),
            ):
                tonnes = float((lot[of == m] @ number[of == m][:, year]).sum())
                if not within(tonnes, float(most)):
                    yield f"{tonnes:,.6g} t of {data.materials[m]} in a year"
    yield from _full_stores(data, decisions)


def _full_stores(data: ScheduleData, decisions: Decisions) -> Iterator[str]:
    limits, stores = data.couplings, data.couplings.facilities
    if (np.diff(decisions.open_.astype(np.int64), axis=1) < 0).any():
        yield "a store is shut again"
    held = stored(data, decisions)
    for c in [-1] if limits.pooled else np.flatnonzero(limits.limited).tolist():
        if c < 0 and not limits.limited.any():
            continue
        for kind in range(len(limits.kinds)):
            here = (stores.kind == kind) & ((c < 0) | (stores.participant == c))
            for t in range(data.settings.quarters):
                room = float(stores.capacity[here & decisions.open_[:, t]].sum())
                tonnes = float(held[:, kind, t].sum() if c < 0 else held[c, kind, t])
                if tonnes > held_before(data, c, kind) and not within(tonnes, room):
                    yield f"{tonnes:,.6g} t stored where there is room for {room:,.6g} t"


def stored(data: ScheduleData, decisions: Decisions) -> NDArray[np.float64]:
    """Return what is stored by participant, kind and quarter, (C, kinds, T) [t]."""
    T, kind_of = data.settings.quarters, data.couplings.kind_of
    held = np.repeat(data.stored[:, :, None], T, axis=2)
    for i, (c, m) in enumerate(zip(data.participant, data.material, strict=True)):
        held[c, kind_of[m]] += data.lot[i] * decisions.bought[i].cumsum()
    for j, (c, m) in enumerate(zip(data.excess_participant, data.excess_material, strict=True)):
        left = data.excess_lots[j] - decisions.disposed[j].cumsum()
        held[c, kind_of[m]] += data.excess_lot[j] * left
    return held


def held_before(data: ScheduleData, c: int, kind: int) -> float:
    """Return what is stored before anything is bought [t]; of all where c is -1."""
    held = data.stored[:, kind].copy()
    for j, (owner, m) in enumerate(zip(data.excess_participant, data.excess_material, strict=True)):
        if data.couplings.kind_of[m] == kind:
            held[owner] += data.excess_lots[j] * data.excess_lot[j]
    return float(held.sum() if c < 0 else held[c])


def _stock(data: ScheduleData, i: int) -> str:
    return f"{data.participants[data.participant[i]]}, {data.materials[data.material[i]]}"


def levels(data: ScheduleData, bought: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Return how far the buyers of an exposure have come, (T, B), at most 1."""
    exposure = data.exposures[number]
    materials = data.materials_of[exposure.block]
    found = np.ones((data.settings.quarters, exposure.buyers.size))
    for place, c in enumerate(exposure.buyers):
        for i in np.flatnonzero((data.participant == c) & np.isin(data.material, materials)):
            part = bought[i].cumsum() * data.lot[i] / data.lacking[i]
            found[:, place] = np.minimum(found[:, place], part)
    return found


def exposure_costs(data: ScheduleData, bought: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each exposure costs a year in each quarter, (blocks, T) [USD/year].

    It is the lower convex envelope of the table: the least mean of its costs over levels whose
    mean is no higher than what has been reached.
    """
    found = np.zeros((len(data.exposures), data.settings.quarters))
    for number, exposure in enumerate(data.exposures):
        known: dict[tuple[float, ...], float] = {}
        for t, level in enumerate(levels(data, bought, number)):
            key = tuple(level.tolist())
            if key not in known:
                known[key] = envelope(exposure.level, exposure.cost, level)
            found[number, t] = known[key]
    return found


def envelope(
    level: NDArray[np.float64], cost: NDArray[np.float64], reached: NDArray[np.float64]
) -> float:
    """Return the least mean of costs (G,) over levels (G, B) whose mean is at most ``reached``."""
    from scipy.optimize import linprog

    allowed = (level <= reached + 1e-12).all(axis=1)
    at = np.flatnonzero((np.abs(level - np.minimum(reached, 1.0)) <= 1e-12).all(axis=1))
    if level.shape[1] == 0:
        return float(cost.min())
    found = linprog(
        cost,
        A_ub=level.T,
        b_ub=np.maximum(reached, 0.0),
        A_eq=np.ones((1, cost.size)),
        b_eq=[1.0],
        method="highs",
    )
    # The solver only proposes: its weights are made to sum to 1, and what they cost is added up.
    weight = np.maximum(found.x, 0.0) if found.x is not None else np.zeros(cost.size)
    if not weight.sum() > 0.0:
        return float(cost[allowed].min())
    mean = float(weight @ cost / weight.sum())
    return min(mean, float(cost[at].min())) if at.size else mean
